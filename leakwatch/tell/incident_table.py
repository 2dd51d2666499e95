"""Incidents as a table, a row each: what was killed, by which limit, and whether that proves an OOM."""

# ruff: noqa: TID253 - rich is what this file is for; it is itself imported only where a screen is drawn.
import io
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from detectors.types import Incident
from leakwatch.tell import units

HEAD = ("#", "Time", "Scope", "Victim", "Usage", "Limit", "OOM", "Where", "Of", "Why")
_FOLDING = frozenset({"Victim", "Where", "Of", "Why"})
_STYLED = 4  # number, time, scope and victim of what is proven stand out
_ID_CHARACTERS = 12  # as docker and crictl show ids


def render(incidents: Sequence[tuple[str, Incident]], *, width: int, colour: bool) -> str:
    """The (source, incident) pairs in their order, ``width`` columns wide, with ANSI colours where ``colour``."""
    # Text and never markup: names from logs cannot style or break the screen.
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
    )
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for name in HEAD:
        table.add_column(name, overflow="fold", no_wrap=name not in _FOLDING)
    for source, incident in incidents:
        style = "bold red" if incident.proves_oom else ""
        table.add_row(*(Text(c, style if i < _STYLED else "") for i, c in enumerate(cells(source, incident))))
    with console.capture() as capture:
        console.print(table)
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def cells(source: str, incident: Incident) -> tuple[str, ...]:
    """The cells under `HEAD`, as plain text that is safe to show."""
    victim = incident.victim or "-"
    shown = (
        str(incident.number),
        units.moment(incident.at) if incident.at is not None else "-",
        incident.scope,
        victim if incident.pid is None else f"{victim} (pid {incident.pid})",
        units.size(incident.usage_bytes) if incident.usage_bytes is not None else "-",
        units.size(incident.limit_bytes) if incident.limit_bytes is not None else "-",
        "proven" if incident.proves_oom else "not proven",
        f"{source}:{incident.lines[0]}" if incident.lines else source,
        _whose(incident),
        "; ".join(incident.because) or "-",
    )
    return tuple(map(units.visible, shown))


def _whose(incident: Incident) -> str:
    if incident.container_id:
        return f"container {incident.container_id[:_ID_CHARACTERS]}"
    if incident.pod_uid:
        return f"pod {incident.pod_uid}"
    return incident.cgroup or "-"
