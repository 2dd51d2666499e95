import resource
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakwatch.errors import LeakwatchError
from leakwatch.sample.trace_files import read_traces
from leakwatch.tell.trace_csv import TraceWriter
from leakwatch.trace import Sample, Trace

T0 = 1_790_000_000.0


def sample(i: int, **more: float) -> Sample:
    return Sample(
        T0 + 5 * i, {"anon_bytes": 2.0**20 * (i + 1), "limit_bytes": 2.0**30, "cpu_seconds_total": i / 8, **more}
    )


def write(path: Path, samples: list[Sample], **how: int) -> None:
    writer = TraceWriter(str(path), **how)
    for one in samples:
        writer.write(one)
    writer.close()


def read(path: Path) -> Trace:
    (trace,) = read_traces(str(path))
    return trace


def test_what_is_written_is_read(tmp_path: Path):
    """Times, values, limits and columns come back exactly; nothing is dropped."""
    write(tmp_path / "t.csv", [sample(i) for i in range(20)])
    trace = read(tmp_path / "t.csv")
    assert list(trace.time_seconds) == [T0 + 5 * i for i in range(20)]
    assert list(trace.columns["anon_bytes"]) == [2.0**20 * (i + 1) for i in range(20)]
    assert list(trace.columns["cpu_seconds_total"]) == [i / 8 for i in range(20)]
    assert (trace.limit_bytes, trace.dropped_rows) == (2.0**30, 0)


def test_a_file_cut_at_any_byte_is_gone_on_with_and_has_no_torn_line(tmp_path: Path):
    """At every byte at which a kill can leave the file: resuming loses the torn row alone, and every row reads."""
    path = tmp_path / "t.csv"
    write(path, [sample(i) for i in range(4)])
    whole = path.read_bytes()
    for size in range(len(whole) + 1):
        path.write_bytes(whole[:size])
        write(path, [sample(9)])
        trace = read(path)
        left = max(0, whole[:size].count(b"\n") - 1)
        assert trace.dropped_rows == 0
        assert list(trace.time_seconds) == [*(T0 + 5 * i for i in range(left)), T0 + 45]
        assert trace.columns["anon_bytes"][-1] == 10 * 2**20


def test_a_column_that_appears_later_gets_its_place(tmp_path: Path):
    """The first request to a new model, whatever its name holds, widens the file; older rows do not know it."""
    path, name = tmp_path / "t.csv", 'requests_total:a,"b"\n<x>'
    write(path, [sample(0), sample(1, **{name: 7.0})])
    write(path, [sample(2, threads=3.0)])
    trace = read(path)
    assert trace.dropped_rows == 0 and len(trace.time_seconds) == 3
    column = trace.columns['requests_total:a,"b"\ufffd<x>']
    assert (column[1], str(column[0]), str(column[2])) == (7.0, "nan", "nan")
    assert trace.columns["threads"][2] == 3.0
    assert [file.name for file in tmp_path.iterdir()] == ["t.csv"]


def test_files_rotate_by_size_and_each_reads_alone(tmp_path: Path):
    """No file is larger than asked, the newest rotated one is .1, the oldest beyond the number kept is gone."""
    path = tmp_path / "t.csv"
    write(path, [sample(i) for i in range(60)], rotate_bytes=700, keep=2)
    names = sorted(file.name for file in tmp_path.iterdir())
    assert names == ["t.csv", "t.csv.1", "t.csv.2"]
    assert all((tmp_path / name).stat().st_size <= 700 for name in names)
    times = [time for name in reversed(names) for time in read(tmp_path / name).time_seconds]
    assert times == [T0 + 5 * i for i in range(60 - len(times), 60)]


@pytest.mark.parametrize("content", [b"root:x:0:0\n", b"\n", b"time,anon_bytes\n1,2\n", b"\x00\xff", b"timestampx"])
def test_a_file_that_is_no_trace_is_left_alone(tmp_path: Path, content: bytes):
    """Somebody's file under that name is refused in one line, byte for byte as it was."""
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(LeakwatchError, match="no trace that leakwatch wrote"):
        TraceWriter(str(path))
    assert path.read_bytes() == content


def test_two_recorders_do_not_share_a_file(tmp_path: Path):
    """The second is refused while the first one writes, and welcome afterwards."""
    first = TraceWriter(str(tmp_path / "t.csv"))
    with pytest.raises(LeakwatchError, match="somebody else"):
        TraceWriter(str(tmp_path / "t.csv"))
    first.close()
    TraceWriter(str(tmp_path / "t.csv")).close()


@pytest.fixture
def file_limit() -> Callable[[int], None]:
    """Sets how large a file may become, which fails in the middle of a write as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_tears_no_line_and_is_got_over(tmp_path: Path, file_limit: Callable[[int], None]):
    """Where only half a row fits, the row is taken back; when there is room again, the next one is whole."""
    path = tmp_path / "t.csv"
    writer = TraceWriter(str(path))
    writer.write(sample(0))
    file_limit(path.stat().st_size + 10)
    for i in (1, 2):
        with pytest.raises(OSError):
            writer.write(sample(i))
    assert path.read_bytes().endswith(b"\n")
    file_limit(resource.RLIM_INFINITY)
    writer.write(sample(3))
    writer.close()
    assert list(read(path).time_seconds) == [T0, T0 + 15]


names = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=8).map("requests_total:{}".format)


@given(st.lists(st.dictionaries(names, st.floats(0, 1e18), max_size=3), min_size=1, max_size=5))
def test_any_names_and_numbers_make_whole_rows(tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, float]]):
    """Whatever models are called and however large counters are, no row is dropped."""
    path = tmp_path_factory.mktemp("any") / "t.csv"
    write(path, [sample(i, **row) for i, row in enumerate(rows)])
    trace = read(path)
    assert (trace.dropped_rows, len(trace.time_seconds)) == (0, len(rows))
