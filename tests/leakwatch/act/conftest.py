"""An acting agent in a folder of its own, around stand-ins at the ports."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from leakwatch.act.acting import Acting
from leakwatch.act.decision import Decision, Happening, Ruling
from leakwatch.settings import ActSettings
from tests.fakes.acting import FakeProbe, FakeRestarter, HandClock

ACTIVE = ActSettings(dry_run=False, drain_seconds=0.0)
DEADLINE_SECONDS = 30.0


class Scene:
    """One target ``serving``, its backend, its probe, and the agents that come and go."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir, self.clock = state_dir, HandClock()
        self.restarter, self.probe = FakeRestarter(), FakeProbe()
        self.settings = ACTIVE
        self.told: list[Happening] = []
        self.acting: Acting | None = None

    def start(self, **settings: Any) -> Acting:
        """An agent; the one before ends first."""
        self.stop()
        restarters, probes = {"serving": [self.restarter]}, {"serving": [self.probe]}
        self.acting = Acting(self.settings, self.state_dir, restarters, probes, self.clock, "boot")
        return self.acting

    def stop(self) -> None:
        if self.acting is not None:
            self.hear()
            self.acting.close()
            self.acting = None

    def act_on(self, case: Any) -> Decision:
        """Considers and, where that is the ruling, acts until it is over."""
        assert self.acting is not None
        decision = self.acting.consider(case)
        if decision.ruling is Ruling.ACT:
            assert self.acting.begin(decision)
            self.wait(lambda: not self.acting.busy())
        self.hear()
        return decision

    def hear(self) -> None:
        assert self.acting is not None
        self.told += self.acting.happenings()

    def whats(self) -> list[str]:
        """What was told, but for decisions."""
        return [one.what.value for one in self.told if one.what.value != "decided"]

    def wait(self, condition: Callable[[], Any]) -> None:
        end = time.monotonic() + DEADLINE_SECONDS
        while not condition():
            assert time.monotonic() < end, "it did not come to that in time"
            time.sleep(0.005)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A scene whose agent is ended afterwards."""
    scene = Scene(tmp_path)
    yield scene
    scene.stop()
