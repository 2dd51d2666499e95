"""What an agent knows beside the numbers reaches the tree: its process, and the kills of this leak alone."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from detectors.types import Answer, Incident, Level, LiveVerdict, Shape, Trend
from leakwatch.agent.diagnosing import AGAIN_SECONDS, Cause, diagnosed, is_due, matter_of
from leakwatch.agent.target_state import TargetState
from leakwatch.sample.history import History
from leakwatch.settings import ConditionSettings, PidPlace, TargetSettings
from leakwatch.surroundings import questions_about
from leakwatch.trace import Sample
from playbooks.types import Diagnosis

START, HOUR = 1_790_000_000.0, 3600.0
NOW = START + 4 * HOUR
TREND = Trend(1e4, 9e3, 1.1e4, 200)
LEAK = LiveVerdict(
    Level.LEAK, Answer.LEAK, Shape.LINEAR, "anon_bytes", TREND, START + HOUR, None, None, ("it grows",), START
)
KILL = Incident(1, "container", "python", 7, None, None, None, None, None, NOW, True, (), ("the kernel killed it",), ())
NOBODY = 2**22 + 1  # above the kernel's largest pid


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    """Four hours of growth of 10 kB/s, with ever more threads."""
    kept = History(tmp_path / "history.sqlite", NOW)
    for minute in range(240):
        values = {"anon_bytes": 1e8 + 6e5 * minute, "limit_bytes": 1e9, "threads": 10.0 + minute}
        kept.add("serving", Sample(START + 60.0 * minute, values))
    kept.flush(NOW)
    yield kept
    kept.close()


def state(*incidents: Incident, verdict: LiveVerdict | None = LEAK) -> TargetState:
    one = TargetState(TargetSettings("serving", PidPlace(7)), ConditionSettings())
    one.verdict = verdict
    for incident in incidents:
        one.observe_incident("own.log", incident, "kernel_oom_kill", NOW, own_log=True)
    return one


def cause_of(history: History, one: TargetState, pid: int | None = None) -> Diagnosis | None:
    questions = questions_about(one.target, pid, (), NOW)
    around = [answer for question in questions.values() for answer in question()]
    return diagnosed(one, matter_of(one, NOW), history, None, NOW, around).diagnosis


def diagnosis_of(
    history: History, *incidents: Incident, verdict: LiveVerdict | None = LEAK, pid: int | None = None
) -> Diagnosis:
    found = cause_of(history, state(*incidents, verdict=verdict), pid)
    assert found is not None
    return found


def test_the_process_is_asked(history: History) -> None:
    """What a process shows answers questions that its numbers cannot; one that cannot be seen says nothing."""
    question = "Is it an ARM machine (aarch64)?"
    seen = {one.ask: one for one in diagnosis_of(history, pid=os.getpid()).path}
    assert seen[question].evidence == f"the machine is {os.uname().machine}"
    unseen = {one.ask: one for one in diagnosis_of(history, pid=NOBODY).path}
    assert unseen[question].answer == "unknown"
    assert diagnosis_of(history) == diagnosis_of(history, pid=NOBODY)


def test_kills_after_the_onset_count(history: History) -> None:
    """A kill of this leak leads into the tree of kills; one from before it is another story."""
    assert diagnosis_of(history, KILL).playbook == "oom_killed"
    assert diagnosis_of(history, replace(KILL, at=START)).playbook == "memory_leak"


def test_a_suspicion_has_no_remedy(history: History) -> None:
    """While the verdict is undecided nothing is proposed to a machine."""
    assert diagnosis_of(history).remedy is not None
    suspected = replace(LEAK, level=Level.SUSPECTED, verdict=Answer.UNDECIDED)
    assert diagnosis_of(history, verdict=suspected).remedy is None


QUIET = LiveVerdict(Level.QUIET, Answer.NO_LEAK, Shape.FLAT, "anon_bytes", None, None, None, None, ("flat",), START)


@pytest.mark.parametrize("verdict", [QUIET, None])
def test_a_kill_without_a_leak_has_a_cause(history: History, verdict: LiveVerdict | None) -> None:
    """Whoever is woken by a kill is told what it was and what to do, also where nothing leaks or nobody judged yet."""
    assert diagnosis_of(history, KILL, verdict=verdict).playbook == "oom_killed"


@pytest.mark.parametrize(
    ("name", "values", "playbook"),
    [
        ("latency:resnet", {"latency_p95_seconds:resnet": 3.0}, "slow_predictions"),
        ("queue:resnet", {"queue_seconds:resnet": 30.0}, "slow_predictions"),
    ],
)
def test_a_condition_has_a_cause(history: History, name: str, values: dict[str, float], playbook: str) -> None:
    """What holds beside a leak is asked for its cause as well; a leak is the better one."""
    for verdict, expected in ((QUIET, playbook), (LEAK, "memory_leak")):
        one = state(verdict=verdict)
        for second in range(0, 600, 60):
            one.observe_conditions(Sample(NOW - 600 + second, values))
        assert matter_of(one, NOW).conditions == {name}
        found = cause_of(history, one)
        assert found is not None and found.playbook == expected


def test_a_quiet_target_needs_no_cause() -> None:
    """Nothing is asked of anybody while all is well; a new matter is asked for at once, the same one later again."""
    assert not is_due(None, matter_of(state(verdict=QUIET), NOW), NOW)
    leak = matter_of(state(), NOW)
    known = Cause(NOW, leak, None, {}, None)
    assert is_due(None, leak, NOW) and not is_due(known, leak, NOW) and is_due(known, leak, NOW + AGAIN_SECONDS)
    assert is_due(known, matter_of(state(KILL), NOW), NOW)
