import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.conditions import ConditionWatch
from detectors.types import ConditionTurn, Thresholds

THRESHOLDS = Thresholds(0.9, 0.5, 0.01, None, 1.0, 60.0)
LIMIT = 8.0 * 2**30


def levels(*ratios: float) -> list[dict[str, float]]:
    return [{"anon_bytes": ratio * LIMIT, "limit_bytes": LIMIT} for ratio in ratios]


def turns(samples: list[dict[str, float]], every: float = 10.0, watch: ConditionWatch | None = None) -> list:
    """(seconds, name, began) of each turn."""
    watch = watch or ConditionWatch(THRESHOLDS)
    found = [(i * every, turn) for i, values in enumerate(samples) for turn in watch.observe(i * every, values)]
    return [(at, turn.name, turn.began) for at, turn in found]


def test_a_condition_begins_once_it_has_held_and_ends_once():
    """Over 90 % for a minute it begins, once; it ends a minute after it fell, once, not at each sample."""
    samples = levels(*[0.5] * 5, *[0.95] * 20, *[0.5] * 20)
    assert turns(samples) == [(110.0, "memory", True), (310.0, "memory", False)]


def test_a_short_peak_is_none():
    """Less than the hold over the threshold says nothing."""
    assert turns(levels(*[0.5] * 5, *[0.95] * 6, *[0.5] * 20)) == []


def test_what_hovers_at_the_threshold_is_one_condition():
    """A level that goes over and under 90 % by a little for an hour begins one condition and ends none."""
    wobble = [0.95] * 10 + [0.89 + 0.02 * (i % 2) for i in range(360)]
    assert turns(levels(*wobble)) == [(60.0, "memory", True)]


def test_page_cache_at_the_limit_is_no_memory_condition():
    """Usage at the limit with most of it reclaimable files is a healthy container; tmpfs files cannot be reclaimed."""
    healthy = {"usage_bytes": LIMIT, "file_bytes": 0.7 * LIMIT, "shmem_bytes": 0.0, "limit_bytes": LIMIT}
    assert turns([healthy] * 50) == []
    assert turns([{**healthy, "shmem_bytes": 0.65 * LIMIT}] * 50) == [(60.0, "memory", True)]


def test_without_a_limit_there_is_no_memory_condition():
    """No limit, or one of 0, is a normal case."""
    assert turns([{"anon_bytes": 1e12}] * 50) == []
    assert turns([{"anon_bytes": 1e12, "limit_bytes": 0.0}] * 50) == []


def test_latency_and_queue_are_told_per_model():
    """One slow model of two is named; a model that nobody asks any more is not held for ever."""
    slow = {"latency_p95_seconds:a/Predict": 0.9, "latency_p95_seconds:b/Predict": 0.1, "queue_seconds:a": 2.0}
    found = turns([slow] * 20 + [{}] * 60)
    assert found[:2] == [(60.0, "latency:a/Predict", True), (60.0, "queue:a", True)]
    assert {(name, began) for _, name, began in found[2:]} == {("latency:a/Predict", False), ("queue:a", False)}


def test_a_queue_that_nobody_leaves_is_told_although_no_wait_is():
    """Requests pile up and none is served, so no mean wait is told; one that is empty, or is being left, is none."""
    stuck = [{"queue_depth:a": 3.0 + i, "queue_depth:b": 0.0} for i in range(20)]
    served = [{"queue_depth:a": 4.0, "queue_seconds:a": 0.01, "queue_depth:b": 0.0}] * 20
    found = turns([*served, *stuck, *served])
    assert [(name, began) for _, name, began in found] == [("queue:a", True), ("queue:a", False)]
    assert turns(served) == []


def test_errors_are_a_share_of_the_window():
    """2 of 100 fail for two minutes, then none: it begins and ends once each; one of one is no share."""
    counters, done, failed = [], 0.0, 0.0
    for i in range(60):
        done, failed = done + 98 + 2 * (i >= 12), failed + 2 * (i < 12)
        counters.append({"requests_total": done, "requests_failed_total": failed})
    found = turns(counters)
    assert [(name, began) for _, name, began in found] == [("errors", True), ("errors", False)]
    assert turns([{"requests_total": 0.0, "requests_failed_total": float(i > 3)} for i in range(60)]) == []


def test_a_restarted_servers_counters_are_no_errors():
    """Counters that begin anew give no share from the difference to the old ones."""
    before = [{"requests_total": 1e6 + i, "requests_failed_total": 5000.0} for i in range(10)]
    after = [{"requests_total": 10.0 * i, "requests_failed_total": 0.0} for i in range(30)]
    assert turns(before + after) == []


def test_a_load_is_slow_for_its_size():
    """100 s are too long for a small model and not for one of 4 GiB; a limit that is set goes before either."""
    small = [{"models_loading": 1.0, "anon_bytes": 2.0**30}] * 10 + [{"models_loading": 0.0}] * 3
    large = [{"models_loading": 1.0, "anon_bytes": 2.0**30 * (1 + i / 2.5)} for i in range(10)]
    assert [(name, began) for _, name, began in turns(small)] == [("load", True), ("load", False)]
    assert turns(large) == []
    strict = ConditionWatch(Thresholds(0.9, 0.5, 0.01, 30.0, 1.0, 60.0))
    assert [name for _, name, _ in turns(large, watch=strict)] == ["load"]


def test_a_load_that_ended_is_told_where_it_took_too_long():
    """A load time that is new is judged; what a server tells from before our first look is history."""
    old, new = {"load_seconds:m": 400.0}, {"load_seconds:m": 500.0}
    assert turns([old] * 20) == []
    found = turns([old] * 3 + [new] * 100)
    assert [(name, began) for _, name, began in found] == [("load:m", True), ("load:m", False)]


@pytest.mark.parametrize(("gib", "told"), [(0.0, True), (4.0, False)])
@pytest.mark.parametrize("restarts", [False, True])
def test_a_load_that_ended_is_judged_by_what_it_took_in_memory(gib: float, told: bool, restarts: bool):
    """100 s are too long for a small model and not for one of 4 GiB, in a new life as in an old one."""
    watch = ConditionWatch(THRESHOLDS)
    held = [{"load_seconds:m": 2.0, "anon_bytes": (4.0 if restarts else 1.0) * 2.0**30}] * 30
    loading = [{"anon_bytes": (1.0 + gib * min(i / 10, 1.0)) * 2.0**30} for i in range(12)]
    loaded = {"load_seconds:m": 100.0, "anon_bytes": (1.0 + gib) * 2.0**30}
    assert turns(held, watch=watch) == []
    if restarts:
        watch.restarted(300.0)
    found = [turn for i, one in enumerate([*loading, loaded, loaded]) for turn in watch.observe(300.0 + 10.0 * i, one)]
    assert [turn.name for turn in found] == (["load:m"] if told else [])


def test_three_restarts_within_an_hour_are_a_condition():
    """Two are not, three are; it ends when the hour has passed."""
    watch = ConditionWatch(THRESHOLDS)
    found = []
    for i in range(600):
        if i in (10, 20, 30):
            watch.restarted(10.0 * i)
        found += [(10 * i, turn.name, turn.began) for turn in watch.observe(10.0 * i, {"anon_bytes": 1.0})]
    assert found == [(310, "restarts", True), (3710, "restarts", False)]


def test_what_holds_is_known_at_any_time():
    """Between beginning and end a condition is among those that hold, with what is true of it."""
    watch = ConditionWatch(THRESHOLDS)
    turns(levels(*[0.95] * 8), watch=watch)
    ((name, (since, said)),) = watch.holding.items()
    assert (name, since) == ("memory", 0.0)
    assert said == "memory that cannot be reclaimed is 7.6 GiB, 95 % of the limit of 8 GiB"
    turns(levels(*[0.1] * 30), watch=watch)
    assert not watch.holding


def test_what_held_before_a_restart_of_the_agent_ends_once():
    """A condition that is over by now ends, one that is told no longer ends too, and one that goes on says nothing."""
    watch = ConditionWatch(THRESHOLDS)
    watch.resume(["memory", "queue:a"], 0.0)
    assert turns(levels(*[0.5] * 60), watch=watch) == [(60.0, "memory", False), (300.0, "queue:a", False)]
    watch = ConditionWatch(THRESHOLDS)
    watch.resume(["memory"], 0.0)
    assert turns(levels(*[0.95] * 60), watch=watch) == [] and list(watch.holding) == ["memory"]


names = st.sampled_from(
    [
        "anon_bytes",
        "usage_bytes",
        "file_bytes",
        "limit_bytes",
        "requests_total",
        "requests_failed_total",
        "models_loading",
    ]
    + [f"{base}:{model}" for base in ("latency_p95_seconds", "queue_seconds", "load_seconds") for model in "ab"]
)
values = st.dictionaries(names, st.floats() | st.integers(0, 10).map(float), max_size=8)


@given(st.lists(st.tuples(st.floats(-1e3, 1e4), values, st.booleans()), max_size=60))
def test_any_samples_in_any_order_tell_each_condition_by_turns(samples: list):
    """Whatever values come and however the clock jumps: a condition begins, then ends, then may begin again."""
    watch = ConditionWatch(THRESHOLDS)
    held: set[str] = set()
    for now, given_values, restarted in samples:
        if restarted:
            watch.restarted(now)
        for turn in watch.observe(now, given_values):
            assert isinstance(turn, ConditionTurn) and turn.sentence and math.isfinite(turn.at)
            assert turn.began == (turn.name not in held)
            (held.add if turn.began else held.discard)(turn.name)
        assert set(watch.holding) == held


@pytest.mark.parametrize("shift", [0.0, 1e9, 1.79e9])
def test_the_time_of_day_changes_nothing(shift: float):
    """The same samples at another time begin and end the same conditions after the same time."""
    watch = ConditionWatch(THRESHOLDS)
    samples = levels(*[0.95] * 20, *[0.5] * 20)
    found = [(i, turn.began) for i, values in enumerate(samples) for turn in watch.observe(shift + 10.0 * i, values)]
    assert found == [(6, True), (26, False)]
