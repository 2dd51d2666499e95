"""What is known of a trace before it is judged."""

from typing import Any

import numpy as np
import pytest

from detectors.cuts import Cut
from detectors.scene import Scene, material_growth, prepare

MIB = 2.0**20


def scene(made: Any) -> Scene:
    (metric, *_) = made.columns
    return prepare(made.time, made.columns[metric], made.columns, made.limit)


def test_a_steep_start_up_is_left_out(traces: Any) -> None:
    """A model that is loaded in the first minutes is no growth; a trace that begins level is kept whole."""
    share = traces.share(2000)
    warm = traces.of(500 * MIB + 300 * MIB * (1 - np.exp(-share / 0.01)) + traces.noise(2000, 1))
    seen = scene(warm)
    assert 0.02 < seen.first / (warm.time[-1] - warm.time[0]) <= 0.09
    assert np.ptp(seen.series.value) < 50 * MIB
    assert scene(traces.flat()).first == 0.0


def test_a_leak_is_no_start_up(traces: Any) -> None:
    """A line begins as it goes on."""
    assert scene(traces.leak(grows=2000 * MIB)).first == 0.0


def test_every_life_s_start_up_is_left_out(traces: Any) -> None:
    """After a restart as at the beginning."""
    share = traces.share(2000)
    level = 500 * MIB + 300 * MIB * (1 - np.exp(-(share % 0.5) / 0.005)) + traces.noise(2000, 1)
    requests = np.tile(np.arange(1000.0), 2)
    seen = scene(traces.of(level).having(requests_total=requests))
    assert seen.cuts.kind is Cut.LIVES
    assert seen.judged.level.min() > 750 * MIB


def test_unknown_cells_are_no_samples(traces: Any) -> None:
    """They are left out of the series and of the count of samples."""
    made = traces.flat(500)
    level = made.columns["anon_bytes"].copy()
    level[100:200] = np.nan
    seen = prepare(made.time, level, {}, None)
    assert seen.samples == 400
    assert np.isfinite(seen.series.value).all()


def test_what_matters_follows_the_headroom_and_the_level() -> None:
    """The smaller of a share of the headroom and of the level; without a limit, or below the level, of the level."""
    level = np.full(100, 500.0)
    without = material_growth(level, None)
    assert 1.0 < without < 50.0
    assert material_growth(2 * level, None) == 2 * without
    assert material_growth(level, 400.0) == material_growth(level, 500.0) == material_growth(level, 1e9) == without
    assert 1.0 < material_growth(level, 600.0) < without
    assert material_growth(level, 700.0) == pytest.approx(2 * material_growth(level, 600.0))


def test_what_matters_is_never_nothing() -> None:
    """A level of zero, and a limit that is reached, still leave a byte."""
    assert material_growth(np.zeros(100), None) == material_growth(np.zeros(100), 10.0) == 1.0


def test_models_requests_are_summed_where_no_total_is_known(traces: Any) -> None:
    """Each model's count is kept, the busiest first; one that never moved is no model; resets of any are resets."""
    n = 400
    count = np.arange(float(n))
    made = traces.flat(n).having(
        **{
            "requests_total:quiet": count,
            "requests_total:busy": 9 * count,
            "requests_total:dead": np.zeros(n),
        }
    )
    seen = scene(made)
    assert list(seen.model_requests) == ["busy", "quiet"]
    assert seen.requests is not None
    np.testing.assert_allclose(seen.requests.at(made.time - made.time[0]), 10 * count)
    with_total = scene(made.having(requests_total=2 * count))
    assert with_total.requests is not None and with_total.requests.total[-1] == 2 * count[-1]
    halves = np.where(count < 200, count, count - 200)
    both = scene(made.having(**{"requests_total:quiet": halves, "requests_total:busy": halves}))
    assert both.requests is not None and len(both.requests.resets) == 1


def test_model_loads_are_where_their_count_rose(traces: Any) -> None:
    """Of all models and of each; a model that was there from the beginning was not loaded."""
    n = 400
    rises = (np.arange(n) >= 100).astype(float) + (np.arange(n) >= 300)
    made = traces.flat(n)
    assert len(scene(made).loads) == 0
    seen = scene(made.having(**{"model_loads_total": 1 + rises, "model_loads_total:a": (np.arange(n) >= 200) * 1.0}))
    np.testing.assert_allclose(seen.loads, np.array([100, 200, 300]) * 16.0)


def test_a_long_trace_is_reduced_and_keeps_its_duration(traces: Any) -> None:
    """A week at 15 s becomes some two thousand points over the same time."""
    made = traces.flat(40_000)
    seen = scene(made)
    assert seen.samples == 40_000
    assert len(seen.series.time) <= 2048
    assert seen.span == pytest.approx(made.time[-1] - made.time[0], rel=2e-3)
    assert seen.cuts.kind is Cut.NONE and len(seen.cut_at) == 0
