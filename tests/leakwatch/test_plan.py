"""A plan is a sum whose every number has its ground, and what it proposes passes lint."""

import dataclasses
import math
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakwatch import detect
from leakwatch.errors import LeakwatchError
from leakwatch.lint.check import lint
from leakwatch.plan import HEADROOM_SHARE, LOAD_FACTOR, Wanted, plan
from leakwatch.proposal import Basis
from leakwatch.tell.plan_screen import batching_file, manifest
from leakwatch.trace import Target, Trace

GIB, MIB = 2**30, 2**20
WANTED = st.builds(
    Wanted,
    st.lists(st.floats(MIB, 100 * GIB), min_size=1, max_size=4).map(tuple),
    st.integers(1, 5),
    st.booleans(),
    st.none() | st.integers(1, 10_000),
    st.none() | st.integers(1, 256),
    st.none() | st.floats(1, 16 * MIB),
    st.floats(60, 1e7),
    st.none() | st.floats(0.0001, 10),
)


def trace(slope_bytes_per_second: float, samples: int = 2000) -> Trace:
    """A server that holds 2 GiB and a little noise, and grows."""
    random = np.random.default_rng(5)
    seconds = 1.79e9 + 30.0 * np.arange(samples)
    level = 2 * GIB + random.normal(0, 2 * MIB, samples) + slope_bytes_per_second * 30.0 * np.arange(samples)
    return Trace(Target("trace.csv"), seconds, {"anon_bytes": level}, 8 * GIB)


@given(WANTED)
def test_the_limit_is_the_sum_rounded_up(wanted: Wanted) -> None:
    """No less than its parts, and less than 256 MiB more; the request is positive and within it."""
    proposal = plan(wanted)
    whole = sum(part.value_bytes for part in proposal.parts)
    assert whole <= proposal.limit_bytes < whole + 256 * MIB + 1
    assert 0 < proposal.request_bytes <= proposal.limit_bytes
    assert proposal.limit_bytes % MIB == proposal.request_bytes % MIB == 0
    assert all(part.value_bytes >= 0 and part.arithmetic and part.source for part in proposal.parts)
    assert all(one.value and one.source for one in proposal.assumptions)


@given(WANTED)
def test_more_of_anything_never_needs_less(wanted: Wanted) -> None:
    """A larger model, another version, more clients: the limit does not fall."""
    limit = plan(wanted).limit_bytes
    larger = dataclasses.replace(wanted, model_bytes=tuple(2 * one for one in wanted.model_bytes))
    assert plan(larger).limit_bytes >= limit
    assert plan(dataclasses.replace(wanted, versions=wanted.versions + 1)).limit_bytes >= limit
    if wanted.clients is not None:
        assert plan(dataclasses.replace(wanted, clients=2 * wanted.clients)).limit_bytes >= limit


def test_the_arithmetic_by_hand() -> None:
    """2 GiB in two versions, a third beside them during a swap, each 1.2 times its files."""
    parts = {part.name: part.value_bytes for part in plan(Wanted((2.0 * GIB,), versions=2)).parts}
    assert parts["models"] == pytest.approx(4 * LOAD_FACTOR * GIB)
    assert parts["swap in place"] == pytest.approx(2 * LOAD_FACTOR * GIB)
    rest = sum(value for name, value in parts.items() if name != "allocator headroom")
    assert parts["allocator headroom"] == pytest.approx(HEADROOM_SHARE * rest)
    assert "swap in place" not in {part.name for part in plan(Wanted((2.0 * GIB,), swaps_in_place=False)).parts}


@given(WANTED)
def test_what_is_proposed_passes_lint(wanted: Wanted) -> None:
    """The batching file has no finding, and the limit holds two versions of the model."""
    proposal = plan(dataclasses.replace(wanted, model_bytes=wanted.model_bytes[:1], swaps_in_place=True, versions=1))
    resources = "\n".join(f"      {line}" for line in manifest(proposal).splitlines())
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n    - name: a\n"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        (path / "pod.yaml").write_text(f"{pod}      image: tensorflow/serving:2.19.1\n{resources}\n")
        if proposal.batching is not None:
            (path / "batching.config").write_text(batching_file(proposal.batching) + "\n")
        report = lint([folder], model_size_bytes=wanted.model_bytes[0])
    found = {finding.rule for finding in report.findings if not finding.rule.startswith(("no-readiness", "monitoring"))}
    assert found == set()


def test_a_trace_takes_the_place_of_thumbs() -> None:
    """The level is the measured one; what is left of thumbs is the headroom."""
    measured = trace(0.0)
    proposal = plan(Wanted(), (measured, detect.assess(measured)))
    [level, headroom] = proposal.parts
    assert level.basis is Basis.MEASURED and level.value_bytes == pytest.approx(2 * GIB, rel=0.02)
    assert headroom.basis is Basis.THUMB
    assert proposal.seconds_to_limit is None and proposal.cost is None


def test_a_leak_is_taken_off_the_level_and_kept_for() -> None:
    """The level is that without the leak; the growth is the high end of its slope times the time between restarts."""
    measured = trace(2000.0)
    wanted = Wanted(keep_seconds=86_400.0, price_per_gib_hour=0.01)
    assessment = detect.assess(measured)
    proposal = plan(wanted, (measured, assessment))
    parts = {part.name: part.value_bytes for part in proposal.parts}
    assert assessment.verdict.trend is not None
    assert parts["level"] == pytest.approx(2 * GIB, rel=0.03)
    assert parts["growth of the leak"] == pytest.approx(assessment.verdict.trend.high * 86_400)
    assert parts["allocator headroom"] == pytest.approx(HEADROOM_SHARE * parts["level"])
    trend = assessment.verdict.trend
    assert proposal.seconds_to_limit == pytest.approx(86_400 * trend.high / trend.slope_per_second)
    assert proposal.cost is not None
    assert proposal.cost.memory_per_month == pytest.approx(proposal.limit_bytes / GIB * 7.3)
    assert proposal.cost.leak_per_month == pytest.approx(parts["growth of the leak"] / GIB * 7.3)
    assert any("it leaks" in note for note in proposal.notes)


def test_a_swap_comes_on_top_of_a_trace() -> None:
    """A trace without a swap does not show one; with the model's size it is added."""
    measured = trace(0.0)
    with_swap = plan(Wanted((1.0 * GIB,)), (measured, detect.assess(measured)))
    assert {part.name for part in with_swap.parts} == {"level", "swap in place", "allocator headroom"}


def test_too_short_a_trace_is_one_error() -> None:
    """A header alone has no level."""
    measured = trace(0.0, samples=0)
    with pytest.raises(LeakwatchError, match=r"trace\.csv: too short for a plan"):
        plan(Wanted(), (measured, detect.assess(measured)))


@given(WANTED)
def test_batching_is_what_the_server_takes(wanted: Wanted) -> None:
    """Sizes rise and end in the largest, which is a power of two and at most half of the clients."""
    batching = plan(wanted).batching
    assert (batching is None) == (wanted.clients is None)
    if batching is not None:
        assert list(batching.allowed_batch_sizes) == sorted(set(batching.allowed_batch_sizes))
        assert batching.allowed_batch_sizes[-1] == batching.max_batch_size <= max((wanted.clients or 0) // 2, 1)
        assert math.log2(batching.max_batch_size).is_integer()
        assert batching.max_enqueued_batches == batching.num_batch_threads >= 1
