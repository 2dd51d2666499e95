"""Logs beside a trace: whose kills they are, and whether the trend led there."""

from dataclasses import replace

import numpy as np
import pytest

from detectors.types import Answer, Assessment, Incident, OomEvent, Shape, Trend, Verdict
from leakwatch.kills import LogEvidence, with_kills
from leakwatch.trace import Target, Trace

START, MIB, LIMIT = 1_790_000_000.0, 2**20, 512 * 2**20
KILLED_AT = START + 60 * 100 + 7
RESTARTED_AT = START + 60 * 101
CONTAINER_ID = "4f5e6d7c8b9a" * 5 + "0123"
POD_UID = "3f1c9e2a-1111-2222-3333-0123456789ab"


def trace(container: str | None = None, peak: float = 0.99) -> Trace:
    """Two lives of a container that grows to ``peak`` of its limit in 100 minutes and falls back."""
    time = START + 60.0 * np.arange(150)
    grown = np.linspace(0.2, peak, 101)
    level = LIMIT * np.concatenate((grown, grown[:49]))
    return Trace(Target("trace.csv", container), time, {"anon_bytes": level}, limit_bytes=float(LIMIT))


def assessment(*, leaks: bool = True, restarts: tuple[float, ...] = (RESTARTED_AT,)) -> Assessment:
    trend = Trend(12.1 * MIB / 3600, 11 * MIB / 3600, 13 * MIB / 3600, 150) if leaks else None
    answer = Answer.LEAK if leaks else Answer.NO_LEAK
    onset = START + 600 if leaks else None
    return Assessment(Verdict(answer, Shape.LINEAR, 0.99, "anon_bytes", trend, onset, restarts, ("seen",)))


def incident(**changes: object) -> Incident:
    killed = Incident(
        number=1,
        scope="container",
        victim="tensorflow_mode",
        pid=2210,
        cgroup="/kubepods/pod1/x",
        pod_uid=None,
        container_id=None,
        limit_bytes=LIMIT,
        usage_bytes=LIMIT,
        at=KILLED_AT,
        proves_oom=True,
        processes=(),
        because=("the kernel says so",),
        lines=(17,),
    )
    return replace(killed, **changes)  # type: ignore[arg-type]


def evidence(one: Incident, **fields: str) -> LogEvidence:
    told = {"process": one.victim or "", "pid": one.pid or 0, **fields}
    event = OomEvent("kernel_oom_kill", 17, 1, one.at, "Killed process", told, one.number, one.proves_oom)
    return LogEvidence((("kern.log", event),), (one,))


def said(result: Assessment) -> str:
    """The last sentence, which is the log's."""
    assert result.verdict.because[0] == "seen"
    return result.verdict.because[-1]


def test_a_kill_that_the_trend_led_to() -> None:
    """The sentence joins growth, limit, kill and victim, with their times and units."""
    result = with_kills(trace(), assessment(), evidence(incident()))
    assert said(result) == (
        "growth of 12.1 MiB/h since 2026-09-21T14:23:20Z reached the limit of 512 MiB; "
        "the kernel killed tensorflow_mode (pid 2210) at 2026-09-21T15:53:27Z"
    )
    assert [source for source, _ in result.oom_events] == ["kern.log"]


@pytest.mark.parametrize(
    ("change", "peak", "restarts", "words"),
    [
        ({}, 0.6, (RESTARTED_AT,), "a sudden allocation, for the last sample stood at 60 % of the limit of 512 MiB"),
        ({"scope": "child"}, 0.99, (), "and the container went on: no restart follows"),
        ({"at": START + 60 * 50}, 0.99, (), "and the container went on: no restart follows"),
        ({"scope": "node", "limit_bytes": None}, 0.6, (), "the node ran out of memory and the kernel killed"),
        ({"scope": "gpu", "limit_bytes": None}, 0.6, (), "memory of the GPU, not of the container, ran out"),
        ({"proves_oom": False, "because": ("exit code 137 alone",)}, 0.6, (RESTARTED_AT,), "prove no OOM kill"),
    ],
)
def test_a_kill_that_the_trend_did_not_lead_to(
    change: dict[str, object], peak: float, restarts: tuple[float, ...], words: str
) -> None:
    """A jump, a child, the node, the GPU, and what is no OOM at all are told apart."""
    assert words in said(with_kills(trace(peak=peak), assessment(restarts=restarts), evidence(incident(**change))))


def test_a_kill_after_which_the_memory_fell_is_a_restart() -> None:
    """The trace alone may not show it; one that it shows already is not told twice."""
    for seen in ((), (RESTARTED_AT,)):
        result = with_kills(trace(), assessment(restarts=seen), evidence(incident()))
        assert result.verdict.restarts == (RESTARTED_AT,)
        assert "reached the limit" in said(result)


def test_a_log_whose_clock_runs_late_tells_the_same_story() -> None:
    """40 s late, eight samples of the next life lie before the time in the log: not the level that led to it."""
    time = START + 5.0 * np.arange(150)
    quick = replace(trace(), time_seconds=time)
    restarted = float(time[101])
    on_time, late = (
        with_kills(quick, assessment(restarts=(restarted,)), evidence(incident(at=restarted + seconds)))
        for seconds in (-3.0, 40.0)
    )
    assert "reached the limit of 512 MiB" in said(on_time)
    assert "reached the limit of 512 MiB" in said(late)


def test_a_steady_container_at_its_limit() -> None:
    """Without a leak no growth is blamed."""
    sentence = said(with_kills(trace(), assessment(leaks=False), evidence(incident())))
    assert sentence.startswith("the kernel killed tensorflow_mode (pid 2210) at 2026-09-21T15:53:27Z, at 99 % of")


@pytest.mark.parametrize("at", [None, START - 3600, START + 86_400])
def test_what_lies_outside_the_trace_is_left_out(at: float | None) -> None:
    """A kill of yesterday, of tomorrow, or of no known time says nothing about this trace."""
    result = with_kills(trace(), assessment(), evidence(incident(at=at)))
    assert (result.oom_events, result.verdict.because) == ((), ("seen",))


@pytest.mark.parametrize(
    ("container", "fields", "limit", "joined"),
    [
        (None, {"container": "other"}, LIMIT, True),
        ("serving", {}, LIMIT, True),
        ("serving", {"container": "serving"}, LIMIT, True),
        ("serving", {"container": "sidecar"}, LIMIT, False),
        ("serving-7f9c", {"pod": "serving-7f9c"}, LIMIT, True),
        (f"k8s_serving_{CONTAINER_ID}", {"container_id": CONTAINER_ID}, LIMIT, True),
        (CONTAINER_ID[:12], {"container_id": CONTAINER_ID}, LIMIT, True),
        ("0123456789ab", {"container_id": CONTAINER_ID}, LIMIT, False),
        (f"pod{POD_UID.replace('-', '_')}", {"pod_uid": POD_UID}, LIMIT, True),
        (f"pod{POD_UID}", {"pod_uid": POD_UID.replace("3f", "4f")}, LIMIT, False),
        ("serving", {}, LIMIT // 2, False),
        ("serving", {}, None, True),
    ],
)
def test_another_containers_kill_is_left_out(
    container: str | None, fields: dict[str, str], limit: int | None, joined: bool
) -> None:
    """By name, id, pod and limit where both sides have them; what cannot be told apart stays."""
    result = with_kills(trace(container), assessment(), evidence(incident(limit_bytes=limit), **fields))
    assert bool(result.oom_events) == joined


def test_many_kills_are_counted() -> None:
    """A container killed every hour does not fill the screen."""
    many = [evidence(incident(number=i, at=KILLED_AT + i)) for i in range(1, 8)]
    joined = LogEvidence(tuple(e for one in many for e in one.events), tuple(i for one in many for i in one.incidents))
    because = with_kills(trace(), assessment(), joined).verdict.because
    assert len(because) == 5
    assert because[-1].startswith("the logs prove 7 kills for want of memory in this trace, the last at")


def test_a_trace_without_samples() -> None:
    """A header alone has no time that anything could fall into."""
    empty = Trace(Target("trace.csv"), np.array([]), {})
    assert with_kills(empty, assessment(), evidence(incident())).oom_events == ()
