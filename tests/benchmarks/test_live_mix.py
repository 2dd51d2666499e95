"""The containers that the live detector is measured on are what the tables say of them."""

import numpy as np
import pytest

from benchmarks.live_mix import HARD, MILD, Mix, healthy, leaking


@pytest.mark.parametrize(("mix", "fewest"), [(HARD, 4), (MILD, 1)], ids=["hard", "mild"])
def test_a_healthy_container_carries_its_mechanisms_under_its_limit(mix: Mix, fewest: int) -> None:
    """As many at once as the mix says, a peak within the mix's share of the limit, every column as long as the time."""
    for seed in range(6):
        watched = healthy(mix, seed, weeks=0.5)
        assert len(watched.mechanisms) >= fewest
        share = watched.columns["anon_bytes"].max() / watched.columns["limit_bytes"][0]
        assert share <= mix.peak[1] + 1e-9
        assert {len(column) for column in watched.columns.values()} == {len(watched.time_seconds)}
        assert (np.diff(watched.time_seconds) > 0).all()


def test_a_leaking_container_reaches_its_limit_at_its_last_sample_and_not_before() -> None:
    """The way from onset to limit, by which delays are measured, ends where the kernel would kill."""
    for seed in range(12):
        leak = leaking(HARD, seed)
        memory, limit = leak.watched.columns["anon_bytes"], leak.watched.columns["limit_bytes"]
        assert leak.onset_seconds < leak.limit_at_seconds == leak.watched.time_seconds[-1]
        assert memory[-1] >= 0.999999 * limit[-1]
        assert (memory[:-1] < limit[:-1]).all()


def test_the_same_seed_is_the_same_container() -> None:
    """The mix is frozen: figures of different days can be compared."""
    first, second = (leaking(HARD, 3).watched.columns["anon_bytes"] for _ in range(2))
    assert np.array_equal(first, second)
