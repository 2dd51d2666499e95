"""Every trace in sample_traces/, read and judged as the program does it, against what its workload truly does."""

import functools
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from detectors.types import Answer, Assessment, Shape
from leakwatch.detect import assess
from leakwatch.sample.trace_files import read_traces
from leakwatch.trace import Trace

FOLDER = Path(__file__).parents[1] / "sample_traces"
ENTRIES: list[dict[str, Any]] = yaml.safe_load((FOLDER / "index.yaml").read_text())["traces"]
LARGEST_FILE_BYTES, LARGEST_TOTAL_BYTES = 150_000, 1_500_000
TOLERATED_RATE_ERROR = 0.10

each_trace = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: Path(entry["file"]).stem)


def with_truth(name: str) -> pytest.MarkDecorator:
    known = [entry for entry in ENTRIES if name in entry.get("truth", {})]
    assert known, name
    return pytest.mark.parametrize("entry", known, ids=lambda entry: Path(entry["file"]).stem)


@functools.cache
def read(file: str) -> Trace:
    (trace,) = read_traces(str(FOLDER / file))
    return trace


@functools.cache
def judged(file: str) -> Assessment:
    return assess(read(file))


@each_trace
def test_a_recorded_trace_gets_its_verdict(entry: dict[str, Any]) -> None:
    """A process that leaks is called leaking and one that does not is not, whatever its memory looks like."""
    verdict = judged(entry["file"]).verdict
    assert verdict.verdict == entry["expected"]["verdict"], verdict.because


@each_trace
def test_a_recorded_trace_gets_a_shape_that_describes_it(entry: dict[str, Any]) -> None:
    """The shape is one that a person who knows the workload would use."""
    verdict = judged(entry["file"]).verdict
    assert verdict.shape in entry["expected"]["shape"], verdict.because


@with_truth("slope_bytes_per_second")
def test_the_slope_is_the_one_that_was_built_in(entry: dict[str, Any]) -> None:
    """A leak by the clock is measured at its true rate, across restarts too."""
    trend = judged(entry["file"]).verdict.trend
    assert trend is not None
    assert trend.slope_per_second == pytest.approx(entry["truth"]["slope_bytes_per_second"], rel=TOLERATED_RATE_ERROR)


@with_truth("bytes_per_request")
def test_the_cost_of_a_request_is_the_one_that_was_built_in(entry: dict[str, Any]) -> None:
    """A leak by the request is charged to the requests, at what each truly leaves behind."""
    attribution = judged(entry["file"]).attribution
    assert attribution is not None
    assert attribution.bytes_per_request is not None
    expected = pytest.approx(entry["truth"]["bytes_per_request"], rel=TOLERATED_RATE_ERROR)
    assert attribution.bytes_per_request.estimate == expected


@with_truth("bytes_per_request_by_model")
def test_the_leaking_model_is_told_from_its_neighbour(entry: dict[str, Any]) -> None:
    """Of two models in one process the one that leaks gets the blame, and its neighbour next to none."""
    attribution = judged(entry["file"]).attribution
    assert attribution is not None
    blamed = {share.model: share for share in attribution.by_model}
    for model, true_bytes in entry["truth"]["bytes_per_request_by_model"].items():
        if true_bytes:
            expected = pytest.approx(true_bytes, rel=TOLERATED_RATE_ERROR)
            assert blamed[model].bytes_per_request.estimate == expected
        elif model in blamed:
            assert blamed[model].share < TOLERATED_RATE_ERROR


@each_trace
def test_a_recorded_trace_is_read_whole(entry: dict[str, Any]) -> None:
    """No sample of our own recordings is dropped by our own reader, and there are enough of them to judge."""
    trace = read(entry["file"])
    rows = (FOLDER / entry["file"]).read_text().count("\n") - 1
    assert (len(trace.time_seconds), trace.dropped_rows) == (rows, 0)
    assert rows >= 80


@each_trace
def test_an_entry_says_where_its_trace_comes_from_and_what_it_is(entry: dict[str, Any]) -> None:
    """Nothing is shipped without origin, licence and cause, and what is expected is spelt as verdicts are."""
    assert all(entry[key].strip() for key in ("origin", "licence", "cause"))
    answer = Answer(entry["expected"]["verdict"])
    assert [Shape(shape) for shape in entry["expected"]["shape"]]
    assert answer is Answer.LEAK or "truth" not in entry


def test_the_index_lists_the_folder() -> None:
    """Every trace has its entry and every entry its trace, once."""
    listed = [entry["file"] for entry in ENTRIES]
    assert sorted(listed) == sorted(path.name for path in FOLDER.glob("*.csv"))


def test_a_recorded_trace_can_be_made_again() -> None:
    """Whoever doubts a trace finds its recording by name (TensorFlow is too large an environment to ask for)."""
    recordings = (FOLDER / "recorders" / "record.py").read_text()
    stems = [Path(entry["file"]).stem for entry in ENTRIES if not entry["file"].startswith("tf_")]
    assert [stem for stem in stems if f'"{stem}"' not in recordings] == []


def test_the_recorder_records(tmp_path: Path) -> None:
    """The scripts that made the traces still run, and what they write is a trace with its columns filled."""
    script, name = FOLDER / "recorders" / "record.py", "python_list_by_time"
    command = [sys.executable, str(script), "--into", str(tmp_path), "--seconds", "3", name]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    (trace,) = read_traces(str(tmp_path / f"{name}.csv"))
    assert len(trace.time_seconds) >= 3
    assert trace.columns["anon_bytes"][-1] > trace.columns["anon_bytes"][0] > 0
    assert trace.columns["requests_total"][-1] > 0


def test_the_traces_are_small_enough_for_a_repository() -> None:
    """A clone does not pay for the samples."""
    sizes = {path.name: path.stat().st_size for path in FOLDER.glob("*.csv")}
    assert max(sizes.values()) < LARGEST_FILE_BYTES, sizes
    assert sum(sizes.values()) < LARGEST_TOTAL_BYTES
