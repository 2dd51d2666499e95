"""What logs and exit codes tell becomes facts, and no more than they tell."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.types import Answer, Assessment, Incident, OomEvent, Shape, Verdict
from leakwatch.diagnose import (
    facts_of_exit_code,
    facts_of_incidents,
    facts_of_kills,
    facts_of_trace,
    without_doubts,
)
from leakwatch.diagnose.kill_facts import facts_of_kill, last_incident
from leakwatch.trace import Target, Trace
from playbooks.types import Fact
from playbooks.vocabulary import FACTS


def incident(number: int = 1, scope: str = "container", proven: bool = True, at: float | None = 0.0) -> Incident:
    nothing: dict[str, Any] = dict.fromkeys(("pid", "cgroup", "pod_uid", "container_id", "limit_bytes", "usage_bytes"))
    return Incident(
        number=number,
        scope=scope,
        victim="server",
        at=at,
        proves_oom=proven,
        processes=(),
        because=("the limit was hit", "the kernel killed server"),
        lines=(1,),
        **nothing,
    )


def event(kind: str, number: int | None = 1, **fields: Any) -> OomEvent:
    return OomEvent(kind, 1, 1, None, "", fields, number, False)


def values(facts: tuple[Fact, ...]) -> dict[str, Any]:
    return {fact.name: fact.value for fact in facts}


def test_a_proven_kill() -> None:
    """A proven kill is told with its scope, the most telling kind of its lines, and how the process ended."""
    events = [event("k8s_status_oomkilled", exit_code=137), event("kernel_oom_kill"), event("kernel_oom_invoked")]
    facts = facts_of_incidents([incident()], events)
    assert values(facts) == {
        "oom_proven": True,
        "oom_scope": "container",
        "oom_kind": "kernel_oom_kill",
        "ended_by": "sigkill",
    }
    assert facts[0].because == "the kernel killed server"


def test_no_logs_tell_nothing() -> None:
    """Without an incident or an event whether memory ran out stays unknown; an event that proves nothing says no."""
    assert facts_of_incidents([], []) == ()
    told = values(facts_of_incidents([incident(proven=False)], [event("process_killed_137")]))
    assert (told["oom_proven"], told["ended_by"]) == (False, "sigkill")


def test_which_incident_counts() -> None:
    """The last one that is proven, else the last; lines of others tell nothing about it."""
    early, late, doubtful = incident(1, at=10.0), incident(2, "child", at=20.0), incident(3, proven=False, at=30.0)
    assert last_incident([late, doubtful, early]) is late
    assert last_incident([doubtful]) is doubtful
    assert last_incident([]) is None
    told = values(facts_of_incidents([early, late], [event("kernel_oom_kill", 2), event("jvm_oom", 1, exit_code=3)]))
    assert (told["oom_scope"], told["oom_kind"]) == ("child", "kernel_oom_kill")
    assert "ended_by" not in told


@pytest.mark.parametrize(
    ("code", "word"),
    [
        (0, "success"),
        (1, "error"),
        (132, "illegal_instruction"),
        (134, "abort"),
        (137, "sigkill"),
        (139, "segfault"),
        (143, "sigterm"),
        (255, "error"),
    ],
)
def test_exit_codes(code: int, word: str) -> None:
    """An exit code is named as a shell means it."""
    (fact,) = facts_of_exit_code(code)
    assert fact == Fact("ended_by", word, f"it ended with exit code {code}")


def test_where_the_memory_stood(made: Any) -> None:
    """The level before a kill, the load before it and the process's age are measured back from the kill."""
    trace = made.trace(
        {"anon_bytes": [50, 60, 70, 80, 90, 5, 10], "model_loads_total": [1, 1, np.nan, 2, 2, 0, 1]}, limit_bytes=100.0
    )
    assessment = made.assessment(restarts=[60.0, 300.0])
    for at in (241.0, 270.0, 300.0, 320.0):  # a log's clock may be a little off: the trace shows when it restarted
        assert values(facts_of_kill(trace, assessment, at)) == {
            "level_before_kill_ratio": 0.9,
            "seconds_load_to_kill": 120.0,
            "seconds_start_to_kill": 240.0,
        }
    assert values(facts_of_kill(trace, assessment, 270.0, 180.0))["level_before_kill_ratio"] == 0.5
    child = made.assessment()  # no restart follows: the container went on
    assert values(facts_of_kill(trace, child, 185.0))["level_before_kill_ratio"] == 0.8


def test_kills_of_a_trace(made: Any) -> None:
    """What the logs tell and where the memory stood come together, for an incident that has a time."""
    trace = made.trace({"anon_bytes": [50, 60, 70, 80, 90, 95, 99]}, limit_bytes=100.0)
    told = values(facts_of_kills(trace, made.assessment(), [incident(1, at=200.0), incident(2, at=270.0)]))
    assert (told["oom_proven"], told["level_before_kill_ratio"]) == (True, 0.9)
    assert "level_before_kill_ratio" not in values(facts_of_kills(trace, made.assessment(), [incident(at=None)]))
    assert facts_of_kills(trace, made.assessment(), []) == ()


def test_kills_that_the_cgroup_counted(made: Any) -> None:
    """A count that rises proves a kill; one that stands still proves nothing, for a new container has a new count."""
    risen = made.trace({"anon_bytes": [5, 90, 5], "oom_kills_total": [1, 1, 2]}, limit_bytes=100.0)
    told = values(facts_of_trace(risen, made.assessment()))
    assert (told["oom_proven"], told["level_before_kill_ratio"]) == (True, 0.9)
    still = made.trace({"anon_bytes": [5, 90, 5], "oom_kills_total": [1, 1, 1]}, limit_bytes=100.0)
    assert "oom_proven" not in values(facts_of_trace(still, made.assessment()))


def test_kills_before_the_growth(made: Any) -> None:
    """A kill from before the onset of a leak, or before the trace, has another cause and is not told."""
    trace = made.trace({"anon_bytes": [1.0] * 50, "oom_kills_total": [0.0] * 5 + [1.0] * 45}, limit_bytes=100.0)
    old, recent = incident(1, at=600.0), incident(2, at=2400.0)
    leak = made.assessment()
    later = replace(leak, verdict=replace(leak.verdict, onset=1800.0))
    assert values(facts_of_kills(trace, leak, [old]))["oom_proven"] is True
    assert facts_of_kills(trace, later, [old], [event("kernel_oom_kill")]) == ()
    assert values(facts_of_kills(trace, later, [old, recent]))["oom_proven"] is True
    assert facts_of_kills(trace, leak, [incident(at=-1000.0)]) == ()
    assert "oom_proven" in values(facts_of_trace(trace, leak))
    assert "oom_proven" not in values(facts_of_trace(trace, later))


def test_a_proof_is_not_undone() -> None:
    """What one source proves, another that saw nothing does not take back; without a proof the doubt stands."""
    proof, doubt = Fact("oom_proven", True, "counted"), Fact("oom_proven", False, "no line")
    assert without_doubts([proof, doubt]) == (proof,)
    assert without_doubts([doubt]) == (doubt,)


def test_a_start_that_the_trace_does_not_show(made: Any) -> None:
    """A process whose start was not seen is only said to be old where it was watched for an hour before the kill."""
    short, long = made.trace({"anon_bytes": [1.0] * 10}), made.trace({"anon_bytes": [1.0] * 100})
    assert "seconds_start_to_kill" not in values(facts_of_kill(short, made.assessment(), 540.0))
    assert values(facts_of_kill(long, made.assessment(), 5900.0))["seconds_start_to_kill"] == 5900.0


@given(
    level=st.lists(st.floats(0, 1e12) | st.just(float("nan")), max_size=20),
    at=st.floats(-1e4, 1e4),
    limit=st.none() | st.floats(0, 1e12),
    restarts=st.lists(st.floats(-1e4, 1e4), max_size=3),
)
def test_any_kill(level: list[float], at: float, limit: float | None, restarts: list[float]) -> None:
    """Wherever a kill lies, its facts are the vocabulary's in name and type."""
    arrays = {"anon_bytes": np.array(level, dtype=np.float64)}
    trace = Trace(Target("t"), 60.0 * np.arange(len(level)), arrays, limit)
    verdict = Verdict(Answer.LEAK, Shape.LINEAR, 0.9, "anon_bytes", None, None, tuple(sorted(restarts)), ())
    for fact in facts_of_kill(trace, Assessment(verdict), at):
        assert FACTS[fact.name].fits(fact.value) and fact.because
