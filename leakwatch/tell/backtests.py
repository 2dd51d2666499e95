"""What an agent would have done, as the JSON document of ``leakwatch backtest`` and as a table."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from detectors.types import Level, LiveVerdict
from leakwatch.tell import units
from leakwatch.tell.document import SCHEMA_VERSION, Json, interval_as_dict
from leakwatch.trace import Target

HEAD = ("Trace", "First alert", "Growth", "Time to limit", "Suspected", "Leak", "Resolved", "At the end")


@dataclass(frozen=True, slots=True)
class Backtest:
    """One replayed trace.

    Attributes:
        target: which container.
        samples: how many were replayed.
        alerts: (Unix seconds, verdict) each time that the level rose to suspected or to leak.
        resolved: Unix seconds of each return to quiet.
        last: what was true after the last sample.
    """

    target: Target
    samples: int
    alerts: tuple[tuple[float, LiveVerdict], ...]
    resolved: tuple[float, ...]
    last: LiveVerdict

    @property
    def first_alert(self) -> float | None:
        """Unix seconds of the first alert at the level ``leak``; None where there was none."""
        return next((at for at, verdict in self.alerts if verdict.level is Level.LEAK), None)


def as_json(backtests: Sequence[Backtest]) -> str:
    """The document of contracts.md section 2; its schema is docs/schemas/backtest.schema.json."""
    document = {"schema_version": SCHEMA_VERSION, "backtests": [_entry(one) for one in backtests]}
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _entry(one: Backtest) -> Json:
    return {
        "source": one.target.source,
        "container": one.target.container,
        "alerts": [_alert(at, verdict) for at, verdict in one.alerts],
        "resolved": list(one.resolved),
        "first_alert": one.first_alert,
    }


def _alert(at: float, verdict: LiveVerdict) -> Json:
    trend, ahead = verdict.trend, verdict.forecast
    return {
        "at": at,
        "verdict": str(verdict.level),
        "slope_bytes_per_second": interval_as_dict(trend.slope_per_second, trend.low, trend.high) if trend else None,
        "time_to_limit_seconds": interval_as_dict(ahead.seconds_to_limit, ahead.low, ahead.high) if ahead else None,
    }


def as_table(backtests: Sequence[Backtest], *, width: int, colour: bool) -> str:
    """A row a trace, those with the earliest alert first, ``width`` columns wide; then why each alert was raised."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    from leakwatch.tell.screen import screen

    console = screen(width, colour=colour)
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for name in HEAD:
        table.add_column(name, overflow="fold", no_wrap=name != HEAD[0])
    ordered = sorted(backtests, key=lambda one: (one.first_alert is None, one.first_alert or 0.0))
    for one in ordered:
        style = "bold red" if one.first_alert is not None else ""
        table.add_row(*(Text(cell, style if i < 2 else "") for i, cell in enumerate(_cells(one))))
    with console.capture() as capture:
        console.print(table)
        for one in ordered:
            if one.first_alert is not None:
                console.print(Text(f"\n{_name(one)}: {'; '.join(map(units.visible, _first_leak(one).because))}."))
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def _cells(one: Backtest) -> tuple[str, ...]:
    """The cells under `HEAD`, as plain text that is safe to show."""
    first = _first_leak(one) if one.first_alert is not None else None
    levels = [verdict.level for _, verdict in one.alerts]
    shown = (
        _name(one),
        units.moment(one.first_alert) if one.first_alert is not None else "-",
        units.rate(first.trend.slope_per_second) if first and first.trend else "-",
        units.duration(first.forecast.seconds_to_limit) if first and first.forecast else "-",
        str(levels.count(Level.SUSPECTED)),
        str(levels.count(Level.LEAK)),
        str(len(one.resolved)),
        str(one.last.level),
    )
    return tuple(map(units.visible, shown))


def _name(one: Backtest) -> str:
    name = one.target.source if one.target.container is None else f"{one.target.source} {one.target.container}"
    return units.visible(name)


def _first_leak(one: Backtest) -> LiveVerdict:
    """What was told at the first alert; one that has none says what is true at its end."""
    return next((verdict for _, verdict in one.alerts if verdict.level is Level.LEAK), one.last)
