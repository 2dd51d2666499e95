"""Facts say what the trace holds and no more; the tree follows from the verdict."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.types import (
    Answer,
    Assessment,
    Attribution,
    Forecast,
    Interval,
    ModelShare,
    Shape,
    Trend,
    Verdict,
)
from leakwatch.diagnose import diagnose, facts_of_trace
from leakwatch.trace import Target, Trace
from playbooks.vocabulary import FACTS

MIB = 2.0**20


def a_trace(columns: Mapping[str, Sequence[float]], limit_bytes: float | None = None) -> Trace:
    arrays = {name: np.array(column, dtype=np.float64) for name, column in columns.items()}
    length = max((len(column) for column in arrays.values()), default=0)
    return Trace(Target("trace.csv"), 60.0 * np.arange(length), arrays, limit_bytes)


def an_assessment(
    answer: Answer = Answer.LEAK, shape: Shape = Shape.LINEAR, restarts: Sequence[float] = (), **more: Any
) -> Assessment:
    trend = Trend(10.0, 9.0, 11.0, 100) if answer is Answer.LEAK else None
    return Assessment(Verdict(answer, shape, 0.9, "anon_bytes", trend, None, tuple(restarts), ("so",)), **more)


def values(trace: Trace, assessment: Assessment) -> dict[str, Any]:
    return {fact.name: fact.value for fact in facts_of_trace(trace, assessment)}


@pytest.mark.parametrize(
    ("answer", "shape", "playbook"),
    [
        (Answer.LEAK, Shape.LINEAR, "memory_leak"),
        (Answer.LEAK, Shape.STEPS, "memory_leak"),
        (Answer.NO_LEAK, Shape.PLATEAU, "growth_that_is_no_leak"),
        (Answer.UNDECIDED, Shape.DECELERATING, "growth_that_is_no_leak"),
        (Answer.UNDECIDED, Shape.LINEAR, "growth_that_is_no_leak"),
        (Answer.NO_LEAK, Shape.FLAT, None),
        (Answer.UNDECIDED, Shape.TOO_SHORT, None),
    ],
)
def test_the_verdict_picks_the_tree(answer: Answer, shape: Shape, playbook: str | None) -> None:
    """A leak and growth that is none have each their tree; what is flat or too short has none."""
    diagnosis = diagnose(a_trace({"anon_bytes": [1.0] * 30}), an_assessment(answer, shape))
    assert (diagnosis and diagnosis.playbook) == playbook


def test_the_whole_way() -> None:
    """A leak by the requests of one model ends there, and the evidence names the model and the numbers."""
    attribution = Attribution(
        Interval(1500.0, 1400.0, 1600.0),
        (
            ModelShare("resnet", Interval(1800.0, 1700.0, 1900.0), 0.8),
            ModelShare("bert", Interval(300.0, 100.0, 500.0), 0.2),
        ),
        "requests",
    )
    diagnosis = diagnose(a_trace({"anon_bytes": [1.0, 2.0, 3.0]}), an_assessment(attribution=attribution))
    assert diagnosis is not None and diagnosis.cause.startswith("One model's requests")
    assert [answered.evidence for answered in diagnosis.path][-4:-2] == [
        "the growth follows the request count better than the clock; each request leaves 1500 bytes behind",
        "requests of resnet hold 80% of the leak",
    ]


def test_nothing_is_invented() -> None:
    """A trace with a memory column alone gives no fact about requests, threads, loads, cache or time left."""
    assert set(values(a_trace({"anon_bytes": [1.0, 2.0, 3.0]}), an_assessment())) == {
        "verdict",
        "shape",
        "metric",
        "restarts",
        "limit_known",
    }


def test_restarts_at_the_limit() -> None:
    """Only restarts that the memory's last samples meet near the limit of that moment count as OOM-like."""
    level = [10, 50, 95, 5, 20, 30, 5, 60, 80, 5]  # falls at the samples 3, 6 and 9
    trace = a_trace({"anon_bytes": level}, limit_bytes=100.0)
    found = values(trace, an_assessment(restarts=[180.0, 360.0, 540.0]))
    assert (found["restarts"], found["oom_like_restarts"], found["peak_limit_ratio"]) == (3, 1, 0.95)
    lowered = a_trace({"anon_bytes": level, "limit_bytes": [100.0] * 6 + [85.0] * 4}, limit_bytes=85.0)
    assert values(lowered, an_assessment(restarts=[180.0, 360.0, 540.0]))["oom_like_restarts"] == 2
    raised = a_trace({"anon_bytes": level, "limit_bytes": [100.0] * 6 + [200.0] * 4}, limit_bytes=200.0)
    assert values(raised, an_assessment(restarts=[180.0, 360.0, 540.0]))["oom_like_restarts"] == 1


def test_a_restart_after_an_outage() -> None:
    """A container that was down for a while after its kill fell from the level before the outage."""
    level = [10, 60, 97, 99, 0, 0, 0, 0, 15, 20, 90, 55, 60, 0, 0, 15]
    found = values(a_trace({"anon_bytes": level}, limit_bytes=100.0), an_assessment(restarts=[480.0, 900.0]))
    assert (found["restarts"], found["oom_like_restarts"]) == (2, 1)


def test_no_limit() -> None:
    """Without a limit nothing is said about nearness to it; with one, the time left is the low end of the forecast."""
    found = values(a_trace({"anon_bytes": [1.0] * 9}), an_assessment(restarts=[120.0]))
    assert found["limit_known"] is False
    assert not {"oom_like_restarts", "peak_limit_ratio", "time_to_limit_seconds"} & set(found)
    limited = values(a_trace({"anon_bytes": [1.0] * 9}, 10.0), an_assessment(forecast=Forecast(900.0, 600.0, None)))
    assert (limited["limit_known"], limited["time_to_limit_seconds"], limited["oom_like_restarts"]) == (True, 600.0, 0)


@pytest.mark.parametrize(
    ("columns", "loads"),
    [
        ({"model_loads_total": [3, 3, 4, 6]}, 3),
        ({"model_loads_total": [3, np.nan, 4, 0, 1]}, 2),
        ({"model_loads_total:a": [1, 1, 2], "model_loads_total:b": [1, 2, 3]}, 3),
        ({"model_loads_total": [0, 1, 1], "model_loads_total:a": [0, 1, 1]}, 1),
        ({"model_loads_total": [np.nan, np.nan, np.nan]}, None),
        ({"anon_bytes": [1, 2, 3]}, None),
    ],
)
def test_model_loads(columns: dict[str, list[float]], loads: float | None) -> None:
    """Loads during the trace are counted, those before it and resets of the counter are not, nor any of them twice."""
    assert values(a_trace(columns), an_assessment()).get("model_loads") == loads


def test_threads_and_shares() -> None:
    """Threads are compared, and growth is shared out, between the ends of the last life, outliers aside."""
    rising = np.linspace(0.0, 100.0 * MIB, 100)
    trace = a_trace(
        {
            "usage_bytes": np.concatenate([[9e9] * 20, rising]).tolist(),
            "file_bytes": np.concatenate([[0.0] * 20, 0.75 * rising]).tolist(),
            "shmem_bytes": [5.0] * 120,
            "threads": [500.0] * 20 + [4.0] * 50 + [900.0] + [12.0] * 49,
        }
    )
    found = values(trace, an_assessment(restarts=[60.0 * 19]))
    assert found["threads_ratio"] == 3.0
    assert found["page_cache_share"] == pytest.approx(0.75)
    assert found["shmem_share"] == 0.0
    level = a_trace({"usage_bytes": [5.0] * 30, "file_bytes": [5.0] * 30})
    assert "page_cache_share" not in values(level, an_assessment())


def test_the_metrics_page() -> None:
    """The page's size at the end is told as a multiple of that at the start."""
    assert values(a_trace({"page_bytes": [100.0] * 10 + [300.0] * 10}), an_assessment())["page_ratio"] == 3.0


def test_what_the_host_has_left() -> None:
    """The host's memory is told as a multiple of what the container holds."""
    trace = a_trace({"anon_bytes": [1.0 * MIB, 2.0 * MIB], "host_available_bytes": [9.0 * MIB, 1.0 * MIB]})
    assert values(trace, an_assessment())["host_left_ratio"] == 0.5
    assert "host_left_ratio" not in values(a_trace({"anon_bytes": [1.0, 2.0]}), an_assessment())


NUMBERS = st.just(float("nan")) | st.floats(0, 1e15)


@given(
    answer=st.sampled_from(Answer),
    shape=st.sampled_from(Shape),
    rows=st.integers(0, 12),
    names=st.sets(
        st.sampled_from(["anon_bytes", "usage_bytes", "file_bytes", "threads", "model_loads_total", "limit_bytes"])
    ),
    limit=st.none() | st.floats(1.0, 1e12),
    restarts=st.lists(st.floats(-100, 1000), max_size=3),
    follows=st.none() | st.sampled_from(["requests", "time", "unclear"]),
    data=st.data(),
)
@settings(max_examples=80, deadline=None)
def test_any_trace_is_diagnosed(
    answer: Answer,
    shape: Shape,
    rows: int,
    names: set[str],
    limit: float | None,
    restarts: list[float],
    follows: str | None,
    data: st.DataObject,
) -> None:
    """Whatever columns a trace has, its facts are the vocabulary's in name and type, and the walk ends."""
    columns = {name: data.draw(st.lists(NUMBERS, min_size=rows, max_size=rows)) for name in sorted(names)}
    trace = a_trace(columns, limit)
    attribution = None if follows is None else Attribution(None, (), follows)
    assessment = an_assessment(answer, shape, sorted(restarts), attribution=attribution)
    assert all(FACTS[fact.name].fits(fact.value) and fact.because for fact in facts_of_trace(trace, assessment))
    assert diagnose(trace, assessment) == diagnose(trace, assessment)


def test_a_limit_below_a_byte_gives_no_infinite_share() -> None:
    """Dirt in the limit's column: facts stay finite, and the walk ends."""
    trace = a_trace({"anon_bytes": [1.0] * 4, "limit_bytes": [5e-324] * 4}, 1.0)
    facts = {fact.name for fact in facts_of_trace(trace, an_assessment(Answer.LEAK, Shape.LINEAR, []))}
    assert "peak_limit_ratio" not in facts
