"""Incidents as a table, a row each: what was killed, by which limit, and whether that proves an OOM."""

# ruff: noqa: TID253 - rich is what this file is for; it is itself imported only where a screen is drawn.
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from detectors.types import Incident
from leakwatch.tell import units
from leakwatch.tell.screen import screen

HEAD = ("#", "Time", "Scope", "Victim", "PID", "Usage", "Limit", "OOM", "Where", "Container", "Why not")
_FOLDING = frozenset({"Victim", "Where", "Container", "Why not"})
_STYLED = 5  # number, time, scope, victim and pid of what is proven stand out
_COMM_WIDTH = 15  # the kernel cuts the names of processes to this length
_ID_CHARACTERS = 12  # as docker and crictl show ids


def render(incidents: Sequence[tuple[str, Incident]], *, width: int, colour: bool) -> str:
    """The (source, incident) pairs in their order, ``width`` columns wide, with ANSI colours where ``colour``."""
    console = screen(width, colour=colour)
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    # What is proven needs no more words here; JSON has every reason.
    shown = HEAD[:-1] if all(incident.proves_oom for _, incident in incidents) else HEAD
    for name in shown:
        least = _COMM_WIDTH if name == "Victim" else None
        table.add_column(name, overflow="fold", no_wrap=name not in _FOLDING, min_width=least)
    one_source = len({source for source, _ in incidents}) == 1
    for source, incident in incidents:
        style = "bold red" if incident.proves_oom else ""
        row = cells("" if one_source else source, incident)[: len(shown)]
        table.add_row(*(Text(cell, style if i < _STYLED else "") for i, cell in enumerate(row)))
    with console.capture() as capture:
        console.print(table)
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def cells(source: str, incident: Incident) -> tuple[str, ...]:
    """The cells under `HEAD`, as plain text that is safe to show; an empty ``source`` goes without saying."""
    line = incident.lines[0] if incident.lines else 0
    shown = (
        str(incident.number),
        units.moment(incident.at) if incident.at is not None else "-",
        incident.scope,
        incident.victim or "-",
        str(incident.pid) if incident.pid is not None else "-",
        units.size(incident.usage_bytes) if incident.usage_bytes is not None else "-",
        units.size(incident.limit_bytes) if incident.limit_bytes is not None else "-",
        "proven" if incident.proves_oom else "not proven",
        f"{source}:{line}" if source else f"line {line}",
        _whose(incident),
        "-" if incident.proves_oom or not incident.because else incident.because[0],
    )
    return tuple(map(units.visible, shown))


def _whose(incident: Incident) -> str:
    if incident.container_id:
        return incident.container_id[:_ID_CHARACTERS]
    if incident.pod_uid:
        return f"pod {incident.pod_uid}"
    return incident.cgroup or "-"
