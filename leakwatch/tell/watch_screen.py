"""The screen of ``leakwatch watch``: what is true of one container now, on as many rows as the terminal has.

Everything is `rich.text.Text`, never markup, so that names from outside cannot style or break the screen.
"""

# ruff: noqa: TID253 - rich is what this file is for; it is itself imported only where a screen is drawn.
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from detectors.types import Level
from leakwatch.tell import chart, units
from leakwatch.tell.screen import screen
from leakwatch.tell.terminal import CHART_STYLES
from leakwatch.tell.watch_view import View, as_assessment, figures, headline

_STYLES = {Level.LEAK: "bold red", Level.SUSPECTED: "bold yellow", Level.QUIET: "bold green"}
_TWO_COLUMNS = 100
"""From this width on, figures stand in pairs."""
_LEAST_CHART, _MOST_WHY = 10, 4
_KEYS = (("p", "pause"), ("s", "save"), ("q", "quit"))


class WatchScreen:
    """The renderable for `rich.live.Live`: it is drawn anew for the size that the terminal has at that moment."""

    def __init__(self, view: View) -> None:
        self.view = view

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Every row of the screen, the last one the keys."""
        height = options.height or console.height
        yield from _rows(self.view, console, options.max_width, height, keys=True)


def render(view: View, *, width: int, height: int, colour: bool) -> str:
    """The screen once, as text, without the keys and without empty rows at its end."""
    console = screen(width, colour=colour)
    with console.capture() as capture:
        console.print(*_rows(view, console, width, height, keys=False), sep="\n", no_wrap=True, crop=True)
    return "\n".join(line.rstrip() for line in capture.get().splitlines()).rstrip("\n") + "\n"


def _rows(view: View, console: Console, width: int, height: int, *, keys: bool) -> list[Text]:
    """At most ``height`` rows: the verdict, the chart in the room that is left, figures, reasons, trouble, keys."""
    level = view.verdict.level if view.verdict is not None else Level.QUIET
    word, said = headline(view)
    style = _STYLES[level] if view.is_judged else "bold"
    top = _wrapped(Text.assemble((word, style), "  ", (units.visible(view.name), "bold"), f": {said}"), console, width)
    bottom = _drawn(_figures(view, width), console, width)
    why = view.verdict.because[:_MOST_WHY] if view.verdict is not None and level is not Level.QUIET else ()
    reasons = [_hanging("  • ", units.visible(sentence), console, width) for sentence in why]
    trouble = [row for one in view.trouble for row in _wrapped(Text(units.visible(one), "yellow"), console, width)]
    foot = [*trouble[: height // 6], *([_keys(view)] if keys else [_state(view)])]
    room = height - len(top) - len(bottom) - len(foot)
    while reasons and sum(map(len, reasons)) > room - _LEAST_CHART:
        del reasons[-1]
    bottom += [row for rows in reasons for row in rows]
    room = height - len(top) - len(bottom) - len(foot)
    picture = chart.draw(view.trace, as_assessment(view), width, room if keys else min(room, 16))
    drawn = [Text.assemble(*((span.text, CHART_STYLES[span.role]) for span in row)) for row in picture]
    rows = [*top, *drawn, *bottom]
    if keys:
        rows = [*rows[: height - len(foot)], *[Text("")] * (height - len(foot) - len(rows))]
    rows += foot
    for row in rows:
        row.truncate(width)
    return rows[:height] if keys else rows


def _figures(view: View, width: int) -> Table:
    pairs = 2 if width >= _TWO_COLUMNS else 1
    grid = Table.grid(padding=(0, 2))
    for _ in range(pairs):
        grid.add_column(style="bold", no_wrap=True)
        grid.add_column(overflow="ellipsis", no_wrap=True, ratio=1)
    cells = [cell for what, value in figures(view) for cell in (Text(what), Text(value))]
    for first in range(0, len(cells), 2 * pairs):
        grid.add_row(*cells[first : first + 2 * pairs])
    return grid


def _keys(view: View) -> Text:
    """The keys and the state; for a moment instead what the last key did."""
    row = Text()
    if view.paused:
        row.append(" PAUSED ", "reverse bold")
        row.append("  ")
    if view.note:
        return row.append(units.visible(view.note))
    for key, what in _KEYS:
        row.append(f"{key} ", "bold")
        row.append("go on" if key == "p" and view.paused else what, "dim")
        row.append("   ")
    return row.append_text(_state(view))


def _state(view: View) -> Text:
    age = view.age_seconds
    parts = [f"every {units.duration(view.every_seconds)}", units.count(len(view.trace.time_seconds), "sample")]
    if len(view.trace.time_seconds) > 1:
        parts[-1] += f" over {units.duration(float(view.trace.time_seconds[-1] - view.trace.time_seconds[0]))}"
    if age is not None and age > 3 * view.every_seconds:
        parts.append(f"the last {units.duration(age)} ago")
    return Text(" · ".join(parts), "dim")


def _wrapped(text: Text, console: Console, width: int) -> list[Text]:
    return list(text.wrap(console, width))


def _hanging(mark: str, said: str, console: Console, width: int) -> list[Text]:
    lines = _wrapped(Text(said), console, width - len(mark))
    return [Text(mark if number == 0 else " " * len(mark)).append_text(line) for number, line in enumerate(lines)]


def _drawn(renderable: RenderableType, console: Console, width: int) -> list[Text]:
    rows = []
    for line in console.render_lines(renderable, console.options.update(width=width), pad=False):
        row = Text()
        for segment in line:
            row.append(segment.text, segment.style)
        rows.append(row)
    return rows
