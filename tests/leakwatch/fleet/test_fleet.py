"""A fleet from data set to findings: one container, its group, a run that was cut off, two releases compared."""

import io
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pyarrow.parquet as pq
import pytest

from detectors.types import Answer
from leakwatch.cli import run
from leakwatch.errors import LeakwatchError
from leakwatch.fleet.engine import LocalEngine
from leakwatch.fleet.judging import ChunkResult, Task, judge_chunk
from leakwatch.fleet.run import Fleet, Judging, conclude, differences, judge_all, plan_of
from leakwatch.fleet.store import Store, read_results
from leakwatch.sample.datasets import survey

KINDS = ("workload", "image", "node")


def judged(dataset: Path, results: Path, workers: int = 1, resume: bool = False) -> Fleet:
    found, judging, engine = survey([str(dataset)]), Judging(), LocalEngine(workers)
    store = Store(str(results), plan_of(found, judging), resume=resume)
    judge_all(found, judging, engine, store, lambda result: None)
    return conclude(found, store, engine, KINDS, judging.grid(found))


@pytest.fixture(scope="session")
def fleet(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    return judged(dataset, tmp_path_factory.mktemp("results"))


def test_a_container_is_judged_as_analyze_judges_it(dataset: Path, fleet: Fleet) -> None:
    """The same numbers give the same verdict, slope and time to the limit, whichever command reads them."""
    from leakwatch.detect import assess
    from leakwatch.sample.datasets import read_chunk

    by_name = {one.name: one for one in fleet.leaks}
    for chunk in survey([str(dataset)]).chunks:
        for found in read_chunk(chunk):
            assert not isinstance(found, LeakwatchError)
            alone = assess(found[1])
            name = str(found[1].target.container)
            assert (name in by_name) == (alone.verdict.verdict is Answer.LEAK)
            if name in by_name:
                assert by_name[name].trend == alone.verdict.trend
                assert by_name[name].forecast == alone.forecast


def test_the_release_that_leaks_is_named(fleet: Fleet) -> None:
    """Image v47 is claimed, with all of its replicas rising and the rate inside its interval; v46 is not."""
    images = {group.name: group for group in fleet.groups if group.kind == "image"}
    release = images["serving0:v47"]
    assert release.claimed
    assert release.rising == release.replicas == 6
    assert release.trend is not None
    assert release.trend.low <= 3e3 <= release.trend.high
    assert not any(group.claimed for name, group in images.items() if name.endswith("v46"))


def test_the_first_to_die_comes_first(fleet: Fleet) -> None:
    """The fast leak of one container heads the list, and makes no leak of its workload."""
    assert fleet.leaks[0].labels["pod"] == "serving2-6d4b75cb6d-00003"
    (workload,) = (group for group in fleet.groups if group.name == "ml/serving2")
    assert not workload.claimed


def test_a_run_that_was_cut_off_goes_on_where_it_stopped(dataset: Path, fleet: Fleet, tmp_path: Path) -> None:
    """Chunks that are there are not judged again, and the end is the same as of one run."""
    found, judging = survey([str(dataset)]), Judging()
    store = Store(str(tmp_path), plan_of(found, judging), resume=False)
    first = judge_chunk(Task(found.chunks[0], judging.grid(found)))
    store.write(first.number, first.judged, first.errors)
    (tmp_path / ".part-000001.parquet.new").write_bytes(b"half")  # killed while it wrote
    again = Store(str(tmp_path), plan_of(found, judging), resume=True)
    told: list[ChunkResult] = []
    judge_all(found, judging, LocalEngine(1), again, told.append)
    assert first.number not in {result.number for result in told}
    after = conclude(found, again, LocalEngine(1), KINDS, judging.grid(found))
    assert [one.name for one in after.leaks] == [one.name for one in fleet.leaks]
    assert [group.name for group in after.groups] == [group.name for group in fleet.groups]


def test_results_of_other_data_are_not_mixed(dataset: Path, tmp_path: Path) -> None:
    """A folder with results is only gone on with on purpose, and never with other data."""
    found = survey([str(dataset)])
    Store(str(tmp_path), plan_of(found, Judging()), resume=False)
    with pytest.raises(LeakwatchError, match="--resume"):
        Store(str(tmp_path), plan_of(found, Judging()), resume=False)
    with pytest.raises(LeakwatchError, match="other data"):
        Store(str(tmp_path), plan_of(found, Judging(limit_bytes=1e9)), resume=True)


def test_two_workers_find_what_one_finds(dataset: Path, fleet: Fleet, tmp_path: Path) -> None:
    """The pool changes the order of the work and nothing else."""
    after = judged(dataset, tmp_path, workers=2)
    assert [one.name for one in after.leaks] == [one.name for one in fleet.leaks]
    assert after.counts == fleet.counts


def test_a_run_that_is_killed_leaves_no_process_and_goes_on(dataset: Path, tmp_path: Path) -> None:
    """kill -9 in mid-run: the workers end by themselves, and --resume ends as one run would have."""
    command = [sys.executable, "-m", "leakwatch", "fleet", str(dataset), "--workers", "2", "--results", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        workers: list[psutil.Process] = []
        deadline = time.monotonic() + 100
        while len(workers) < 4 and process.poll() is None and time.monotonic() < deadline:
            workers = psutil.Process(process.pid).children(recursive=True)  # two, and two that serve them
            time.sleep(0.01)
        process.kill()
    assert psutil.wait_procs(workers, timeout=60)[1] == []
    assert judged(dataset, tmp_path, resume=(tmp_path / "plan.json").exists()).leaks


def test_what_is_kept_is_what_was_found(dataset: Path, tmp_path: Path) -> None:
    """A container that went through the store is the container that was judged."""
    found, judging = survey([str(dataset)]), Judging()
    result = judge_chunk(Task(found.chunks[0], judging.grid(found)))
    Store(str(tmp_path), plan_of(found, judging), resume=False).write(0, result.judged, ())
    for before, after in zip(result.judged, read_results(str(tmp_path)), strict=True):
        assert (before.labels, before.verdict, before.trend, before.because) == (
            after.labels,
            after.verdict,
            after.trend,
            after.because,
        )
        assert np.array_equal(before.levels, after.levels, equal_nan=True)


class TestDiff:
    def test_new_gone_and_changed(self, fleet: Fleet) -> None:
        """A leak that only one fleet has is new or gone; one of the same rate in both is no change."""
        none = [one for one in fleet.leaks if one.labels["workload"] != "serving2"]
        assert [change.word for change in differences(none, fleet.leaks)] == ["new"]
        assert [change.word for change in differences(fleet.leaks, none)] == ["gone"]
        assert list(differences(fleet.leaks, fleet.leaks)) == []

    def test_a_gate_for_releases(self, dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """10 where the later fleet brings a leak, 0 where it brings none."""
        before, after = str(tmp_path / "before"), str(tmp_path / "after")
        found = survey([str(dataset)])
        Store(before, plan_of(found, Judging()), resume=False).write(0, (), ())
        assert run(["fleet", str(dataset), "--results", after, "--workers", "1", "-o", "json"]) == 10
        capsys.readouterr()
        assert run(["fleet", "diff", before, after]) == 10
        assert "2 new leaks" in capsys.readouterr().out
        assert run(["fleet", "diff", after, after, "-o", "json"]) == 0
        assert json.loads(capsys.readouterr().out)["changes"] == []


class TestCommand:
    @pytest.mark.parametrize("output", ["table", "json", "jsonl", "html"])
    def test_every_output(self, dataset: Path, output: str, capsys: pytest.CaptureFixture[str]) -> None:
        """Status 10, and what each form promises."""
        assert run(["fleet", str(dataset), "--workers", "1", "-o", output]) == 10
        out = capsys.readouterr().out
        assert "serving0:v47" in out
        if output == "json":
            document = json.loads(out)
            assert document["containers"] == 24
            assert document["leaks"][0]["labels"]["pod"] == "serving2-6d4b75cb6d-00003"
        if output == "html":
            assert not any(word in out for word in ("<script", "https://", "http://", "src="))

    def test_parquet(self, dataset: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
        """Any reader has the urgency table: the rows and numbers of the JSON document, and its groups as metadata."""
        command = ["fleet", str(dataset), "--workers", "1", "-o"]
        assert run([*command, "parquet"]) == 10
        table = pq.read_table(io.BytesIO(capsysbinary.readouterr().out))
        assert run([*command, "json"]) == 10
        document = json.loads(capsysbinary.readouterr().out)
        assert json.loads(table.schema.metadata[b"leakwatch"]) == {k: document[k] for k in document if k != "leaks"}
        assert table.num_rows == len(document["leaks"]) > 0
        for place, (row, leak) in enumerate(zip(table.to_pylist(), document["leaks"], strict=True), 1):
            assert row["urgency"] == place
            assert {name: row[name] for name in leak["labels"]} == leak["labels"]
            slope = leak["slope_bytes_per_second"]
            assert (row["slope_bytes_per_second"], row["slope_low"], row["slope_high"]) == tuple(slope.values())
            assert row["time_to_limit_low"] == (leak["time_to_limit_seconds"] or {}).get("low")
            assert (row["because"], len(row["levels"])) == (leak["because"], 144)

    def test_json_lines_come_as_chunks_do(
        self, dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Each leak once, before any group; a run that goes on tells those that were there as well."""
        command = ["fleet", str(dataset), "--workers", "1", "--results", str(tmp_path / "kept")]
        assert run([*command, "-o", "jsonl"]) == 10
        rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        containers = [row["container"] for row in rows if "container" in row]
        assert len(set(containers)) == len(containers) > 0
        assert all("container" in row for row in rows[: len(containers)])
        assert run([*command, "--resume", "-o", "jsonl"]) == 10
        assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == rows
        assert run([*command, "--resume", "-o", "json"]) == 10
        document = json.loads(capsys.readouterr().out)
        assert {leak["container"] for leak in document["leaks"]} == set(containers)

    def test_wrong_usage(self, dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """One line each."""
        assert run(["fleet", str(dataset), "--resume"]) == 2
        assert run(["fleet", str(tmp_path / "nothing")]) == 1
        assert run(["fleet", "diff", str(tmp_path), str(tmp_path)]) == 1
        assert len(capsys.readouterr().err.strip().splitlines()) == 3
