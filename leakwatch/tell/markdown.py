"""The verdict as Markdown, to paste into an incident: GitHub's flavour, safe whatever the names hold."""

import re
from collections.abc import Iterable, Sequence

from detectors.types import Answer, Assessment
from leakwatch.tell import units
from leakwatch.tell.competition import HEAD as HEAD_OF_COMPETITION
from leakwatch.tell.competition import competition_rows, left_out
from leakwatch.tell.figures import figures, models
from leakwatch.tell.sentences import WORDS, next_step, trace_name, verdict_in_words
from leakwatch.tell.summary import HEAD, NAME_COLUMN, summary_line, summary_rows
from leakwatch.tell.urgency import by_urgency
from leakwatch.trace import Trace
from playbooks.types import Diagnosis, Step

_ACTIVE = re.compile(r"([\\`*_\[\]<>|~&#@])")


def render(
    analyses: Sequence[tuple[Trace, Assessment]],
    diagnoses: Sequence[Diagnosis | None] | None = None,
    *,
    explain: bool = False,
) -> str:
    """One trace in full; of many a table, then those that leak or are undecided in full, by urgency.

    ``diagnoses`` holds one for each of ``analyses``, None where none was made.
    """
    # By identity: a trace holds arrays, which have no one truth to compare by.
    found = {id(assessment): one for (_, assessment), one in zip(analyses, diagnoses or (), strict=False)}
    if len(analyses) == 1:
        trace, assessment = analyses[0]
        return "\n".join(_section(trace, assessment, found.get(id(assessment)), explain=explain)) + "\n"
    rows = [
        [code(cell, in_table=True) if i == NAME_COLUMN else escape(cell) for i, cell in enumerate(cells)]
        for _, cells in summary_rows(analyses, full=False)
    ]
    lines = [escape(summary_line(analyses)), "", *_table(HEAD, rows)]
    for trace, assessment in by_urgency(analyses):
        if assessment.verdict.verdict is not Answer.NO_LEAK:
            lines += ["", *_section(trace, assessment, found.get(id(assessment)), explain=explain)]
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """Plain text in which nothing is markup, a link, HTML, a cell border or a mention."""
    return _ACTIVE.sub(r"\\\1", units.visible(text))


def code(text: str, *, in_table: bool = False) -> str:
    """A code span that holds the text whatever backticks it has; only ``in_table`` a bar must, and may, be escaped."""
    shown = units.visible(text)
    if in_table:
        shown = shown.replace("|", "\\|")
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def _section(trace: Trace, assessment: Assessment, diagnosis: Diagnosis | None, *, explain: bool) -> list[str]:
    verdict = assessment.verdict
    words = escape(verdict_in_words(trace, assessment))
    facts = (*figures(trace, assessment, full=True), *models(assessment))
    lines = [f"**{WORDS[verdict.verdict]}** {code(trace_name(trace))}: {words}", ""]
    lines += _table(("", "Value", "95 % interval, remark"), ([escape(cell) for cell in fact] for fact in facts))
    if verdict.because:
        lines += ["", "Why:", "", *(f"- {escape(sentence)}" for sentence in verdict.because)]
    if explain and assessment.explanations:
        competed = (map(escape, row) for row in competition_rows(assessment.explanations))
        lines += ["", "What competed:", "", *_table(HEAD_OF_COMPETITION, ([*row] for row in competed))]
        more = left_out(assessment.explanations)
        lines += ["", more] if more else []
    if diagnosis is None:
        return [*lines, "", f"Next: {escape(next_step(trace, assessment))}"]
    lines += ["", f"Cause ({diagnosis.confidence}): {escape(diagnosis.cause)}"]
    lines += ["", f"How it was found (playbook {code(diagnosis.playbook)}):", ""]
    lines += [f"- {escape(one.ask)} **{one.answer}**: {escape(one.evidence)}" for one in diagnosis.path]
    return [*lines, "", "What to do:", "", *(f"{i}. {_step(step)}" for i, step in enumerate(diagnosis.steps, 1))]


def _step(step: Step) -> str:
    return escape(step.do) if step.command is None else f"{escape(step.do)}: {code(step.command)}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(head)} |", "|" + " --- |" * len(head), *(f"| {' | '.join(row)} |" for row in rows)]
