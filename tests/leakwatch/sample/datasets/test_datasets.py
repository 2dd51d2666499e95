"""Data sets split into chunks of whole containers, whatever way the rows lie in the files."""

import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leakwatch.errors import LeakwatchError
from leakwatch.sample.datasets import read_chunk, survey
from leakwatch.sample.datasets import survey as survey_of
from leakwatch.sample.datasets.read import labels_of_name
from leakwatch.trace import Trace

START = 1_790_000_000.0


def written(path: Path, containers: int, points: int = 30, row_group: int | None = None, **more: object) -> None:
    """Rows of all containers, one after the other."""
    time = np.tile(START + 60.0 * np.arange(points), containers)
    names = np.repeat([f"c{i:03}" for i in range(containers)], points)
    level = np.repeat(np.arange(containers) + 1.0, points) * 1e6
    table = pa.table({"timestamp": time, "container": names, "anon_bytes": level, **more})
    pq.write_table(table, path, row_group_size=row_group or len(time))


def everything(*paths: Path) -> dict[str, Trace]:
    """All traces of all chunks by container; each has to come once."""
    found: dict[str, Trace] = {}
    for chunk in survey([str(path) for path in paths]).chunks:
        for one in read_chunk(chunk):
            assert not isinstance(one, LeakwatchError), one
            name = one[1].target.container
            assert name is not None and name not in found
            found[name] = one[1]
    return found


@pytest.mark.parametrize("row_group", [None, 30, 47, 1000, 7])
def test_each_container_comes_once_and_whole(tmp_path: Path, row_group: int | None) -> None:
    """However row groups cut through containers, each is read with all its rows and no other's."""
    written(tmp_path / "a.parquet", 12, row_group=row_group)
    found = everything(tmp_path)
    assert len(found) == 12
    for number, name in enumerate(sorted(found)):
        assert len(found[name].time_seconds) == 30
        assert set(found[name].columns["anon_bytes"]) == {(number + 1) * 1e6}


def test_a_container_in_several_files_is_put_together(tmp_path: Path) -> None:
    """A file a day: the days of a container are one trace, in order, whatever the order of the files."""
    written(tmp_path / "b.parquet", 3)
    later = pq.read_table(tmp_path / "b.parquet")
    later = later.set_column(0, "timestamp", pa.array(later["timestamp"].to_numpy() + 86_400.0))
    pq.write_table(later, tmp_path / "a.parquet")
    found = everything(tmp_path)
    assert [len(trace.time_seconds) for trace in found.values()] == [60, 60, 60]
    assert all((np.diff(trace.time_seconds) > 0).all() for trace in found.values())


def test_many_containers_in_one_row_group_are_several_chunks(tmp_path: Path) -> None:
    """A row group with 900 containers is read at most four times, and no container twice."""
    written(tmp_path / "a.parquet", 900, points=25)
    dataset = survey([str(tmp_path)])
    assert 2 <= len(dataset.chunks) <= 4
    assert dataset.containers == len(everything(tmp_path)) == 900


def test_times_of_every_kind_are_seconds(tmp_path: Path) -> None:
    """Moments with and without a zone, milliseconds and seconds are the same times."""
    moments = [datetime.datetime.fromtimestamp(START + 60 * i, datetime.UTC) for i in range(30)]
    kinds = {
        "zoned": pa.array(moments, pa.timestamp("ms", tz="UTC")),
        "plain": pa.array([moment.replace(tzinfo=None) for moment in moments], pa.timestamp("ns")),
        "millis": pa.array([int((START + 60 * i) * 1000) for i in range(30)]),
        "seconds": pa.array([START + 60 * i for i in range(30)]),
    }
    for name, time in kinds.items():
        folder = tmp_path / name
        folder.mkdir()
        pq.write_table(
            pa.table({"timestamp": time, "container": ["c"] * 30, "anon_bytes": [1.0] * 30}), folder / "a.parquet"
        )
        dataset = survey([str(folder)])
        assert (dataset.start_seconds, dataset.end_seconds) == (START, START + 60 * 29), name
        assert everything(folder)["c"].time_seconds[0] == START, name


def test_dirty_rows_are_counted(tmp_path: Path) -> None:
    """Rows at one moment and rows without a time are dropped and counted; unsorted ones are sorted."""
    time = pa.array([START + 60, START, None, START + 60, START + 120])
    table = pa.table({"timestamp": time, "container": ["c"] * 5, "anon_bytes": [2.0, 1.0, 9.0, 8.0, None]})
    pq.write_table(table, tmp_path / "a.parquet")
    trace = everything(tmp_path)["c"]
    assert trace.dropped_rows == 2
    assert trace.time_seconds.tolist() == [START, START + 60, START + 120]
    assert np.array_equal(trace.columns["anon_bytes"], [1.0, 2.0, np.nan], equal_nan=True)


def test_csv_files_stand_beside_parquet(tmp_path: Path) -> None:
    """A folder of both is one data set."""
    written(tmp_path / "a.parquet", 2)
    (tmp_path / "b.csv").write_text(
        "timestamp,container,anon_bytes\n" + "".join(f"{START + i},x,5\n" for i in range(30))
    )
    assert set(everything(tmp_path)) == {"c000", "c001", "x"}


def test_what_cannot_be_read_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    """Garbage, a file cut off, one without the columns: a line each."""
    written(tmp_path / "good.parquet", 2)
    (tmp_path / "garbage.parquet").write_bytes(b"PAR1 nothing PAR1")
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "good.parquet").read_bytes()[:200])
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    dataset = survey_of([str(tmp_path)])
    assert dataset.containers == 2
    assert len(dataset.unreadable) == 3
    assert all("\n" not in line for line in dataset.unreadable)


def test_nothing_to_read_is_one_error(tmp_path: Path) -> None:
    """An empty folder, and one with nothing but garbage."""
    with pytest.raises(LeakwatchError, match="no file is there"):
        survey([str(tmp_path)])
    (tmp_path / "garbage.parquet").write_bytes(b"nothing")
    with pytest.raises(LeakwatchError, match=r"garbage\.parquet"):
        survey([str(tmp_path)])


def test_buckets_are_read_through_fsspec(tmp_path: Path) -> None:
    """A URL goes through fsspec; the memory file system stands for a bucket."""
    fsspec = pytest.importorskip("fsspec")
    written(tmp_path / "a.parquet", 2)
    memory = fsspec.filesystem("memory")
    memory.pipe("/bucket/day/a.parquet", (tmp_path / "a.parquet").read_bytes())
    try:
        dataset = survey(["memory://bucket/day"])
        assert dataset.containers == 2
        assert sum(1 for chunk in dataset.chunks for _ in read_chunk(chunk)) == 2
    finally:
        memory.rm("/bucket", recursive=True)


def test_labels_are_read_off_names() -> None:
    """Names as the trace readers make them."""
    assert labels_of_name("ml/serving-0/server") == {"namespace": "ml", "pod": "serving-0", "container": "server"}
    assert labels_of_name("serving-0/server") == {"pod": "serving-0", "container": "server"}
    assert labels_of_name("plain") == {"container": "plain"}
