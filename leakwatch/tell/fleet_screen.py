"""A fleet on a terminal: the headline, the groups that leak, the containers that die first."""

# ruff: noqa: TID253 - rich is what this file is for; it is itself imported only where a screen is drawn.
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.segment import Segment, Segments
from rich.table import Table
from rich.text import Text

from detectors.types import Answer
from leakwatch.members import Change, Group, Judged
from leakwatch.tell import units
from leakwatch.tell.fleet_rows import (
    CONTAINER_HEAD,
    GROUP_HEAD,
    container_cells,
    group_cells,
    growth_with_interval,
    headline,
)
from leakwatch.tell.screen import screen

WHY_SHOWN = 2
"""Sentences under a group; the other outputs have all."""

SHOWN = 20
"""Rows of a table on the screen; the other outputs have all."""


def render(
    containers: int,
    counts: dict[Answer, int],
    leaks: Sequence[Judged],
    groups: Sequence[Group],
    *,
    width: int,
    colour: bool,
) -> str:
    """All of it as text ``width`` columns wide."""
    console = screen(width, colour=colour)
    claimed = [group for group in groups if group.claimed]
    with console.capture() as capture:
        first = headline(containers, counts, leaks, groups)
        console.print(Text(first, "bold red" if leaks or claimed else "bold green"))
        if claimed:
            console.print()
            _print_groups(console, claimed[:SHOWN], width)
            _say_more(console, len(claimed), "group")
        if leaks:
            console.print()
            console.print(_table(CONTAINER_HEAD, [container_cells(one) for one in leaks[:SHOWN]], width))
            _say_more(console, len(leaks), "leaking container")
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def _table(head: Sequence[str], rows: Sequence[tuple[str, ...]], width: int) -> Table:
    """As many columns as fit, the most telling first; those that are empty in every row are left out."""
    told = [i for i in range(len(head)) if any(row[i] != "-" for row in rows)] or [0]
    room = width
    kept: list[int] = []
    for i in told:
        longest = max(len(head[i]), *(len(row[i]) for row in rows))
        needed = min(longest, 28 if i in (0, len(head) - 1) else longest) + 2
        if kept and room < needed:
            continue
        kept.append(i)
        room -= needed
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for i in kept:
        table.add_column(head[i], overflow="fold", no_wrap=i not in (0, len(head) - 1))
    for row in rows:
        table.add_row(*(Text(row[i], "bold" if i == 0 else "") for i in kept))
    return table


def _print_groups(console: Console, groups: Sequence[Group], width: int) -> None:
    """A row for each, and under it why: what tells a release from traffic must not fall victim to a narrow screen."""
    table = _table(GROUP_HEAD, [group_cells(group) for group in groups], width)
    for column in table.columns:
        column.no_wrap, column.overflow = True, "ellipsis"
    lines = console.render_lines(table, console.options.update(width=width))
    rows = lines[len(lines) - len(groups) :]
    for line in lines[: len(lines) - len(groups)]:
        console.print(Segments([*line, Segment.line()]))
    for group, line in zip(groups, rows, strict=True):
        console.print(Segments([*line, Segment.line()]))
        for sentence in group.because[:WHY_SHOWN]:
            console.print(Padding(Text(units.visible(sentence), "dim"), (0, 0, 0, 2)))


def _say_more(console: Console, total: int, noun: str) -> None:
    if total > SHOWN:
        console.print(Text(f"and {units.count(total - SHOWN, f'more {noun}')}; -o json has all", "dim"))


def render_differences(changes: Sequence[Change], *, width: int, colour: bool) -> str:
    """What is new, gone or of another rate between two fleets, a row each."""
    console = screen(width, colour=colour)
    rows = [
        (change.word, units.visible(change.name), _growth(change.before), _growth(change.after), _left(change.after))
        for change in changes
    ]
    news = sum(change.before is None for change in changes)
    with console.capture() as capture:
        console.print(Text(f"{units.count(news, 'new leak')}, {units.count(len(changes), 'change')} in all.", "bold"))
        if rows:
            console.print()
            console.print(_table(("Change", "Workload", "Growth before", "Growth after", "Time to limit"), rows, width))
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def _growth(one: Judged | None) -> str:
    return growth_with_interval(one.trend) if one is not None and one.trend else "-"


def _left(one: Judged | None) -> str:
    return units.duration(one.forecast.low) if one is not None and one.forecast else "-"
