from collections.abc import Callable
from typing import Any

from markdown_it import MarkdownIt

from leakwatch.tell import markdown

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


def test_a_code_span_holds_any_backticks() -> None:
    """The fence is longer than every run of backticks inside."""
    for name in ("`", "a``b", "```", "plain", "a|b"):
        html = READER.renderInline(markdown.code(name)).replace("\\|", "|")
        assert html == f"<code>{name}</code>"
