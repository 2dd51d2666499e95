"""The native CSV: every column and every kind of dirt that the contract names."""

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from leakwatch.errors import TraceError
from leakwatch.sample.trace_files import read_traces
from leakwatch.trace import Trace


def read(text: str | bytes) -> list[Trace]:
    return read_traces("-", stdin=io.BytesIO(text if isinstance(text, bytes) else text.encode()))


def read_one(text: str | bytes) -> Trace:
    (trace,) = read(text)
    return trace


def test_a_plain_file_is_read_as_it_stands(tmp_path: Path) -> None:
    """Times, memory, limit and counters arrive under their names, read-only, and the source is the path as given."""
    path = tmp_path / "whatever.dat"
    path.write_text(
        "timestamp,anon_bytes,limit_bytes,requests_total:bert\n0,100,4096,1\n15,200,4096,\n30.5,300,4096,9\n"
    )
    (trace,) = read_traces(str(path))
    assert (trace.target.source, trace.target.container) == (str(path), None)
    assert trace.time_seconds.tolist() == [0, 15, 30.5]
    assert trace.columns["anon_bytes"].tolist() == [100, 200, 300]
    np.testing.assert_equal(trace.columns["requests_total:bert"], [1, np.nan, 9])
    assert trace.limit_bytes == 4096 and "limit_bytes" not in trace.columns
    assert trace.dropped_rows == 0
    assert not any(column.flags.writeable for column in (trace.time_seconds, *trace.columns.values()))


@pytest.mark.parametrize(
    "stamp", ["1790000000", "1790000000.0", "1790000000000", "2026-09-21T14:13:20Z", "2026-09-21T16:13:20+02:00"]
)
def test_every_form_of_time_is_the_same_moment(stamp: str) -> None:
    """Unix seconds, 13-digit milliseconds and RFC 3339 are read alike."""
    assert read_one(f"timestamp,rss_bytes\n{stamp},5\n").time_seconds.tolist() == [1790000000.0]


def test_interleaved_containers_become_one_trace_each() -> None:
    """Rows of several containers are told apart by name, in the order of their first row, each with its own limit."""
    first, second = read(
        'container,timestamp,usage_bytes,limit_bytes\nb,1,10,50\n"a, x",1,20,max\nb,2,11,50\n"a, x",2,21,0\n'
    )
    assert [first.target.container, second.target.container] == ["b", "a, x"]
    assert (first.columns["usage_bytes"].tolist(), second.columns["usage_bytes"].tolist()) == ([10, 11], [20, 21])
    assert (first.limit_bytes, second.limit_bytes) == (50, None)


def test_dirt_is_dropped_counted_and_told_with_line_numbers() -> None:
    """Blank lines do not count; every other unusable row does, and the first three are named."""
    trace = read_one(
        "\ufefftimestamp,anon_bytes,file_bytes\r\n"
        "10,1,1\r\n"
        "\r\n"
        "20,1\r\n"  # line 4: cut short
        "soon,1,1\r\n"  # line 5: no time
        "10,2,2\r\n"  # line 6: a duplicate; the row that came first stays
        "30,NaN,\r\n"  # line 7: no memory left
        "5,1,1\r\n"  # line 8: backward
        "40,-7,3\r\n"  # a negative cell is unknown, the row has other memory
        "50,4,4,4\r\n"  # line 10: too long
        "60,5,5,\r\n"
    )
    assert trace.time_seconds.tolist() == [10, 40, 60]
    np.testing.assert_equal(trace.columns["anon_bytes"], [1, np.nan, 5])
    assert trace.dropped_rows == 6
    assert [row.line for row in trace.dropped] == [4, 5, 6]
    assert [row.reason for row in trace.dropped] == [
        "row cut short: 2 of 3 cells",
        "timestamp 'soon' is no time",
        "timestamp repeats or goes back",
    ]


def test_one_stamp_far_ahead_costs_one_row() -> None:
    """A clock that jumps for one sample does not make every later row "go back"."""
    trace = read_one("timestamp,rss_bytes\n10,1\n20,1\n9000000000,1\n30,1\n40,1\n")
    assert trace.time_seconds.tolist() == [10, 20, 30, 40]
    assert [row.line for row in trace.dropped] == [4]


@pytest.mark.parametrize("cell", ["0", "max", "", "-1", "5e-324", "0.4", "9223372036854771712"])
def test_what_is_no_limit_is_none(cell: str) -> None:
    """Zero, max, less than a byte (a share of which would be infinite) and cgroup v1's largest number mean no limit."""
    assert read_one(f"timestamp,rss_bytes,limit_bytes\n1,5,{cell}\n2,5,{cell}\n").limit_bytes is None


@pytest.mark.parametrize("stamps", [range(30, 0, -1), [i // 3 for i in range(30)]])
def test_rows_that_run_backwards_or_mix_containers_are_noted(stamps: list[int]) -> None:
    """Newest first, or containers that nothing tells apart: the rows are dropped, and what would help is said."""
    trace = read_one("timestamp,rss_bytes\n" + "".join(f"{stamp},5\n" for stamp in stamps))
    assert len(trace.time_seconds) + trace.dropped_rows == 30
    assert "sort the rows by time" in trace.notes[0] and "`container`" in trace.notes[0]
    assert read_one("timestamp,rss_bytes\n1,5\n2,5\n2,5\n3,5\n").notes == ()


def test_a_row_without_a_container_counts_with_the_first() -> None:
    """No row vanishes: one that names nobody, or is cut inside the name, is in the first container's count."""
    first, second = read("timestamp,rss_bytes,container\n1,5,a\n1,6,b\n2,7,\n3,8\nnever,9,b\n")
    assert (len(first.time_seconds), first.dropped_rows) == (1, 2)
    assert (len(second.time_seconds), second.dropped_rows) == (1, 1)


def test_a_changing_limit_is_kept_as_a_column() -> None:
    """The last limit in force is the trace's; one that changes can be followed; unlimited (v1's number too) is none."""
    trace = read_one(f"timestamp,rss_bytes,limit_bytes\n1,5,100\n2,5,200\n3,5,max\n4,5,{0x7FFFFFFFFFFFF000}\n")
    assert trace.limit_bytes == 200
    np.testing.assert_equal(trace.columns["limit_bytes"], [100, 200, np.nan, np.nan])


def test_unknown_columns_are_kept_where_they_are_numbers() -> None:
    """A column that we do not know is carried along if all its cells are numbers, and ignored if they are not."""
    trace = read_one("timestamp,rss_bytes,gpu_watts,pod,timestamp_utc\n1,5,-3.5,web,x\n2,6,,web,y\n")
    assert set(trace.columns) == {"rss_bytes", "gpu_watts"}
    np.testing.assert_equal(trace.columns["gpu_watts"], [-3.5, np.nan])


def test_a_header_alone_is_a_trace_without_samples() -> None:
    """A recording that has only begun is no error."""
    trace = read_one("timestamp,container,rss_bytes\n")
    assert (len(trace.time_seconds), trace.dropped_rows, len(trace.columns["rss_bytes"])) == (0, 0, 0)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "-: the file is empty; "),
        (b"\n\n", "no timestamp column among none"),
        (b"timestamp,cpu\n1,2\n", "no memory column among 'timestamp', 'cpu'; name one of the columns anon_bytes, "),
        (b"when,rss_bytes\n1,2\n", "no timestamp column among 'when', 'rss_bytes'"),
        (b"timestamp,rss_bytes\n1,2\n2,\xe9\n", "-:3: the text is not UTF-8; "),
        ("timestamp,rss_bytes\n1,2\n".encode("utf-16"), "-:1: the text is not UTF-8; "),
        (b"PK\x03\x04rest", "this is a zip archive"),
    ],
)
def test_an_unusable_file_is_one_line_that_says_where_and_what_to_do(data: bytes, says: str) -> None:
    """The error names the file, the line where there is one, what was found and what is needed."""
    with pytest.raises(TraceError) as error:
        read(data)
    assert says in str(error.value) and str(error.value).isprintable()


@pytest.mark.parametrize("separator", [";", "\t"])
def test_another_separator_is_named_as_the_trouble(separator: str) -> None:
    """A spreadsheet's CSV is told to use commas, and not that it has no timestamp."""
    with pytest.raises(TraceError, match="separate the columns with commas"):
        read(f"timestamp{separator}anon_bytes\n1{separator}2\n")


def test_a_missing_file_and_a_folder_are_errors_of_one_line(tmp_path: Path) -> None:
    """What cannot be opened says so, without a traceback."""
    for path in (tmp_path / "none.csv", tmp_path, "a\0b"):
        with pytest.raises(TraceError, match="cannot be opened"):
            read_traces(str(path))


def test_a_huge_cell_and_zero_bytes_spoil_their_own_row_alone() -> None:
    """A cell of a million characters, or the zeros of a crashed disk, cost one row each."""
    trace = read_one("timestamp,rss_bytes\n1,5\n2," + "9" * 1_000_000 + "\n" + "\0" * 5000 + "\n3,\0\n4,6\n")
    assert (trace.time_seconds.tolist(), trace.dropped_rows) == ([1, 4], 3)


def test_a_quote_that_is_never_closed_spoils_its_own_row_alone() -> None:
    """The rest of the file is not swallowed into one cell."""
    trace = read_one('timestamp,rss_bytes,container\n1,5,a\n2,"6,a\n3,7,a\n')
    assert (trace.time_seconds.tolist(), trace.dropped_rows) == ([1, 3], 1)


def week(rows: int, stamp: str = "{}", container: str = "") -> str:
    """A file that is long enough for the quick way."""
    line = f"{stamp},{container}1073741824,{{}},junk,1\n"
    return (
        "timestamp,"
        + "container," * bool(container)
        + "anon_bytes,requests_total,note,extra\n"
        + "".join(line.format(1790000000 + 15 * i, i if i % 7 else "") for i in range(rows))
    )


@pytest.mark.parametrize("stamp", ["{}", "{}000"])
def test_a_long_file_is_read_like_a_short_one(stamp: str) -> None:
    """The quick way through long files keeps, ignores and leaves unknown what the other way does."""
    trace = read_one(week(20_000, stamp))
    assert (len(trace.time_seconds), trace.dropped_rows, trace.time_seconds[-1]) == (
        20_000,
        0,
        1790000000 + 15 * 19_999,
    )
    assert set(trace.columns) == {"anon_bytes", "requests_total", "extra"}
    assert np.isnan(trace.columns["requests_total"][[0, 7]]).all() and trace.columns["requests_total"][8] == 8


def test_a_long_file_with_calendar_times_and_containers_is_read_like_a_short_one() -> None:
    """RFC 3339 and names go the quick way as well."""
    text = "timestamp,container,anon_bytes\n" + "".join(
        f"2026-09-{1 + i // 1440:02}T{i // 60 % 24:02}:{i % 60:02}:00Z,{'ab'[i % 2]},{i}\n" for i in range(28_000)
    )
    first, second = read(text)
    assert [first.target.container, second.target.container] == ["a", "b"]
    assert (
        first.columns["anon_bytes"][:3].tolist() == [0, 2, 4] and second.time_seconds[0] - first.time_seconds[0] == 60
    )
    assert len(first.time_seconds) + len(second.time_seconds) == 28_000


def test_dirt_in_a_long_file_is_told_with_its_line() -> None:
    """What the quick way cannot read, or would have to drop, is read again where lines have numbers."""
    lines = week(20_000).splitlines()
    lines[15_000] = lines[15_000][:20]
    lines[16_000] = lines[15_999]
    trace = read_one("\n".join([lines[0], "", *lines[1:]]))
    assert (len(trace.time_seconds), trace.dropped_rows) == (19_998, 2)
    assert [row.line for row in trace.dropped] == [15_002, 16_002]


def test_a_long_file_is_read_without_pandas(tmp_path: Path) -> None:
    """Not even an attempt: where pandas is installed, Arrow's own conversion to numpy would import it."""
    (tmp_path / "pandas.py").write_text("print('pandas imported')\n")
    rows = "".join(f"{1790000000 + 15 * i},{5_000_000_000 + i},\n" for i in range(20_000))
    path = tmp_path / "long.csv"
    path.write_text("timestamp,anon_bytes,requests_total\n" + rows)
    code = "import sys; from leakwatch.sample.trace_files import read_traces; read_traces(sys.argv[1])"
    code += "; assert 'pyarrow' in sys.modules"
    command = [sys.executable, "-c", code, str(path)]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert done.stdout == ""
