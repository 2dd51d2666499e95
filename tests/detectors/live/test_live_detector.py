"""The live detector's promises."""

import math
import pickle
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.types import Answer, Level, Shape
from leakwatch.detect import live_detector

GIB = 2.0**30
Server = Callable[..., tuple[np.ndarray, dict[str, np.ndarray]]]
Watch = Callable[..., list[tuple[float, Level]]]
Feed = Callable[..., object]


def first(seen: list[tuple[float, Level]], level: Level) -> float | None:
    return next((at for at, one in seen if one is level), None)


def test_a_container_that_was_never_seen_is_undecided() -> None:
    """Before the first sample nothing is claimed."""
    verdict = live_detector().judge(0.0)
    assert (verdict.level, verdict.verdict, verdict.shape) == (Level.QUIET, Answer.UNDECIDED, Shape.TOO_SHORT)
    assert verdict.metric is None and verdict.since is None


def test_a_settled_server_under_a_daily_load_stays_quiet(server: Server, levels: Watch) -> None:
    """Load that comes and goes is no leak, and a quiet container has no trend, no onset and no forecast."""
    time, columns = server(hours=96)
    assert levels(time, columns) == []


def test_a_leak_is_suspected_and_then_called_with_its_slope_onset_and_time_to_limit(
    server: Server, levels: Watch, feed: Feed
) -> None:
    """Well before the limit, with figures that hold the truth."""
    time, columns = server(hours=46, onset_hours=30, leak_hours=12)
    touched = float(time[np.argmax(columns["anon_bytes"] >= 8 * GIB)])
    early = time < time[0] + 38 * 3_600
    time, columns = time[early], {name: column[early] for name, column in columns.items()}
    seen, onset = levels(time, columns), time[0] + 30 * 3_600
    suspected, leak = first(seen, Level.SUSPECTED), first(seen, Level.LEAK)
    assert suspected is not None and leak is not None
    assert onset < suspected <= leak < onset + 0.6 * 12 * 3_600
    verdict = feed(time, columns).judge(float(time[-1]))
    slope = 6 * GIB / (12 * 3_600)
    assert verdict.verdict is Answer.LEAK and verdict.metric == "anon_bytes"
    assert abs(verdict.trend.slope_per_second / slope - 1) < 0.1
    assert abs(verdict.onset - onset) < 3_600
    assert verdict.forecast.low <= touched - time[-1] <= verdict.forecast.high
    assert verdict.since == leak
    assert any("GiB" in sentence for sentence in verdict.because)


@pytest.mark.parametrize("minutes", [0, 1, 7, 23, 40])
def test_a_limit_that_is_raised_gives_more_time_at_once(server: Server, feed: Feed, minutes: int) -> None:
    """Whoever raised it to buy time acts on the next verdict: it must not wait until a block of samples is full."""
    time, columns = server(hours=46, onset_hours=30, leak_hours=12)
    early = time < time[0] + 38 * 3_600 + 60 * minutes
    time, columns = time[early], {name: column[early] for name, column in columns.items()}
    before = feed(time, columns).judge(float(time[-1])).forecast
    columns["limit_bytes"] = columns["limit_bytes"].copy()
    columns["limit_bytes"][-1] += 2 * GIB
    after = feed(time, columns).judge(float(time[-1])).forecast
    bought = 2 * GIB / (6 * GIB / (12 * 3_600))
    assert after.seconds_to_limit - before.seconds_to_limit == pytest.approx(bought, rel=0.15)
    assert after.low > before.low + 0.5 * bought


def test_the_level_resolves_once_the_growth_is_given_back(server: Server, levels: Watch) -> None:
    """One incident, opened and resolved: growth that goes away again is over."""
    time, columns = server(hours=60, onset_hours=30, leak_hours=12)
    gone = time > time[0] + 37 * 3_600
    _, steady = server(hours=60)
    columns["anon_bytes"] = np.where(gone, steady["anon_bytes"], columns["anon_bytes"])
    seen = levels(time, columns)
    assert [level for _, level in seen if level is Level.LEAK] == [Level.LEAK]
    assert seen[-1][1] is Level.QUIET


def test_a_pause_in_the_growth_does_not_open_a_second_incident(server: Server, levels: Watch) -> None:
    """Hysteresis: a leak that rests for an hour is still the same leak."""
    time, columns = server(hours=46, onset_hours=30, leak_hours=24)
    since = (time - time[0]) / 3_600
    pause = np.clip(since - 38, 0, 1)
    columns["anon_bytes"] = np.floor(columns["anon_bytes"] - 6 * GIB * pause / 24)
    assert [level for _, level in levels(time, columns)].count(Level.LEAK) == 1


def test_without_a_limit_headroom_is_four_times_the_level_and_the_time_to_limit_is_unknown(
    server: Server, feed: Feed
) -> None:
    """No limit is a normal case, and the reasons say what was taken in its place."""
    time, columns = server(hours=60, onset_hours=30, leak_hours=24, limit=None)
    verdict = feed(time, columns).judge(float(time[-1]))
    assert verdict.level is Level.LEAK and verdict.forecast is None
    assert any("no limit is seen" in sentence and "4 times" in sentence for sentence in verdict.because)


def test_without_a_limit_the_host_bounds_the_headroom(server: Server, levels: Watch) -> None:
    """A host that has little left makes the same growth urgent sooner."""
    time, columns = server(hours=60, onset_hours=30, leak_hours=24, limit=None)
    free = first(levels(time, columns), Level.LEAK)
    small = first(levels(time, {**columns, "host_available_bytes": np.full(len(time), 2 * GIB)}), Level.LEAK)
    assert free is not None and small is not None and small < free


@pytest.mark.parametrize("told", [True, False], ids=["told", "from the counters"])
def test_a_restart_ends_the_alert_and_the_same_warm_up_is_known_afterwards(
    server: Server, levels: Watch, told: bool
) -> None:
    """Warm-ups of earlier lives are the measure for the next: deploys that warm up alike raise nothing."""
    time, columns = server(hours=96)
    age = (time - time[0]) % (16 * 3_600)
    columns["anon_bytes"] = np.floor(columns["anon_bytes"] + 2 * GIB * (1 - np.exp(-age / 3_600)))
    births = time[1:][np.diff(age) < 0]
    if not told:
        for name in ("requests_total", "model_loads_total"):
            counts = columns[name]
            at = np.maximum.accumulate(np.where(np.append(True, np.diff(age) < 0), np.arange(len(age)), 0))
            columns[name] = counts - np.where(at > 0, counts[np.maximum(at - 1, 0)], 0)
    later = [level for at, level in levels(time, columns, births if told else ()) if at > time[0] + 20 * 3_600]
    assert Level.LEAK not in later


def test_a_restart_while_a_leak_is_open_watches_the_new_life_and_then_resolves(server: Server, levels: Watch) -> None:
    """What is told after a restart is suspected, never leak, and ends once the new life has proved itself."""
    time, columns = server(hours=80, onset_hours=30, leak_hours=12)
    _, steady = server(hours=80)
    restart = float(time[0] + 38 * 3_600)
    columns["anon_bytes"] = np.where(time >= restart, steady["anon_bytes"], columns["anon_bytes"])
    seen = levels(time, columns, [restart])
    assert first(seen, Level.LEAK) is not None
    after = [(at, level) for at, level in seen if at >= restart]
    assert after[0][1] is Level.SUSPECTED and after[-1][1] is Level.QUIET and len(after) == 2


@settings(max_examples=8, deadline=None)
@given(st.sampled_from([2.0**-8, 0.25, 4.0, 2.0**10]), st.sampled_from([-1.7e9, 3_600.0, 86_400.0 * 400]))
def test_neither_the_unit_of_bytes_nor_the_date_changes_what_is_seen(scale: float, shift: float) -> None:
    """The same container ten times as large, or a year later, raises the same levels at the same samples."""
    rng = np.random.default_rng(3)
    time = 60.0 * np.arange(1_500) + 1.7e9
    level = GIB * (2 + 0.01 * rng.standard_normal(len(time)) + np.maximum(np.arange(len(time)) - 900, 0) / 120)
    plain = _changes(time, level, 8 * GIB)
    assert plain
    assert _changes(time, scale * level, scale * 8 * GIB) == plain
    assert _changes(time + shift, level, 8 * GIB) == plain


def _changes(time: np.ndarray, level: np.ndarray, limit: float) -> list[tuple[int, Level]]:
    detector, seen, before = live_detector(), [], Level.QUIET
    for i, (at, value) in enumerate(zip(time.tolist(), level.tolist(), strict=True)):
        detector.observe(at, {"anon_bytes": value, "limit_bytes": limit, "requests_total": 60.0 * i})
        if detector.level is not before:
            before = detector.level
            seen.append((i, before))
    return seen


def test_the_sampling_period_changes_little(server: Server, levels: Watch) -> None:
    """At 5 s, 60 s and 300 s the same leak is found within a tenth of its way, and the same calm raises nothing."""
    found = []
    for step in (5.0, 60.0, 300.0):
        time, columns = server(hours=36, step=step, onset_hours=24, leak_hours=24)
        leak = first(levels(time, columns), Level.LEAK)
        assert leak is not None
        found.append((leak - time[0] - 24 * 3_600) / (24 * 3_600))
    assert max(found) - min(found) < 0.1


def test_a_replay_of_the_stored_samples_ends_in_the_same_state(server: Server, feed: Feed) -> None:
    """State lives in observe alone: however often judge was asked, a replay tells the same."""
    time, columns = server(hours=38, onset_hours=30, leak_hours=12)
    asked = live_detector()
    for i, at in enumerate(time.tolist()):
        asked.observe(at, {name: float(column[i]) for name, column in columns.items()})
        asked.judge(at)
    assert asked.judge(float(time[-1])) == feed(time, columns).judge(float(time[-1]))


def test_thinned_history_before_raw_samples_is_enough_to_judge(server: Server, levels: Watch) -> None:
    """An agent that restarts replays weeks at 10 min and hours at 60 s, and finds the leak that is going on."""
    time, columns = server(hours=72, onset_hours=48, leak_hours=48)
    raw = time > time[-1] - 6 * 3_600
    kept = raw | (np.arange(len(time)) % 10 == 0)
    seen = levels(time[kept], {name: column[kept] for name, column in columns.items()})
    assert seen and seen[-1][1] is Level.LEAK


def test_the_state_stays_under_its_bound_however_long_it_watches() -> None:
    """Forty thousand samples of restarts, load, jobs and dirt leave no more than 50 kB behind."""
    rng = np.random.default_rng(5)
    detector, requests, size_half = live_detector(), 0.0, 0
    for i in range(40_000):
        requests = 0.0 if i % 9_000 == 0 else requests + float(rng.poisson(300))
        level = GIB * (2 + rng.random() + 2 * (i % 700) / 700 + (i % 9_000) / 9_000)
        detector.observe(5.0 * i, {"anon_bytes": level, "limit_bytes": 8 * GIB, "requests_total": requests})
        if i == 20_000:
            size_half = len(pickle.dumps(detector))
    size = len(pickle.dumps(detector))
    assert size < 50_000
    assert size < 1.1 * size_half


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(allow_nan=True, allow_infinity=True),
            st.dictionaries(
                st.sampled_from(
                    [
                        *("anon_bytes", "working_set_bytes", "limit_bytes", "host_available_bytes", "other"),
                        *("requests_total", "requests_total:a", "model_loads_total"),
                    ]
                ),
                st.floats(allow_nan=True, allow_infinity=True),
            ),
        ),
        max_size=60,
    )
)
def test_dirt_never_raises_and_never_reaches_the_verdict(samples: list[tuple[float, dict[str, float]]]) -> None:
    """Whatever times and values come, observe and judge take them, and no verdict holds a NaN."""
    detector = live_detector()
    for at, values in samples:
        detector.observe(at, values)
        verdict = detector.judge(at if math.isfinite(at) else 0.0)
        if verdict.trend is not None:
            assert math.isfinite(verdict.trend.slope_per_second)


def test_a_clock_that_is_set_back_stops_nothing(server: Server, levels: Watch) -> None:
    """After a step back of a day the detector goes on with the new clock, and finds the leak."""
    time, columns = server(hours=72, onset_hours=48, leak_hours=24)
    stepped = np.where(time > time[0] + 40 * 3_600, time - 86_400.0, time)
    leak = first(levels(stepped, columns), Level.LEAK)
    assert leak is not None and leak > time[0] + 24 * 3_600


def test_a_level_that_grows_with_the_requests_tells_bytes_per_request(server: Server, feed: Feed) -> None:
    """Under a load that changes, growth by requests is told from growth by the clock."""
    time, columns = server(hours=96)
    served = columns["requests_total"] - columns["requests_total"][len(time) // 2]
    columns["anon_bytes"] = np.floor(columns["anon_bytes"] + 700.0 * np.maximum(served, 0.0))
    verdict = feed(time, columns).judge(float(time[-1]))
    assert verdict.level is Level.LEAK
    assert verdict.bytes_per_request is not None
    assert abs(verdict.bytes_per_request.estimate / 700.0 - 1) < 0.15
