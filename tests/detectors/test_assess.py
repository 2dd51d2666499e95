"""One trace in, one assessment out: a caller's mistakes, and what a clear trace must say."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from detectors.assess import MINIMUM_SAMPLES, assess
from detectors.types import Answer, Shape

MIB = 2.0**20
TEN = np.arange(10.0)


def test_a_column_of_another_length_is_the_caller_s_mistake() -> None:
    """The error names the column and both lengths, of columns that would not be used as well."""
    for name in ("anon_bytes", "threads"):
        with pytest.raises(ValueError, match=rf"columns\['{name}'\] has 9 values for 10 times"):
            assess(TEN, {"usage_bytes": TEN, name: TEN[:9]}, limit_bytes=None)


@pytest.mark.parametrize("times", [[0, 1, 1, 2], [0, 2, 1, 3], [0, 1, np.nan, 3]])
def test_times_that_do_not_rise_are_the_caller_s_mistake(times: list[float]) -> None:
    """Equal, falling and unknown times; the error names the parameter."""
    with pytest.raises(ValueError, match="time_seconds"):
        assess(np.array(times), {"anon_bytes": np.ones(4)}, limit_bytes=None)


@pytest.mark.parametrize("columns", [{}, {"file_bytes": TEN}, {"anon_bytes": np.full(10, np.nan)}, {"threads": TEN}])
def test_without_a_memory_column_nothing_is_judged(columns: dict[str, np.ndarray]) -> None:
    """Undecided, no metric, and a reason."""
    told = assess(TEN, columns, limit_bytes=1e9)
    assert (told.verdict.verdict, told.verdict.shape) == (Answer.UNDECIDED, Shape.TOO_SHORT)
    assert told.verdict.metric is None and len(told.verdict.because) == 1
    assert told.fit is None and told.explanations == ()


def test_an_empty_trace_is_too_short() -> None:
    """A header alone."""
    told = assess(np.empty(0), {"anon_bytes": np.empty(0)}, limit_bytes=None)
    assert (told.verdict.verdict, told.verdict.shape) == (Answer.UNDECIDED, Shape.TOO_SHORT)


def test_too_few_known_samples_are_told_with_their_number() -> None:
    """Unknown cells do not count; one more sample is judged."""
    n = 2 * MINIMUM_SAMPLES - 2
    time, level = np.arange(n) * 15.0, np.full(n, 3e8)
    level[::2] = np.nan
    told = assess(time, {"anon_bytes": level}, limit_bytes=None)
    assert told.verdict.shape is Shape.TOO_SHORT and told.verdict.metric == "anon_bytes"
    assert str(MINIMUM_SAMPLES - 1) in told.verdict.because[0] and str(MINIMUM_SAMPLES) in told.verdict.because[0]
    level[0] = 3e8
    assert assess(time, {"anon_bytes": level}, limit_bytes=None).verdict.shape is not Shape.TOO_SHORT


@pytest.mark.parametrize("limit", [None, 2048 * MIB, 400 * MIB])
@pytest.mark.parametrize("n", [300, 1500, 6000])
def test_a_clear_leak_is_one_and_backwards_in_time_none(traces: Any, n: int, limit: float | None) -> None:
    """With and without a limit, and above one; the same numbers in reverse are a level that falls."""
    made = traces.leak(n, limit=limit)
    told = made.assessed()
    assert told.verdict.verdict is Answer.LEAK
    assert (told.forecast is None) == (limit is None)
    assert told.verdict.onset == pytest.approx(made.time[0], abs=0.15 * (made.time[-1] - made.time[0]))
    backwards = made.having(anon_bytes=made.columns["anon_bytes"][::-1].copy())
    assert backwards.assessed().verdict.verdict is Answer.NO_LEAK


@pytest.mark.parametrize("limit", [None, 2048 * MIB])
@pytest.mark.parametrize("n", [300, 1500, 6000])
def test_a_level_with_noise_is_flat(traces: Any, n: int, limit: float | None) -> None:
    """However many samples."""
    told = traces.flat(n, limit=limit).assessed()
    assert (told.verdict.verdict, told.verdict.shape) == (Answer.NO_LEAK, Shape.FLAT)
    assert told.forecast is None and told.attribution is None


@pytest.mark.parametrize("more", [-300 * MIB, 700 * MIB, 5000 * MIB])
def test_what_is_below_level_and_limit_does_not_matter(traces: Any, more: float) -> None:
    """A clear leak and a clear flat stay what they are on another ground, with the same headroom and the same slope."""
    for made in (traces.leak(), traces.flat()):
        told = made.assessed()
        lifted = replace(made, limit=made.limit + more).having(anon_bytes=made.columns["anon_bytes"] + more)
        again = lifted.assessed()
        assert again.verdict.verdict is told.verdict.verdict
        if told.verdict.trend is not None:
            assert again.verdict.trend is not None
            slope = told.verdict.trend.slope_per_second
            assert again.verdict.trend.slope_per_second == pytest.approx(slope, rel=0.01)


def test_growth_that_does_not_matter_is_no_leak(traces: Any) -> None:
    """However certain: a straight line of a thousandth of the headroom over the trace."""
    made = traces.of(500 * MIB + 1.5 * MIB * traces.share(2000) + traces.noise(2000, 1, 0.05 * MIB), limit=2048 * MIB)
    assert made.assessed().verdict.verdict is Answer.NO_LEAK


def test_the_onset_is_where_the_growth_begins(traces: Any) -> None:
    """Within a tenth of the trace."""
    for onset in (0.25, 0.5):
        grown = 300 * MIB * np.maximum(traces.share(1500) - onset, 0)
        made = traces.of(500 * MIB + grown + traces.noise(1500, 1), limit=2048 * MIB)
        told = made.assessed()
        assert told.verdict.verdict is Answer.LEAK and told.verdict.onset is not None
        assert (told.verdict.onset - made.time[0]) / (made.time[-1] - made.time[0]) == pytest.approx(onset, abs=0.1)


def test_restarts_are_told_where_they_were(traces: Any) -> None:
    """A leak that starts over is seen several times: each restart at the first sample of the new process."""
    share = traces.share(1500)
    made = traces.of(400 * MIB + 150 * MIB * (share * 3 % 1) + traces.noise(1500, 3), limit=2048 * MIB)
    told = made.having(requests_total=np.tile(9.0 * np.arange(500), 3)).assessed()
    assert told.verdict.verdict is Answer.LEAK
    np.testing.assert_array_equal(told.verdict.restarts, made.time[[500, 1000]])
    assert told.attribution is not None
    duration = float(made.time[-1] - made.time[0])
    assert told.verdict.trend is not None
    assert told.verdict.trend.slope_per_second == pytest.approx(450 * MIB / duration, rel=0.08)


def test_the_fit_is_drawn_over_the_level(traces: Any) -> None:
    """On the bins' own times; the leak's part begins at nothing and ends with what has leaked."""
    made = traces.leak()
    told = made.assessed()
    fit, level = told.fit, made.columns["anon_bytes"]
    assert fit is not None
    np.testing.assert_allclose(fit.level_bytes, np.interp(fit.time_seconds, made.time, level), atol=5 * MIB)
    np.testing.assert_allclose(fit.fitted_bytes, fit.level_bytes, atol=3 * MIB)
    assert fit.leak_bytes[0] == 0.0
    assert fit.leak_bytes[-1] == pytest.approx(200 * MIB, rel=0.1)
    assert not traces.flat().assessed().fit.leak_bytes.any()


def test_an_exact_line_is_a_leak(traces: Any) -> None:
    """Without any noise the answer is as clear, and its interval is a positive one."""
    told = traces.of(500 * MIB + 200 * MIB * traces.share(1000), limit=2048 * MIB).assessed()
    assert told.verdict.verdict is Answer.LEAK and told.verdict.trend is not None
    assert 0 < told.verdict.trend.low < told.verdict.trend.high
