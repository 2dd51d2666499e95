"""The screen and the document of ``leakwatch doctor``."""

# ruff: noqa: TID253 - rich is what this file is for; it is itself imported only where a screen is drawn.
import json
import math
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.text import Text

from leakwatch.examination import Check, Examination, SourceSight
from leakwatch.tell import units
from leakwatch.tell.screen import hanging, screen

SCHEMA_VERSION = 1

_MARKS = {True: ("✓", "green"), False: ("✗", "bold red"), None: ("·", "dim")}
_SHOWN = ("anon_bytes", "working_set_bytes", "limit_bytes", "threads", "requests_total", "models_available")
"""Of the columns of a sample those that a person knows at a glance whether they are right."""

_NAMES = {"anon_bytes": "anon", "working_set_bytes": "working set", "limit_bytes": "limit"}
_NAMES |= {"requests_total": "requests", "models_available": "models"}
_LABEL = 17


def as_json(examination: Examination) -> str:
    """One document."""
    document = {"schema_version": SCHEMA_VERSION, **asdict(examination)}
    for target, sight in zip(document["targets"], examination.targets, strict=True):
        target["can_be_watched"] = sight.can_be_watched
    return json.dumps(_finite(document), indent=2, allow_nan=False) + "\n"


def render(examination: Examination, *, width: int, colour: bool) -> str:
    """The examination as text, ``width`` columns wide, with ANSI colours where ``colour``."""
    console = screen(width, colour=colour)
    with console.capture() as capture:
        console.print(Text("Here", "bold"))
        for check in examination.here:
            _check(console, check)
        for target in examination.targets:
            console.print()
            name, place = units.visible(target.name), units.visible(target.place)
            console.print(Text.assemble((name, "bold"), "  ", (place, "dim")))
            for source in target.sources:
                _source(console, source)
            for check in target.checks:
                _check(console, check)
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def _source(console: Console, source: SourceSight) -> None:
    if source.error is not None:
        what, _, fix = source.error.partition("; ")
        _line(console, False, source.name, what, fix or None)
        return
    _line(console, True, source.name, f"{_values(source)}  ({_took(source.took_seconds)})", None)
    for sentence in source.blind_to:
        _line(console, None, "cannot see", sentence, None)


def _values(source: SourceSight) -> str:
    values = source.values or {}
    shown = []
    for name in _SHOWN:
        if name in values and (name != "limit_bytes" or values[name]):
            value = units.size(values[name]) if name.endswith("_bytes") else units.number(values[name])
            shown.append(f"{_NAMES.get(name, name)} {value}")
    return ", ".join(shown) or units.count(len(values), "number")


def _took(seconds: float) -> str:
    return units.duration(seconds) if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def _check(console: Console, check: Check) -> None:
    _line(console, check.fine, check.what, check.detail, check.fix)


def _line(console: Console, fine: bool | None, label: str, detail: str, fix: str | None) -> None:
    mark, style = _MARKS[fine]
    head = Text.assemble("  ", (mark, style), " ", units.visible(label).ljust(_LABEL))
    console.print(hanging(head, Text(units.visible(detail))))
    if fix is not None:
        console.print(hanging(Text("→".rjust(_LABEL + 4)), Text(units.visible(fix), "yellow")))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
