"""Asking around: what hangs, fails or breaks costs its own answer, and no beat."""

import logging
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from leakwatch.agent.survey import LONGEST_SECONDS, Survey
from leakwatch.errors import SourceError
from playbooks.types import Deployment, ProcessState, ServerState

DEADLINE_SECONDS = 60.0


class Clock:
    """One that the test moves."""

    at = 100.0

    def now(self) -> float:
        return self.at

    def steady(self) -> float:
        return self.at


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Holds up a question; opened at the end, so that no thread outlives its test."""
    event = threading.Event()
    yield event
    event.set()


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_answers_come_in_the_order_of_the_questions() -> None:
    """What the process shows outweighs what its manifest says, whoever answers first."""
    survey = Survey("serving", Clock())
    survey.begin({"deployment": lambda: (Deployment(),), "process": lambda: (ProcessState(),)})
    until(lambda: survey.is_over)
    assert survey.states() == (Deployment(), ProcessState())


def test_what_hangs_is_unknown_and_still_counts_when_it_comes(gate: threading.Event) -> None:
    """To begin returns at once; after its time the others' answers stand, and the late one is news."""
    clock = Clock()
    survey = Survey("serving", clock)

    def hangs() -> tuple[ServerState]:
        gate.wait(DEADLINE_SECONDS)
        return (ServerState(kind="triton"),)

    survey.begin({"server": hangs, "process": lambda: (ProcessState(),)})
    until(lambda: bool(survey.states()))
    assert not survey.is_over
    clock.at += LONGEST_SECONDS
    assert survey.is_over and survey.states() == (ProcessState(),) and not survey.has_news
    gate.set()
    until(lambda: survey.has_news)
    assert survey.states() == (ServerState(kind="triton"), ProcessState()) and not survey.has_news


def test_what_hangs_is_asked_once(gate: threading.Event) -> None:
    """A source that never answers holds one thread, however often the cause is sought."""
    survey, asked = Survey("serving", Clock()), []

    def hangs() -> tuple[ServerState, ...]:
        asked.append(1)
        gate.wait(DEADLINE_SECONDS)
        return ()

    for _ in range(20):
        survey.begin({"server": hangs})
    until(lambda: bool(asked))
    assert len(asked) == 1


def test_failures_are_said_once_and_cost_their_own_answer(caplog: pytest.LogCaptureFixture) -> None:
    """A refusal is told in a line that acts on no terminal; a fault of ours by its type, which bears no secret."""

    def refused() -> tuple[ServerState, ...]:
        raise SourceError("kubernetes", "pods of \x1b[2Jml: 403", "grant the right to get pods")

    def broken() -> tuple[ServerState, ...]:
        raise RuntimeError("hunter2")

    survey = Survey("serv\ning", Clock())
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            survey.begin({"deployment": refused, "server": broken, "process": lambda: (ProcessState(),)})
            until(lambda: survey.is_over)
            assert survey.states() == (ProcessState(),)
    said = [record.getMessage() for record in caplog.records]
    assert [one for one in said if "403" in one] == [
        "serv\\ning: the cause is sought without its deployment: kubernetes: pods of \\x1b[2Jml: 403; "
        "grant the right to get pods"
    ]
    assert "hunter2" not in "".join(said) and any("RuntimeError" in one for one in said)
