"""The screen of ``leakwatch analyze``: one trace with its chart, or many in one table, the most urgent first.

Everything is `rich.text.Text`, never markup, so names from traces cannot style or break the screen.
"""

# ruff: noqa: TID253 - rich is what this file is for; it is itself imported only where a screen is drawn.
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from detectors.types import Answer, Assessment
from leakwatch.tell import chart, units
from leakwatch.tell.competition import HEAD as HEAD_OF_COMPETITION
from leakwatch.tell.competition import competition_rows, left_out
from leakwatch.tell.diagnosis_screen import whole_diagnosis
from leakwatch.tell.figures import NOTE, Figure, figures, models
from leakwatch.tell.screen import bullet, hanging, screen
from leakwatch.tell.sentences import WORDS, next_step, trace_name, verdict_in_words
from leakwatch.tell.summary import FULL_HEAD, HEAD, NAME_COLUMN, columns_that_fit, summary_line, summary_rows
from leakwatch.tell.urgency import by_urgency
from leakwatch.trace import Trace
from playbooks.types import Diagnosis

_ANSWER_STYLES = {Answer.LEAK: "bold red", Answer.UNDECIDED: "bold yellow", Answer.NO_LEAK: "bold green"}
CHART_STYLES = {
    chart.Role.AXIS: "dim",
    chart.Role.LEVEL: "cyan",
    chart.Role.FIT: "bold yellow",
    chart.Role.LIMIT: "red",
    chart.Role.RESTART: "magenta",
    chart.Role.KILL: "bold red",
    chart.Role.ONSET: "bold red",
}
"""How each layer of the chart is coloured."""
_TEXT_WIDTH = 110
"""Sentences longer than this are hard to read."""
_LEAST_CHART_HEIGHT = 7
"""Rows, axis and legend included."""


def render(
    analyses: Sequence[tuple[Trace, Assessment]],
    *,
    width: int,
    height: int,
    colour: bool,
    wide: bool = False,
    explain: bool = False,
    diagnosis: Diagnosis | None = None,
) -> str:
    """The whole screen as text, ``width`` columns wide, with ANSI colours where ``colour``.

    One trace takes at most ``height`` rows, the prompt's included, where its chart and its reasons can be fitted to
    that; where ``wide`` or ``explain`` the reasons are told in full, and the ``diagnosis`` with its path and its steps.
    """
    console = screen(width, colour=colour)
    with console.capture() as capture:
        if len(analyses) == 1:
            _one(console, *analyses[0], diagnosis, height=height, wide=wide, explain=explain)
        else:
            _many(console, analyses, wide=wide, explain=explain)
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def _one(
    console: Console,
    trace: Trace,
    assessment: Assessment,
    diagnosis: Diagnosis | None,
    *,
    height: int,
    wide: bool,
    explain: bool,
) -> None:
    headline = Text.assemble(
        (WORDS[assessment.verdict.verdict], _ANSWER_STYLES[assessment.verdict.verdict]),
        "  ",
        (trace_name(trace), "bold"),
        f": {verdict_in_words(trace, assessment)}",
    )
    numbers: list[RenderableType] = [_numbers(figures(trace, assessment, full=wide))]
    if wide and (by_model := models(assessment)):
        numbers += [Text("By model", "bold"), _numbers(by_model)]
    advice: list[RenderableType] = []
    if explain:
        advice += [Text("What competed", "bold"), _competition(assessment)]
    if diagnosis is not None and (wide or explain):
        advice += whole_diagnosis(diagnosis)
    else:
        if diagnosis is not None:
            advice.append(hanging(Text("Cause", "bold"), Text(units.visible(diagnosis.cause))))
        advice.append(hanging(Text("Next ", "bold"), Text(next_step(trace, assessment))))
    text_width = console.width if wide else min(console.width, _TEXT_WIDTH)

    def rows(*parts: RenderableType) -> int:
        return sum(len(console.render_lines(part, console.options.update(width=text_width))) for part in parts)

    # The chart and the reasons take what the rest and the prompt leave of the screen, so that the verdict stays in
    # sight; the reasons that carry the verdict come first, and the first is always told.
    room = height - 1 - rows(headline, *numbers, *advice)
    why: list[RenderableType] = [bullet(sentence) for sentence in assessment.verdict.because]
    while len(why) > 1 and not (wide or explain) and 1 + rows(*why) > room - _LEAST_CHART_HEIGHT:
        del why[-1]
    if why:
        untold = len(assessment.verdict.because) - len(why)
        why.insert(0, Text.assemble(("Why", "bold"), f" ({untold} more: -o wide)" if untold else ""))
    chart_height = min(max(room - rows(*why), _LEAST_CHART_HEIGHT), 24 if wide else 14)
    picture = chart.draw(trace, assessment, text_width, chart_height)
    console.print(headline, width=text_width)
    if picture:
        console.print(*(_chart_row(row) for row in picture), sep="\n", no_wrap=True, crop=True)
    console.print(Group(*numbers, *why, *advice), width=text_width)


def _many(console: Console, analyses: Sequence[tuple[Trace, Assessment]], *, wide: bool, explain: bool) -> None:
    head, rows = FULL_HEAD if wide else HEAD, summary_rows(analyses, full=wide)
    shown = columns_that_fit(head, [cells for _, cells in rows], console.width)
    table = _table()
    for i, column in enumerate(head[:shown]):
        table.add_column(column, overflow="fold", no_wrap=i != NAME_COLUMN)
    for answer, (word, *cells) in rows:
        table.add_row(Text(word, _ANSWER_STYLES[answer]), *map(Text, cells[: shown - 1]))
    console.print(table)
    if shown < len(head):
        console.print(Text(f"No room for: {', '.join(head[shown:])}", "dim"))
    console.print(Text(summary_line(analyses)))
    if explain:
        for trace, assessment in by_urgency(analyses):
            console.print(Text(f"\nWhat competed for {trace_name(trace)}", "bold"))
            console.print(_competition(assessment))


def _numbers(lines: Sequence[Figure]) -> RenderableType:
    """The figures in columns; a note, which is a sentence, below them in the whole width."""
    notes = [hanging(Text("Note ", "bold"), Text(line.value)) for line in lines if line.what == NOTE]
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_column(overflow="fold", style="dim")
    for line in lines:
        if line.what != NOTE:
            grid.add_row(Text(line.what), Text(line.value), Text(line.remark))
    return Group(grid, *notes)


def _competition(assessment: Assessment) -> RenderableType:
    if not assessment.explanations:
        return Padding(Text("nothing: there was too little trace to explain"), (0, 0, 0, 2))
    name, *numbers = HEAD_OF_COMPETITION
    table = _table()
    table.add_column(name, overflow="fold")
    for i, column in enumerate(numbers):
        table.add_column(column, justify="left" if i == 0 else "right", no_wrap=True)
    for row in competition_rows(assessment.explanations):
        table.add_row(*map(Text, row))
    more = left_out(assessment.explanations)
    return Group(table, Text(more, "dim")) if more else table


def _table() -> Table:
    return Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")


def _chart_row(row: chart.Row) -> Text:
    return Text.assemble(*((span.text, CHART_STYLES[span.role]) for span in row))
