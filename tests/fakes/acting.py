"""Stand-ins at the ports of acting: a clock that is set by hand, a backend that remembers, a probe."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from detectors.types import Answer, Forecast, Level, LiveVerdict, Shape, Trend
from leakwatch.act.decision import Case
from leakwatch.errors import ActError
from leakwatch.ports import Action, EvidencePart, Lease, Outcome, Standing
from playbooks.types import Action as Remedy
from playbooks.types import Confidence, Diagnosis
from playbooks.types import Remedy as RemedyOfTree

MIB = 2**20
BARE = frozenset({"replicas", "disruption_budget", "lease", "rollout", "drain"})


FRESH = Standing("life-0", 86400.0, True, not_applicable=BARE)


class HandClock:
    """Wall and steady time that only a test moves."""

    def __init__(self, now: float = 1_790_000_000.0, steady: float = 100_000.0) -> None:
        self.now_seconds, self.steady_seconds = now, steady

    def now(self) -> float:
        return self.now_seconds

    def steady(self) -> float:
        return self.steady_seconds

    def pass_(self, seconds: float) -> None:
        """Time passes, on both clocks."""
        self.now_seconds += seconds
        self.steady_seconds += seconds


@dataclass
class FakeRestarter:
    """A backend whose container gets another life with each restart."""

    name: str = "docker"
    can: frozenset[Remedy] = frozenset({Remedy.RESTART})
    state: Standing = FRESH
    refuse: str | None = None
    unknown: str | None = None
    blocked: threading.Event | None = None
    before: Callable[[], Any] = lambda: None
    claim: Lease | None = None
    restarts: list[Action] = field(default_factory=list)

    def remedies(self) -> frozenset[Remedy]:
        return self.can

    def standing(self, now_seconds: float) -> Standing:
        if self.unknown is not None:
            raise ActError(self.name, self.unknown, "look at it")
        return self.state

    def lease(self) -> Lease | None:
        return self.claim

    def carry_out(self, action: Action, held: Callable[[], bool]) -> Outcome:
        self.before()
        if self.blocked is not None:
            self.blocked.wait(30)
        if self.refuse is not None:
            raise ActError(self.name, self.refuse, "look at it")
        self.restarts.append(action)
        self.state = replace(self.state, life=f"life-{len(self.restarts)}", uptime_seconds=0.0)
        return Outcome(True, "restarted", 1.0)


@dataclass
class FakeProbe:
    """Takes its content, or does what the test says instead."""

    name: str = "smaps_rollup.txt"
    content: bytes = b"Rss: 12 kB\n"
    do: Callable[[], Any] = lambda: None
    asked: int = 0

    def collect(self, deadline_seconds: float) -> EvidencePart:
        self.asked += 1
        self.do()
        return EvidencePart(self.name, self.content)


def diagnosis(remedy: Remedy | None = Remedy.RESTART) -> Diagnosis:
    found = None if remedy is None else RemedyOfTree(remedy, "requests in flight are lost")
    return Diagnosis("It grows with the clock.", Confidence.LIKELY, (), (), "memory_leak", found)


def leaking(
    low: float | None = 1200.0,
    *,
    level: Level = Level.LEAK,
    target: str = "serving",
    incident: str = "serving-1",
    remedy: Remedy | None = Remedy.RESTART,
    memory_bytes: float | None = 900.0 * MIB,
    **more: Any,
) -> Case:
    """A case whose limit may be reached in so many seconds."""
    forecast = None if low is None else Forecast(1.5 * low, low, 2.0 * low)
    answer = Answer.LEAK if level is Level.LEAK else Answer.NO_LEAK if level is Level.QUIET else Answer.UNDECIDED
    trend = Trend(1e5, 9e4, 1.1e5, 100)
    verdict = LiveVerdict(level, answer, Shape.LINEAR, "anon_bytes", trend, 0.0, forecast, None, ("it grew",), 0.0)
    return Case(target, incident, verdict, diagnosis(remedy), memory_bytes, limit_bytes=1024.0 * MIB, **more)


def healthy(**more: Any) -> Case:
    """The same container after a restart that helped."""
    return leaking(None, level=Level.QUIET, memory_bytes=200.0 * MIB, **more)
