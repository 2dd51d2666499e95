"""The second author's traces are repeatable, well formed, and labelled without contradiction."""

import csv
import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.second_author import FAMILIES, generate

ROOT = Path(__file__).resolve().parents[2]
SEEDS = (101, 102, 103)


@pytest.mark.parametrize("family", FAMILIES)
def test_same_seed_same_trace(family: str) -> None:
    """A family and a seed name one trace for ever; another seed names another."""
    first, again, other = generate(family, 5), generate(family, 5), generate(family, 6)
    np.testing.assert_array_equal(first.time_seconds, again.time_seconds)
    assert first.columns.keys() == again.columns.keys()
    for name, values in first.columns.items():
        np.testing.assert_array_equal(values, again.columns[name])
    assert (first.slope_bytes_per_second, first.seconds_to_limit) == (
        again.slope_bytes_per_second,
        again.seconds_to_limit,
    )
    assert not np.array_equal(first.columns["working_set_bytes"], other.columns["working_set_bytes"])


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("seed", SEEDS)
def test_trace_is_well_formed(family: str, seed: int) -> None:
    """Times rise strictly; columns are finite, not negative, in whole pages, and under the limit."""
    trace = generate(family, seed)
    assert np.all(np.diff(trace.time_seconds) > 0)
    assert 250 <= len(trace.time_seconds) <= 40_000
    assert ("anon_bytes" in trace.columns) == trace.full
    for name, values in trace.columns.items():
        assert len(values) == len(trace.time_seconds)
        assert np.all(np.isfinite(values)) and np.all(values >= 0), name
        if name.endswith("_bytes"):
            assert np.all(values % 4096 == 0), name
            assert trace.limit_bytes is None or values.max() <= trace.limit_bytes, name


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("seed", SEEDS)
def test_labels_agree_with_each_other(family: str, seed: int) -> None:
    """Only a leak has a rate, an onset inside the trace and a time to the limit, and these are positive and finite."""
    trace = generate(family, seed)
    assert trace.leak == FAMILIES[family].leak
    numbers = (trace.slope_bytes_per_second, trace.seconds_to_limit, trace.bytes_per_request)
    if not trace.leak:
        assert numbers == (None, None, None) and trace.onset_seconds is None
        return
    assert all(number is None or (math.isfinite(number) and number > 0) for number in numbers)
    assert trace.onset_seconds is not None
    begin, end = trace.time_seconds[[0, -1]]
    assert begin - 60 <= trace.onset_seconds <= begin + 0.85 * (end - begin) + 60
    if trace.limit_bytes is None:
        assert trace.seconds_to_limit is None


def test_half_of_the_families_leak() -> None:
    """Healthy and leaking families are as many."""
    assert 2 * sum(family.leak for family in FAMILIES.values()) == len(FAMILIES)


@pytest.mark.parametrize("family", ["objects_never_freed", "leak_beneath_page_cache", "dict_of_requests"])
@pytest.mark.parametrize("seed", range(200, 206))
def test_rate_and_time_to_limit_are_seen_in_the_level(family: str, seed: int) -> None:
    """The level's last half rises at the stated rate, and the headroom at that rate takes the stated time."""
    trace = generate(family, seed)
    level = trace.columns.get("anon_bytes", trace.columns["working_set_bytes"])
    seconds = trace.time_seconds - trace.time_seconds[-1]
    assert trace.slope_bytes_per_second is not None
    grown = trace.slope_bytes_per_second * (seconds[-1] - seconds[0])
    line = np.polyfit(seconds, level, 1)
    assert line[0] * (seconds[-1] - seconds[0]) == pytest.approx(grown, rel=0.25, abs=0.03 * float(np.median(level)))
    if trace.limit_bytes is not None and trace.seconds_to_limit is not None:
        room = trace.limit_bytes - np.polyval(line, 0.0)
        assert 0.5 * room < trace.seconds_to_limit * trace.slope_bytes_per_second < 1.1 * room


def test_command_writes_traces_with_their_truth(tmp_path: Path) -> None:
    """The command writes one CSV a family and seed, and a line of truth for each."""
    command = [sys.executable, "-m", "benchmarks.second_author", str(tmp_path), "--seeds", "3:4"]
    subprocess.run(command, cwd=ROOT, check=True, timeout=120)
    rows = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_text().splitlines()]
    assert {row["family"] for row in rows} == FAMILIES.keys()
    for row in rows:
        header = next(csv.reader((tmp_path / row["file"]).read_text().splitlines()))
        assert header[0] == "timestamp" and "working_set_bytes" in header
        assert row.keys() >= {"file", "leak", "family", "full", "slope", "eta", "per_request"}
