"""The slope beside the truth, and the first touch of the limit beside a simulation that goes on."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import forecast as module
from detectors.contest import contest
from detectors.forecast import forecast, trend
from detectors.scene import prepare
from detectors.types import Answer, Assessment, FloatArray

MIB = 2.0**20


def simulated(ahead: FloatArray, room: FloatArray, span: float, power: float, slope: float) -> float:
    """Lets the pattern come back, sample after sample, until the leak has grown by the sample's room."""
    window = ahead[-1] - ahead[0]
    touches = []
    for a, r in zip(ahead, room, strict=True):
        at = a + window
        while slope * span * (((span + max(at, 0.0)) / span) ** power - 1.0) < r - 1e-9 * abs(r):
            at += window
        touches.append(max(at, 0.0))
    return float(min(touches))


@settings(max_examples=60)
@given(
    st.integers(2, 12),
    st.sampled_from((1.0, 1.5, 2.0, 3.0)),
    st.floats(0.1, 10),
    st.floats(50, 500),
    st.integers(0, 99),
)
def test_the_first_touch_is_that_of_a_pattern_that_goes_on(
    n: int, power: float, slope: float, span: float, seed: int
) -> None:
    """The repeated pattern, lifted by the leak, simulated sample by sample."""
    rng = np.random.default_rng(seed)
    ahead = np.append(np.sort(rng.uniform(-40.0, -0.1, n - 1)), 0.0)
    room = rng.uniform(0.5, 900.0, n)
    expected = simulated(ahead, room, span, power, slope)
    assert module._first_touch(ahead, room, module._Curve(span, power), slope) == pytest.approx(expected, abs=1e-6)


def test_the_first_touch_of_a_pattern_drawn_by_hand() -> None:
    """Quiet at 10, peaks to 40, a limit of 100 and 1 byte a second: the peak needs 60 s, and is back at 69."""
    ahead = np.arange(-99.0, 1.0)
    pattern = np.where((ahead >= -30) & (ahead < -20), 40.0, 10.0)
    line = module._Curve(1000.0, 1.0)
    assert module._first_touch(ahead, 100.0 - pattern, line, 1.0) == pytest.approx(99.0 - 30.0)
    assert module._first_touch(ahead, np.full(100, 90.0), line, 1.0) == pytest.approx(90.0, abs=1.01)
    assert module._first_touch(ahead, np.full(100, -5.0), line, 1.0) == 0.0


@pytest.mark.parametrize("power", [1.0, 1.5, 2.0, 3.0])
def test_an_accelerating_leak_goes_on_along_its_curve(power: float) -> None:
    """Closed form: it has grown by g again when ((span + t) / span)^power = 1 + g / (slope span)."""
    curve = module._Curve(200.0, power)
    t = curve.time_for(np.array([0.0, 150.0, 5000.0]), 2.0)
    np.testing.assert_allclose(((200.0 + t) / 200.0) ** power, 1.0 + np.array([0.0, 150.0, 5000.0]) / 400.0)
    assert t[0] == 0.0


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("remembers", [0.0, 0.95])
def test_the_slope_is_the_truth_s(traces: Any, seed: int, remembers: float) -> None:
    """Near it, and within a widened interval, under white noise and under noise that remembers."""
    n = 1200
    grown = 150 * MIB
    made = traces.of(500 * MIB + grown * traces.share(n) + traces.noise(n, seed, 2 * MIB, remembers), limit=2e9)
    told = made.assessed()
    found = told.verdict.trend
    truth = grown / (made.time[-1] - made.time[0])
    assert found is not None and found.points == n
    assert found.slope_per_second == pytest.approx(truth, rel=0.1)
    width = found.high - found.low
    assert found.low - 0.5 * width < truth < found.high + 0.5 * width
    assert width < 0.6 * truth


def test_the_interval_is_symmetric_and_never_under_the_grid_s_own_error(traces: Any) -> None:
    """Even an exact line is not known better than the shapes are coarse."""
    made = traces.leak()
    seen = prepare(made.time, made.columns["anon_bytes"], made.columns, None)
    level, _ = contest(seen)
    sure = trend(seen, replace(level, rate_deviation=0.0))
    assert sure.high - sure.slope_per_second == pytest.approx(sure.slope_per_second - sure.low)
    assert 0.005 < (sure.high - sure.low) / sure.slope_per_second < 0.15
    unsure = trend(seen, replace(level, rate_deviation=level.rate))
    assert unsure.high - unsure.low > 3 * unsure.slope_per_second


def leaking(traces: Any, pattern: FloatArray, limit: float) -> tuple[Assessment, float]:
    """A line of 200 MiB under a pattern, and the seconds from its end that the line alone needs to the limit."""
    n = len(pattern)
    made = traces.of(500 * MIB + 200 * MIB * traces.share(n) + pattern + traces.noise(n, 3), limit=limit)
    duration = float(made.time[-1] - made.time[0])
    return made.assessed(), (limit - 700 * MIB) / (200 * MIB / duration)


def test_a_line_reaches_the_limit_where_it_does(traces: Any) -> None:
    """Time to the limit of a line is headroom by slope, from the trace's end."""
    told, truth = leaking(traces, np.zeros(1500), 1400 * MIB)
    assert told.verdict.verdict is Answer.LEAK and told.forecast is not None
    assert told.forecast.seconds_to_limit == pytest.approx(truth, rel=0.08)
    assert told.forecast.high is not None
    assert told.forecast.low <= truth * 1.05 and truth * 0.95 <= told.forecast.high


def test_the_load_s_peak_touches_first(traces: Any) -> None:
    """Regular peaks of 100 MiB touch the limit long before the quiet level does."""
    peaks = 100 * MIB * np.sin(2 * np.pi * 6 * traces.share(1500)).clip(0)
    told, quiet = leaking(traces, peaks, 1400 * MIB)
    assert told.verdict.verdict is Answer.LEAK and told.forecast is not None
    assert told.forecast.seconds_to_limit < 0.93 * quiet
    assert told.forecast.low > 0.6 * quiet


def test_an_accelerating_leak_reaches_the_limit_sooner_than_its_slope_says(traces: Any) -> None:
    """Along the curve that it has drawn so far."""
    share = traces.share(1500)
    made = traces.of(500 * MIB + 300 * MIB * share**3 + traces.noise(1500, 1), limit=2048 * MIB)
    told = made.assessed()
    duration = made.time[-1] - made.time[0]
    truth = duration * ((1548.0 / 300.0) ** (1 / 3) - 1.0)
    assert told.verdict.verdict is Answer.LEAK and told.forecast is not None
    assert told.forecast.seconds_to_limit == pytest.approx(truth, rel=0.25)


def test_without_a_limit_or_a_leak_there_is_no_forecast(traces: Any) -> None:
    """And a limit that is passed already is reached now."""
    for limit, expected in ((None, None), (500 * MIB, 0.0)):
        made = traces.leak(limit=limit)
        seen = prepare(made.time, made.columns["anon_bytes"], made.columns, limit)
        level, _ = contest(seen)
        slope = trend(seen, level)
        told = forecast(seen, level, slope)
        assert (None if told is None else told.seconds_to_limit) == expected
        assert forecast(seen, replace(level, best_leak=None), slope) is None
        assert forecast(seen, level, replace(slope, slope_per_second=-1.0)) is None


def test_a_slope_that_may_be_nothing_has_no_high_end(traces: Any) -> None:
    """The limit may never be reached."""
    made = traces.leak()
    seen = prepare(made.time, made.columns["anon_bytes"], made.columns, made.limit)
    level, _ = contest(seen)
    slope = trend(seen, level)
    told = forecast(seen, level, replace(slope, low=-1.0))
    assert told is not None and told.high is None
    assert told.low <= told.seconds_to_limit


def test_after_a_restart_the_last_life_s_growth_counts(traces: Any) -> None:
    """Time to the limit is the last life's headroom by the slope, not the whole trace's."""
    share = traces.share(1500)
    life = share * 3 % 1
    made = traces.of(300 * MIB + 200 * MIB * life + traces.noise(1500, 2), limit=900 * MIB)
    told = made.having(requests_total=np.tile(7.0 * np.arange(500), 3)).assessed()
    duration = made.time[-1] - made.time[0]
    assert told.verdict.verdict is Answer.LEAK and told.forecast is not None
    assert len(told.verdict.restarts) == 2
    assert told.forecast.seconds_to_limit == pytest.approx(400 / 600 * duration, rel=0.15)
