"""Hostile input: no exception but TraceError, no row lost without a count, and both ways of reading agree."""

import gzip
import io
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leakwatch.errors import TraceError
from leakwatch.sample.trace_files import FORMATS, native, read_traces
from leakwatch.sample.trace_files.archive import opened
from leakwatch.sample.trace_files.native_columns import read_columns
from leakwatch.sample.trace_files.native_header import find_header
from leakwatch.sample.trace_files.rows import to_traces
from leakwatch.trace import MEMORY_COLUMNS, Trace

GENUINE = {
    "native": b"timestamp,container,anon_bytes,limit_bytes\n1,a,5,9\n2,b,6,9\n2026-01-01T00:00:00Z,a,7,max\n",
    "prometheus": b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{'
    b'"__name__":"container_memory_rss","pod":"p\\ud83d"},"values":[[1790000000,"5"],[1790000015.5,"6"]]}]}}',
    "openmetrics": b'# TYPE container_memory_rss gauge\ncontainer_memory_rss{pod="p"} 5 1790000000\n# EOF\n',
    "grafana": b'"Time";"{pod=""p""}";"limits"\n1790000000000;1.5 GiB;2 GiB\n2026-01-01 10:00:00;;2 GiB\n',
    "docker-stats": b'\x1b[H{"Name":"w","MemUsage":"5MiB / 1GiB","PIDs":"1"}\n'
    b'{"Name":"v","MemUsage":"6MiB / 1GiB","time":1}\n',
    "mprof": b"CMDLINE python x\nMEM 5.5 1790000000.1\nCHLD 7 6.5 1790000001.2\n",
    "psrecord": b"# Elapsed time   CPU (%)     Real (MB)   Virtual (MB)\n"
    b"  0.000  0.0  1.5  2.5\n  0.300  0.0  1.6  2.5\n",
}

SPLINTERS = st.one_of(
    st.binary(max_size=12),
    st.sampled_from(
        [b"", b",", b'"', b"\n", b"\r", b"\0", b"{", b"}", b"[", b"NaN", b"-1", b"1e999", b"\xff\xfe", b"9" * 400]
    ),
)


def check(traces: list[Trace] | None) -> None:
    """What every trace promises, however dirty the file was; None is a file that was refused."""
    assert traces != []
    for trace in traces or ():
        assert np.isfinite(trace.time_seconds).all() and (np.diff(trace.time_seconds) > 0).all()
        assert all(len(column) == len(trace.time_seconds) for column in trace.columns.values())
        assert not any(np.isinf(column).any() for column in trace.columns.values())
        assert not any((trace.columns[name] < 0).any() for name in MEMORY_COLUMNS if name in trace.columns)
        assert len(trace.dropped) == min(trace.dropped_rows, 3)
        assert [row.line for row in trace.dropped] == sorted(row.line for row in trace.dropped)
        assert all(row.reason.isprintable() and len(row.reason) < 500 for row in trace.dropped)
        assert trace.limit_bytes is None or 0 < trace.limit_bytes < 2**62
        (trace.target.container or "").encode()


def read(data: bytes, form: str | None) -> list[Trace] | None:
    try:
        return read_traces("-", format=form, stdin=io.BytesIO(data))
    except TraceError as error:
        assert str(error).isprintable()
        return None


@pytest.mark.parametrize("form", FORMATS)
def test_genuine_files_are_recognised(form: str) -> None:
    """The seeds of the fuzzing below are good: each is read without being named, and like when it is named."""
    named, recognised = read(GENUINE[form], form), read(GENUINE[form], None)
    assert named and recognised
    check(named)
    assert [(each.target, len(each.time_seconds)) for each in named] == [
        (each.target, len(each.time_seconds)) for each in recognised
    ]


@settings(max_examples=60, deadline=2000)
@given(data=st.binary(max_size=300), form=st.sampled_from([None, *FORMATS]))
def test_any_bytes_are_a_trace_or_one_error(data: bytes, form: str | None) -> None:
    """Noise raises nothing but TraceError, in any form that it is called."""
    check(read(data, form))


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=80, deadline=2000)
@given(st.data())
def test_a_damaged_file_is_a_trace_or_one_error(form: str, data: st.DataObject) -> None:
    """Bytes cut out, put in or doubled at any place of a genuine file, plain or compressed, raise nothing else."""
    damaged = GENUINE[form]
    for _ in range(data.draw(st.integers(1, 4))):
        start, length = data.draw(st.integers(0, len(damaged))), data.draw(st.integers(0, 20))
        damaged = damaged[:start] + data.draw(SPLINTERS) + damaged[start + length :]
    if data.draw(st.booleans()):
        packed = gzip.compress(damaged)
        damaged = packed[: data.draw(st.integers(len(packed) - 12, len(packed)))]
    for named in (None, form):
        check(read(damaged, named))


NUMBERS = st.one_of(
    st.integers(-5, 2**40).map(str),
    st.floats().map(str),
    st.sampled_from(
        ["", "NaN", "nan", "max", "null", "-1", "1e999", "0x10", "1_000", " 7 ", "abc", "\0", "١٢", '"8"', "1e3"]
    ),
)
STAMPS = st.one_of(
    st.integers(1790000000, 1790000060).map(str),
    st.integers(1790000000000, 1790000060000).map(str),
    st.sampled_from(
        ["", "nan", "-3", "1e300", "2026-09-21T14:13:25Z", "2026-09-21T14:13:25", "2026-99-01T00:00:00Z", "never"]
    ),
)
CONTAINERS = st.sampled_from(["a", "b", '"a, b"', "a", ' "a"', "", "日本", "${jndi}", "[red]x", '"a'])
ROWS = st.one_of(
    st.tuples(STAMPS, CONTAINERS, NUMBERS, NUMBERS, NUMBERS).map(",".join),
    st.tuples(STAMPS, CONTAINERS, NUMBERS, NUMBERS, NUMBERS).map(",".join),
    st.tuples(STAMPS, CONTAINERS, NUMBERS).map(",".join),
    st.lists(NUMBERS, max_size=7).map(",".join),
    st.sampled_from(
        ["", "   ", "timestamp,container,anon_bytes,file_bytes,requests_total", "# note", '"', "x" * 200_000]
    ),
)
COLUMNS = ("timestamp", "container", "anon_bytes", "file_bytes", "requests_total")


@settings(max_examples=150, deadline=2000)
@given(st.lists(ROWS, max_size=25), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
def test_every_data_row_is_a_sample_or_counted(rows: list[str], end: str, bom: bool) -> None:
    """Samples and dropped rows of all containers add up to the lines that are not blank, whatever stands in them."""
    text = "\ufeff" * bom + end.join([",".join(COLUMNS), *rows])
    traces = read_traces("-", stdin=io.BytesIO(text.encode()))
    check(traces)
    data_rows = sum(bool(row.strip()) for row in rows)
    assert sum(len(trace.time_seconds) + trace.dropped_rows for trace in traces) == data_rows


@settings(max_examples=100, deadline=2000)
@given(st.lists(st.tuples(STAMPS, st.sampled_from("abc"), NUMBERS, NUMBERS, NUMBERS), max_size=25))
def test_every_container_accounts_for_its_own_rows(rows: list[tuple[str, ...]]) -> None:
    """A row that names a container with at least one sample is that container's sample, or counted there."""
    text = "\n".join([",".join(COLUMNS), *map(",".join, rows)])
    traces = read_traces("-", stdin=io.BytesIO(text.encode()))
    counts = Counter(row[1] for row in rows)
    for trace in traces[1:]:
        assert len(trace.time_seconds) + trace.dropped_rows == counts[str(trace.target.container)]


@settings(max_examples=150, deadline=2000)
@given(
    st.lists(st.tuples(STAMPS, st.sampled_from(["a", "b", " a", ""]), NUMBERS, NUMBERS, NUMBERS), max_size=8),
    st.booleans(),
)
def test_the_quick_way_agrees_with_the_thorough_one(rows: list[tuple[str, ...]], named: bool) -> None:
    """Where pyarrow reads a file and drops no row, it reads what the row-by-row way reads."""
    chosen = range(5) if named else (0, 2, 3, 4)
    text = "\n".join(",".join(row[i] for i in chosen) for row in [COLUMNS, *rows]) + "\n"
    with opened("-", io.BytesIO(text.encode())) as file:
        header = find_header(file)
        thorough = to_traces("-", native.read_rows(file, header))
        by_column = read_columns(file, header)
    quick = to_traces("-", by_column) if by_column else []
    if not quick or any(trace.dropped_rows for trace in quick):
        return
    assert [(each.target, each.limit_bytes, each.dropped_rows) for each in quick] == [
        (each.target, each.limit_bytes, each.dropped_rows) for each in thorough
    ]
    for one, other in zip(quick, thorough, strict=True):
        np.testing.assert_equal(one.time_seconds, other.time_seconds)
        np.testing.assert_equal(dict(one.columns), dict(other.columns))
