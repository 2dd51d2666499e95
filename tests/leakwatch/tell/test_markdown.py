from collections.abc import Callable
from typing import Any

import pytest
from markdown_it import MarkdownIt

from leakwatch.tell import markdown
from playbooks.types import Confidence, Diagnosis, Step

# GitHub's flavour as far as it matters here: tables, and raw HTML obeyed, so that an unescaped name would show.
READER = MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough")


def test_the_text_for_an_incident(examples: Any, golden: Callable[[str, str], None]) -> None:
    """One trace in full; of many a table and the ones to worry about."""
    golden("leak.md", markdown.render([examples.leak()], explain=True))
    golden("many.md", markdown.render([examples.flat, examples.leak(), examples.undecided]))


def test_hostile_names_are_text(examples: Any) -> None:
    """A name makes no HTML, no link, no new cell and no mention."""
    for analyses in ([examples.hostile], [examples.hostile, examples.flat]):
        source = markdown.render(analyses, explain=True)
        html = READER.render(source)
        assert "<b>" not in html
        assert "\x1b" not in html
        assert len({row.count("<td") for row in table_rows(html)}) == 1


def table_rows(html: str) -> list[str]:
    """The rows of the first table's body."""
    return html.split("<tbody>", 1)[1].split("</tbody>", 1)[0].split("</tr>")[:-1]


@pytest.mark.parametrize("name", ["`", "a``b", "```", "plain", "a|b", "kubectl get pods | grep -E 'a|b'"])
def test_a_code_span_holds_any_text(name: str) -> None:
    """The fence is longer than every run of backticks inside, and a command can be copied as it is."""
    assert READER.renderInline(markdown.code(name)) == f"<code>{name}</code>"


def test_a_bar_in_a_table_makes_no_cell(examples: Any) -> None:
    """A name with bars stays in its cell."""
    html = READER.render(markdown.render([examples.leak("a|b|c.csv"), examples.flat]))
    assert "<td><code>a|b|c.csv</code></td>" in html


def test_the_diagnosis_is_told_with_commands_to_copy(examples: Any) -> None:
    """Cause and steps stand where an incident's readers look, and a step's command is code."""
    diagnosis = Diagnosis("It <leaks>.", Confidence.LIKELY, (), (Step("Look", "ps | head"), Step("Stop *it*")), "x")
    source = markdown.render([examples.leak()], [diagnosis])
    assert "Cause (likely): It \\<leaks\\>." in source
    assert "1. Look: `ps | head`\n2. Stop \\*it\\*\n" in source
    assert "Next:" not in source
