import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from leakwatch.agent.loop import Agent
from leakwatch.errors import SourceError
from leakwatch.ports import Delivery, Notification, Stage
from leakwatch.settings import PidPlace, Settings, TargetSettings
from leakwatch.tell.telling import Telling
from leakwatch.trace import Sample

DEADLINE_SECONDS = 60.0
BEAT_SECONDS = 0.005
PACE_SECONDS = 60.0
"""So much time passes between two beats of a test, on both hands of its clock."""


class ShiftableClock:
    """The machine's clock; a test can set the wall clock, or let time pass (which no source and no thread notices)."""

    def __init__(self) -> None:
        self.set_by, self.slept = 0.0, 0.0

    def now(self) -> float:
        return time.time() + self.set_by + self.slept

    def steady(self) -> float:
        return time.monotonic() + self.slept


class ScriptedSource:
    """A source that tells what the test put into it, or raises it; each look can change it, and can be held up."""

    name = "cgroup"
    blind_to = ()

    def __init__(self) -> None:
        self.values: dict[str, float] = {"anon_bytes": 1e8, "limit_bytes": 2.0**30, "oom_kills_total": 0.0}
        self.life, self.growth_per_second = "a", 0.0
        self.read_at: float | None = None
        self.error: SourceError | None = None
        self.open = threading.Event()
        self.open.set()

    def read(self, now_seconds: float) -> Sample:
        self.open.wait()
        if self.error is not None:
            raise self.error
        passed = now_seconds - (now_seconds if self.read_at is None else self.read_at)
        self.values["anon_bytes"] += self.growth_per_second * min(max(passed, 0.0), 600.0)
        self.read_at = now_seconds
        return Sample(now_seconds, dict(self.values), self.life)

    def close(self) -> None:
        pass


class Heard:
    """A channel that keeps what it is told."""

    name, stages, repeat_seconds = "heard", frozenset(Stage), None

    def __init__(self) -> None:
        self.notifications: list[Notification] = []

    def notify(self, notification: Notification, thread: Mapping[str, str], *, again: bool = False) -> Delivery:
        self.notifications.append(notification)
        return Delivery(True, False, "heard")


class Bench:
    """An agent over scripted sources, beaten by the test."""

    def __init__(self, state_dir: Path, names: tuple[str, ...] = ("serving",)) -> None:
        self.clock, self.heard, self.hand, self.decided = ShiftableClock(), Heard(), None, None
        self.sources = {name: ScriptedSource() for name in names}
        targets = tuple(TargetSettings(name, PidPlace(number + 7)) for number, name in enumerate(names))
        self.settings = Settings(
            targets, str(state_dir), sample_every_seconds=BEAT_SECONDS, judge_every_seconds=4 * BEAT_SECONDS
        )
        self.begin()

    def begin(self) -> None:
        """An agent on what the one before left."""
        names = list(self.sources)
        self.telling = Telling([self.heard], Path(self.settings.state_dir), self.clock, names)
        self.agent = Agent(
            self.settings,
            self.clock,
            lambda target: [self.sources[target.name]],
            self.telling,
            self.hand,
            self.decided,
        )
        self.agent.start()

    def end(self) -> None:
        for source in self.sources.values():
            source.open.set()
        self.agent.close(1.0)
        self.telling.close()

    def until(self, condition: Callable[[], object]) -> None:
        """Beat until something holds."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, "it did not come to hold"
            self.agent.cycle()
            self.clock.slept += PACE_SECONDS
            time.sleep(BEAT_SECONDS)

    def beats(self, count: int) -> None:
        """So many beats with a new sample each."""
        for _ in range(count):
            before = sum(self.agent.looks.outcomes.values())
            self.until(lambda before=before: sum(self.agent.looks.outcomes.values()) > before)

    def said(self) -> list[tuple[str, str]]:
        """Stage and title of what was told."""
        return [(str(one.stage), one.title) for one in self.heard.notifications]

    def times(self, name: str = "serving") -> list[float]:
        """Times of what is kept of a target."""
        return [one.time_seconds for one in self.agent.history.samples(name, 0.0, 1e12)]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """Makes a bench on this test's own state folder; it is ended with the test."""
    made: list[Bench] = []

    def make(*names: str) -> Bench:
        made.append(Bench(tmp_path, names or ("serving",)))
        return made[-1]

    yield make
    for one in made:
        one.end()
