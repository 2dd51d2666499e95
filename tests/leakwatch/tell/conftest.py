"""Verdicts made by hand, one for each thing that a screen has to tell."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detectors.types import (
    Answer,
    Assessment,
    Attribution,
    Explanation,
    Fit,
    Forecast,
    Interval,
    Level,
    LiveVerdict,
    ModelShare,
    Shape,
    Trend,
    Verdict,
)
from leakwatch.ports import Action, Notification, Outcome, Severity, Stage
from leakwatch.trace import DroppedRow, Target, Trace
from playbooks.types import Action as Remedy
from playbooks.types import Answered, Branch, Confidence, Diagnosis, Step

MIB, GIB, START = 2.0**20, 2.0**30, 1_790_000_000.0
HOSTILE = "[red]x[/red]\x1b[31m\n<b>&\"'`|\u202e\udcff@all"
GOLDEN = Path(__file__).parent / "golden"

Analysis = tuple[Trace, Assessment]


@dataclass(frozen=True)
class Examples:
    """Each is a (Trace, Assessment) pair; `leak` can be varied."""

    flat: Analysis
    undecided: Analysis
    short: Analysis
    empty: Analysis
    hostile: Analysis
    crowded: Analysis

    @staticmethod
    def leak(
        source: str = "trace.csv",
        container: str | None = None,
        limit: float | None = 4 * GIB,
        left: Forecast | None = Forecast(12_000, 10_200, 15_000),
        restarts: tuple[float, ...] = (),
        hours: float = 24,
    ) -> Analysis:
        """A day that leaks 97 MiB/h from a quarter on, under a daily cycle, with one spike."""
        time = START + np.linspace(0, hours * 3600, 1440)
        onset = float(time[360])
        grown = np.maximum(time - onset, 0) * 97 * MIB / 3600
        cycle = 80 * MIB * np.sin(2 * np.pi * (time - START) / 86_400)
        level = 1800 * MIB + grown + cycle + 6 * MIB * np.sin(np.arange(1440) * 7.7)
        level[720] += 300 * MIB
        requests = np.cumsum(np.full(1440, 500.0))
        columns = {"anon_bytes": level, "usage_bytes": level + GIB, "requests_total": requests}
        trend = Trend(97 * MIB / 3600, 93 * MIB / 3600, 102 * MIB / 3600, 1080)
        because = (
            "anonymous memory is judged: it is what cannot be given back",
            "the floor rises 97 MiB/h over 18 h, and the load does not explain it",
        )
        verdict = Verdict(Answer.LEAK, Shape.LINEAR, 0.97, "anon_bytes", trend, onset, restarts, because)
        shares = (
            ModelShare("bert", Interval(300, 200, 400), 0.18),
            ModelShare("resnet", Interval(3_400, 3_200, 3_700), 0.82),
        )
        attribution = Attribution(Interval(3_700, 3_500, 4_000), shares, "requests")
        competed = (Explanation("daily cycle and line", True, 0.96, 0.0), Explanation("load", False, 0.04, 3.2))
        fit = Fit(time[::6], level[::6], (1800 * MIB + grown + cycle)[::6], grown[::6])
        return (
            Trace(Target(source, container), time, columns, limit),
            Assessment(verdict, left if limit else None, attribution, None, competed, fit),
        )


def _pair(answer: Answer, shape: Shape, level: np.ndarray, source: str = "ok.csv", **more: object) -> Analysis:
    time = START + 15.0 * np.arange(len(level))
    columns = {"anon_bytes": level} if len(level) else {}
    verdict = Verdict(answer, shape, 0.93, "anon_bytes" if len(level) else None, None, None, (), ("as it looks",))
    flat_fit = (
        Fit(time, level, np.full_like(level, np.median(level)), np.zeros_like(level)) if len(level) > 20 else None
    )
    return Trace(Target(source), time, columns, 4 * GIB), Assessment(verdict, fit=flat_fit, **more)


@pytest.fixture(scope="session")
def examples() -> Examples:
    """The verdicts that screens are drawn from."""
    wave = np.sin(np.arange(2000) * 7.7)
    short_trace, short = _pair(Answer.UNDECIDED, Shape.TOO_SHORT, np.linspace(1e9, 1.01e9, 7))
    hostile_trace, hostile = Examples.leak(HOSTILE, HOSTILE)
    shares = (ModelShare(HOSTILE, Interval(300, 200, 400), 1.0),)
    return Examples(
        flat=_pair(Answer.NO_LEAK, Shape.FLAT, 1200 * MIB + 3 * MIB * wave),
        undecided=_pair(
            Answer.UNDECIDED,
            Shape.DECELERATING,
            1200 * MIB + 900 * MIB * (1 - np.exp(-np.arange(2000) / 900)),
            "warm.csv",
            undecided_until_seconds=20_000.0,
        ),
        short=(replace(short_trace, limit_bytes=None), short),
        empty=_pair(Answer.UNDECIDED, Shape.TOO_SHORT, np.empty(0), "header.csv"),
        hostile=(
            replace(hostile_trace, dropped_rows=17, dropped=(DroppedRow(5, HOSTILE),), notes=(HOSTILE,)),
            replace(
                hostile,
                verdict=replace(hostile.verdict, because=(HOSTILE,)),
                attribution=Attribution(Interval(300, 200, None), shares, "unclear"),
                explanations=(Explanation(HOSTILE, True, 1.0, 0.0),),
            ),
        ),
        crowded=_pair(Answer.NO_LEAK, Shape.PLATEAU, 4000 * MIB + MIB * wave, "full.csv"),
    )


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compare text with a file in golden/; LEAKWATCH_GOLDEN=write writes it anew, to be read before it is committed."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if os.environ.get("LEAKWATCH_GOLDEN") == "write":
            path.write_text(text, encoding="utf-8")
        assert path.read_text(encoding="utf-8") == text

    return compare


@pytest.fixture(scope="session")
def live_verdict() -> Callable[..., LiveVerdict]:
    """What the live detector says of a leak of ``rate`` MiB/h with ``left`` seconds to go; calm at another level."""

    def verdict(
        level: Level = Level.LEAK, rate: float = 12.1, left: float | None = 12_000.0, since: float = START
    ) -> LiveVerdict:
        if level is not Level.LEAK:
            answer = Answer.NO_LEAK if level is Level.QUIET else Answer.UNDECIDED
            return LiveVerdict(level, answer, Shape.FLAT, "anon_bytes", None, None, None, None, (), since)
        per_second = rate * MIB / 3600
        trend = Trend(per_second, per_second - 0.5 * MIB / 3600, per_second + 0.6 * MIB / 3600, 300)
        forecast = None if left is None else Forecast(left, 0.85 * left, 1.2 * left)
        because = ("The floor rises too.",)
        return LiveVerdict(
            level, Answer.LEAK, Shape.LINEAR, "anon_bytes", trend, since - 7200, forecast, None, because, since
        )

    return verdict


@pytest.fixture(scope="session")
def notification() -> Callable[..., Notification]:
    """A message of an incident with everything in it; ``number`` and the rest can be varied."""

    def made(
        number: int = 1, stage: Stage = Stage.OPENED, key: str = "serving@1790000000", **more: Any
    ) -> Notification:
        step = Step("Take a heap profile", "jeprof --show_bytes")
        path = (Answered("Does it grow?", Branch.YES, "12.1 MiB/h"),)
        values: dict[str, Any] = {
            "at_seconds": START,
            "severity": Severity.CRITICAL,
            "target": "serving",
            "title": "LEAK serving: anon grows 12.1 MiB/h (11.6 to 12.7), 3 h 20 min left to 16 GiB; restarted in 14 s",
            "sentences": ("The floor rises too.", "No warm-up explains 24 h of it."),
            "news": ("14:05:00Z It was restarted.",),
            "facts": (("Growth", "12.1 MiB/h (11.6 to 12.7 MiB/h)"), ("Limit", "16 GiB")),
            "diagnosis": Diagnosis("Requests leave memory behind.", Confidence.LIKELY, path, (step,), "memory_leak"),
            "action": Action(Remedy.RESTART, "serving", "3 h are left", False, 15.0, 10.0),
            "outcome": Outcome(True, "a new process serves", 14.0),
            "chart_png": b"\x89PNG\r\n\x1a\n",
            "sparkline": "▁▂▃▄▅▆▇█",
        }
        return Notification(key=key, number=number, stage=stage, **{**values, **more})

    return made


@dataclass
class StandInClock:
    """A clock that stands until it is set."""

    at: float = START
    seconds: float = 0.0

    def now(self) -> float:
        return self.at

    def steady(self) -> float:
        return self.seconds

    def pass_by(self, seconds: float) -> None:
        self.at += seconds
        self.seconds += seconds


@pytest.fixture
def clock() -> StandInClock:
    """The time as the test sets it."""
    return StandInClock()
