"""The examiner is examined: what the corpus says about its traces is really in them."""

import copy
import csv
import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import corpus
from benchmarks.containers.future import seconds_to_limit
from benchmarks.containers.labelled import label
from leakwatch.trace import MEMORY_COLUMNS

ROOT = Path(__file__).parents[2]
EACH_FAMILY = pytest.mark.parametrize("family", corpus.FAMILIES)
LEAKING = [name for name, family in corpus.FAMILIES.items() if family.leak]


def judged(trace: corpus.Labelled) -> np.ndarray:
    """Bytes that the truth speaks of."""
    return trace.columns["anon_bytes" if trace.full else "working_set_bytes"]


@EACH_FAMILY
def test_the_same_family_and_seed_give_the_same_trace(family: str) -> None:
    """Every number of a trace follows from family and seed, and another seed gives another trace."""
    first, again, other = corpus.generate(family, 3), corpus.generate(family, 3), corpus.generate(family, 4)
    np.testing.assert_array_equal(first.time_seconds, again.time_seconds)
    assert first.columns.keys() == again.columns.keys()
    for name, values in first.columns.items():
        np.testing.assert_array_equal(values, again.columns[name])
    for field in dataclasses.fields(first):
        if field.name not in {"time_seconds", "columns"}:
            assert getattr(first, field.name) == getattr(again, field.name), field.name
    assert first.time_seconds[0] != other.time_seconds[0]


@EACH_FAMILY
def test_every_family_gives_traces_that_an_exporter_could_have_written(family: str) -> None:
    """Times rise, bytes are whole pages inside the limit, and counters fall only where a process began anew."""
    for seed in range(5):
        an_exporter_could_have_written(corpus.generate(family, seed))


def an_exporter_could_have_written(trace: corpus.Labelled) -> None:
    n = len(trace.time_seconds)
    assert n >= 250 and np.all(np.diff(trace.time_seconds) > 0)
    assert ("anon_bytes" in trace.columns) == trace.full == ("requests_total" in trace.columns)
    for name, values in trace.columns.items():
        assert values.shape == (n,) and values.dtype == np.float64
        known = values[np.isfinite(values)]
        assert len(known) > 0.9 * n and known.min() >= 0
        np.testing.assert_array_equal(known, np.floor(known), err_msg=name)
        if name in MEMORY_COLUMNS:
            assert not np.any(known % 4096), name
            assert trace.limit_bytes is None or known.max() <= trace.limit_bytes, name
        elif not any(word in trace.family for word in ("deploys", "cycles", "kills")):
            assert np.all(np.diff(known) >= 0), name
    if trace.full:
        memory = {name: np.nan_to_num(trace.columns[name], nan=np.inf) for name in ("anon_bytes", "working_set_bytes")}
        seen = np.isfinite(memory["anon_bytes"]) & np.isfinite(memory["working_set_bytes"])
        assert np.all(memory["anon_bytes"][seen] <= memory["working_set_bytes"][seen])


@EACH_FAMILY
def test_labels_go_together(family: str) -> None:
    """A healthy trace has no truth about a leak; a leaking one has an onset inside the trace and no negative number."""
    for seed in range(3):
        trace = corpus.generate(family, seed)
        numbers = (trace.slope_bytes_per_second, trace.seconds_to_limit, trace.bytes_per_request)
        assert trace.leak == corpus.FAMILIES[family].leak
        if not trace.leak:
            assert numbers == (None, None, None) and trace.onset_seconds is None
            continue
        assert trace.onset_seconds is not None
        left = trace.time_seconds[-1] - trace.onset_seconds
        assert left > 0.14 * np.ptp(trace.time_seconds)
        assert all(number is None or number > 0 for number in numbers)
        assert trace.limit_bytes is not None or trace.seconds_to_limit is None


@pytest.mark.parametrize("family", LEAKING)
def test_the_leak_is_really_in_the_data(family: str) -> None:
    """The trace minus the same trace without its leak grows by the stated slope, and by nothing before the onset."""
    for seed in range(3):
        physics = corpus.simulate(family, seed)
        without = dataclasses.replace(copy.deepcopy(physics), leaked_bytes=np.zeros_like(physics.leaked_bytes))
        trace, control = label(family, seed, physics), label(family, seed, without)
        grown = judged(trace) - judged(control)
        seen = np.isfinite(grown)
        clock, grown = trace.time_seconds[seen], grown[seen]
        assert trace.onset_seconds is not None
        assert np.all(np.abs(grown[clock < trace.onset_seconds]) <= 4096)
        assert grown.max() > 0.005 * np.median(judged(control)[seen])
        if trace.slope_bytes_per_second is None:
            continue
        after = clock > trace.onset_seconds
        fallen = np.flatnonzero(np.diff(grown[after]) < -0.05 * np.ptp(grown))
        pieces = np.split(np.arange(after.sum()), fallen + 1)
        longest = max(pieces, key=len)
        slope = np.polyfit(clock[after][longest], grown[after][longest], 1)[0]
        assert slope == pytest.approx(trace.slope_bytes_per_second, rel=0.12), seed


@pytest.mark.parametrize("family", [name for name in LEAKING if "request" in name or "model" in name])
def test_bytes_per_request_times_requests_is_the_leak(family: str) -> None:
    """Where requests leak, what has been leaked at the end is their count times the stated bytes."""
    for seed in range(4):
        physics = corpus.simulate(family, seed)
        trace = label(family, seed, physics)
        model = trace.leaking_model or "model_a"
        assert trace.bytes_per_request is not None
        assert physics.leaked_bytes[-1] == pytest.approx(
            trace.bytes_per_request * physics.container.traffic.counts[model][-1], rel=1e-9
        )


def test_time_to_limit_is_the_first_peak_that_reaches_it() -> None:
    """A daily peak of 30 on a level of 100 with 1 a second reaches 200 in the lap whose peak does, not at the mean."""
    clock = np.arange(10.0)
    rest = np.where(clock == 6, 130.0, 100.0)
    # Laps of 10 s: lap k's peak is at 10 k + 6; 20 + (10 k + 6) + 130 >= 200 first holds for k = 5.
    assert seconds_to_limit(clock, rest, 20.0, lambda s: s, 200.0, 1_000.0) == 56.0
    assert seconds_to_limit(clock, rest, 20.0, lambda s: 0.0 * s, 200.0, 1_000.0) is None


def test_time_to_limit_agrees_with_the_trace_going_on() -> None:
    """A line alone reaches the limit after headroom over slope."""
    found = 0
    for seed in range(12):
        physics = corpus.simulate("leak_by_time", seed)
        trace = label("leak_by_time", seed, physics)
        if trace.seconds_to_limit is None or trace.full is False:
            continue
        level = physics.held_bytes[-1] + physics.leaked_bytes[-1]
        assert trace.limit_bytes is not None and trace.slope_bytes_per_second is not None
        expected = (trace.limit_bytes - level) / trace.slope_bytes_per_second
        assert trace.seconds_to_limit == pytest.approx(expected, rel=0.01)
        found += 1
    assert found


def test_there_are_enough_families_and_half_of_them_are_healthy() -> None:
    """At least 34 families, half of them healthy, each with a line of description."""
    leaking = sum(family.leak for family in corpus.FAMILIES.values())
    assert len(corpus.FAMILIES) >= 34 and leaking * 2 == len(corpus.FAMILIES)
    assert all(family.description and "\n" not in family.description for family in corpus.FAMILIES.values())


def test_the_command_writes_csv_and_truth(tmp_path: Path) -> None:
    """The files named in truth.jsonl are there, in the native form, with the keys that a scorer needs."""
    command = [sys.executable, "-m", "benchmarks.corpus", str(tmp_path), "--seeds", "0:2"]
    subprocess.run([*command, "--families", "leak_per_model,healthy_deploys"], cwd=ROOT, check=True)
    truth = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_text().splitlines()]
    assert len(truth) == 4
    for line in truth:
        assert {"file", "leak", "family", "full", "slope", "eta", "per_request"} <= line.keys()
        with (tmp_path / line["file"]).open() as file:
            rows = list(csv.DictReader(file))
        trace = corpus.generate(line["family"], int(line["file"].rsplit("_", 1)[1].removesuffix(".csv")))
        assert len(rows) == len(trace.time_seconds)
        written = np.array([float(row["timestamp"]) for row in rows])
        np.testing.assert_allclose(written, trace.time_seconds, atol=1e-3)
        assert {row.get("limit_bytes") for row in rows} in ({str(int(trace.limit_bytes or 0))}, {None})
        for name, values in trace.columns.items():
            read = np.array([float(row[name] or "nan") for row in rows])
            np.testing.assert_array_equal(read, values, err_msg=name)
