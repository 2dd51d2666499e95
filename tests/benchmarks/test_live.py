"""The live benchmark runs, and its figures are what they say."""

import math
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.live_mix.incident import fast_leak, model_load, slow_leak
from benchmarks.live_runs import Changes, Found, Rate, delays, watch
from detectors.types import Level

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_one_seed_of_everything_runs_and_prints_every_table() -> None:
    """Nobody finds out months later that the benchmark no longer runs."""
    command = [sys.executable, "-m", "benchmarks.live", "--tiny"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=600, check=False)
    assert run.returncode == 0, run.stderr
    for title in ("aims, on the hard mix", "every material", "by time to the limit", "the incident", "peers' rules"):
        assert f"Live: {title}" in run.stdout or title in run.stdout, title


def test_a_rate_s_interval_is_poisson_s() -> None:
    """Garwood's interval: 0 in 50 weeks leaves up to 3.69, 6 lie between 2.20 and 13.06."""
    assert Rate(0, 50.0).interval == pytest.approx((0.0, 3.689), abs=1e-3)
    assert Rate(6, 50.0).interval == pytest.approx((2.202, 13.059), abs=1e-3)


def test_a_leak_never_found_counts_in_every_quantile() -> None:
    """A median over the found ones alone would flatter."""
    found = [Found(1.0, 0, 1, way, 1.0) for way in (0.2, 0.4)] + [Found(1.0, 0, 0, None, 1.0)] * 3
    of = delays(found)
    assert math.isinf(of.median) and of.never == 0.6 and of.within_45 == 0.4 and of.one_incident == 1.0


def after_onset(changes: Changes, level: Level, onset: float) -> float | None:
    return next((at - onset for at in changes.opened(level) if at > onset), None)


@pytest.mark.parametrize("hours", [2.0, 26.0], ids=["watched for two hours", "for a day"])
@pytest.mark.parametrize("seed", [101, 102, 103])
def test_8_to_32_gb_in_ten_minutes_is_suspected_within_90_s_and_a_leak_within_240_s(seed: int, hours: float) -> None:
    """The incident that leakwatch was made for, at 5 s sampling; it may be acted on before 60 % of the way."""
    scenario = fast_leak(seed, hours)
    changes = watch(scenario.watched, acting=True)
    suspected, leak = (after_onset(changes, level, scenario.onset_seconds) for level in (Level.SUSPECTED, Level.LEAK))
    assert suspected is not None and suspected <= 90
    assert leak is not None and leak <= 240
    assert changes.acted_at is not None and changes.acted_at - scenario.onset_seconds <= 0.6 * 600


@pytest.mark.parametrize("stops_after", [0.3, 0.6, 0.75])
def test_the_same_rise_with_a_model_load_at_its_start_is_no_leak(stops_after: float) -> None:
    """A large model that is read in grows as fast, and then stops."""
    changes = watch(model_load(104, 6.0, stops_after).watched)
    assert changes.opened(Level.LEAK) == []


def test_five_per_cent_of_the_limit_a_day_is_found_by_the_same_rules() -> None:
    """At 60 s sampling, within 45 % of its way of two weeks, and as one incident."""
    scenario = slow_leak(105)
    changes = watch(scenario.watched)
    leak = after_onset(changes, Level.LEAK, scenario.onset_seconds)
    assert scenario.limit_at_seconds is not None and leak is not None
    assert leak <= 0.45 * (scenario.limit_at_seconds - scenario.onset_seconds)
    assert len(changes.opened(Level.LEAK)) == 1
