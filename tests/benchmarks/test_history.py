"""The benchmark of the past that is thinned out measures what it says, and runs."""

import numpy as np
import pytest

from benchmarks import history
from leakwatch.sample.thinning import TIERS


def test_what_is_left_is_what_the_tiers_allow() -> None:
    """All of the last hours, fewer of the days, fewer still of the weeks, each a sample that was there."""
    time, level = history.container(1, 0.0)
    left = history.thinned(time, level)
    ages = time[-1] - time[left]
    assert np.all(np.diff(left) > 0)
    assert np.all(np.diff(left[ages < TIERS[0].keep_seconds]) == 1)
    assert np.diff(time[left]).max() < 2 * 900.0


def test_a_known_slope_is_found() -> None:
    """One percent a day is one percent a day, from all samples and from those that are left."""
    time, level = history.container(1, 0.01)
    left = history.thinned(time, level)
    for kept_time, kept_level in ((time, level), (time[left], level[left])):
        assert history.slope(kept_time, kept_level) == pytest.approx(0.01 * history.LEVEL_BYTES, rel=0.1)
