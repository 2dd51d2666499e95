"""Memory events as rows of text that can be printed one by one, as they come."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from detectors.types import OomEvent
from leakwatch.tell import units
from leakwatch.tell.event_lines import Json, event_as_dict

_HEAD = ("Time", "Incident", "Event", "Where", "What")
_TIME, _INCIDENT, _EVENT = 20, 8, 25  # widths
_ONE_WHERE, _LINE_NUMBER, _LONGEST_WHERE = 12, 8, 48
_PROVEN, _PLAIN = "\x1b[1m\x1b[31m", "\x1b[0m"
_UNLIMITED_KB = 2**53
"""A cgroup without a limit shows LONG_MAX rounded down to pages: 9007199254740988 kB or 18014398509481980 kB."""

_WHO = ("container", "pod", "pod_name", "unit", "device", "resource")
_SIZES = {
    "requested_bytes": (1, "asked for {}"),
    "anon_rss_kb": (1024, "anon {}"),
    "usage_kb": (1024, "usage {}"),
    "limit_kb": (1024, "limit {}"),
}
_PLAINLY = {
    "reason": "{}",
    "exit_code": "exit code {}",
    "failcnt": "failcnt {}",
    "constraint": "{}",
    "tensor_shape": "shape {}",
    "allocator": "allocator {}",
    "container_id": "container {:.12}",
    "task_memcg": "{}",
}


@dataclass(frozen=True, slots=True)
class EventLook:
    """How rows look.

    Attributes:
        output: the form that was asked for.
        width: columns of the screen; None for a pipe, which has none.
        colour: whether to colour what is proven.
        sources: all that will be named, so that the columns stand under each other from the first row on.
    """

    output: str
    width: int | None
    colour: bool
    sources: Sequence[str] = ()


def head(look: EventLook) -> str:
    """The headings, as wide as the screen at most."""
    return _row(_HEAD, look)


def event_row(source: str, event: OomEvent, look: EventLook) -> str:
    """One event on one line, as wide as the screen at most; what the log holds cannot style or break it."""
    cells = (
        units.moment(event.at) if event.at is not None else "-",
        "-" if event.incident is None else str(event.incident),
        event.kind.replace("_", " "),
        f"line {event.line}" if list(look.sources) == [source] else f"{source}:{event.line}",
        what(event),
    )
    row = _row(tuple(map(units.visible, cells)), look)
    return f"{_PROVEN}{row}{_PLAIN}" if look.colour and event.proves_oom else row


def what(event: OomEvent) -> str:
    """The most telling fields in words: "tensorflow_mode (pid 2210), anon 7.9 GiB"; the line's text where none is."""
    fields = event_as_dict("", event)
    said = [f"{_said_process(fields)}"] if fields.get("process") or fields.get("pid") else []
    said += [f"{name.removesuffix('_name')} {fields[name]}" for name in _WHO if fields.get(name)]
    said += [
        form.format(units.size(float(fields[name]) * scale))
        for name, (scale, form) in _SIZES.items()
        if _is_size(fields.get(name), scale)
    ]
    said += [form.format(_joined(fields[name])) for name, form in _PLAINLY.items() if fields.get(name) is not None]
    return ", ".join(said) or " ".join(event.text.split())


def _row(cells: Sequence[str], look: EventLook) -> str:
    several = len(look.sources) != 1
    where = min(max(map(len, look.sources), default=0) + _LINE_NUMBER, _LONGEST_WHERE) if several else _ONE_WHERE
    widths = (_TIME, _INCIDENT, _EVENT, where, 0)
    row = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
    return row if look.width is None or len(row) <= look.width else row[: look.width - 1] + "…"


def _said_process(fields: Json) -> str:
    process, pid = fields.get("process"), fields.get("pid")
    if process is None:
        return f"pid {pid}"
    return str(process) if pid is None else f"{process} (pid {pid})"


def _is_size(value: object, scale: int) -> bool:
    if not isinstance(value, int | float) or not math.isfinite(value):
        return False
    return scale == 1 or value < _UNLIMITED_KB // 2


def _joined(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
