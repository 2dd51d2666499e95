"""The forms of other tools, each in a fixture as that tool writes it, and each recognised by content."""

import io
import json

import numpy as np
import pytest

from leakwatch.errors import TraceError
from leakwatch.sample.trace_files import FORMATS, read_traces
from leakwatch.trace import Trace

MIB = 2**20
GIB = 2**30


def read(text: str, **options: float) -> dict[str | None, Trace]:
    """The traces by container."""
    traces = read_traces("-", stdin=io.BytesIO(text.encode()), interval_seconds=options.get("interval_seconds"))
    return {trace.target.container: trace for trace in traces}


def matrix(*series: tuple[dict[str, str], list[tuple[float, str]]]) -> str:
    result = [{"metric": labels, "values": [list(point) for point in points]} for labels, points in series]
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}})


CADVISOR = {"namespace": "ml", "pod": "serving-0", "container": "tf", "id": "/kubepods/pod1/aa", "instance": "n1"}


def cadvisor(metric: str, **labels: str) -> dict[str, str]:
    return {"__name__": metric, **CADVISOR, **labels}


def test_metrics_of_one_container_are_joined_on_its_times() -> None:
    """cAdvisor's rss is anonymous memory, its cache is file memory, 0 is no limit; a missing point is unknown."""
    traces = read(
        matrix(
            (cadvisor("container_memory_rss"), [(10, "100"), (20, "200"), (30, "NaN")]),
            (cadvisor("container_memory_working_set_bytes"), [(10, "110"), (30, "310")]),
            (cadvisor("container_memory_cache"), [(10, "7"), (20, "8"), (30, "9")]),
            (cadvisor("container_spec_memory_limit_bytes"), [(10, "0"), (20, "4096"), (30, "4096")]),
            (cadvisor("container_cpu_usage_seconds_total"), [(10, "1"), (99, "2")]),
            (cadvisor("container_memory_rss", pod="serving-1"), [(10, "5")]),
        )
    )
    trace = traces["ml/serving-0/tf"]
    assert trace.time_seconds.tolist() == [10, 20, 30]
    np.testing.assert_equal(trace.columns["anon_bytes"], [100, 200, np.nan])
    np.testing.assert_equal(trace.columns["working_set_bytes"], [110, np.nan, 310])
    assert trace.columns["file_bytes"].tolist() == [7, 8, 9]
    assert trace.limit_bytes == 4096
    assert traces["ml/serving-1/tf"].columns["anon_bytes"].tolist() == [5]


def test_a_restarted_container_goes_on_and_a_twin_stands_apart() -> None:
    """A new cgroup id after the old one is the same container; two at the same time are two."""
    metric = "container_memory_usage_bytes"
    after = read(matrix((cadvisor(metric), [(1, "5"), (2, "6")]), (cadvisor(metric, id="/bb"), [(3, "1")])))
    assert after["ml/serving-0/tf"].columns["usage_bytes"].tolist() == [5, 6, 1]
    beside = read(matrix((cadvisor(metric), [(1, "5"), (2, "6")]), (cadvisor(metric, id="/bb"), [(2, "1")])))
    assert len(beside) == 2


def test_request_counts_of_a_serving_process_stand_beside_its_memory() -> None:
    """Statuses of one model add up, and the only container's requests are its own whatever their labels."""
    count = ":tensorflow:serving:request_count"
    (trace,) = read(
        matrix(
            ({"__name__": "process_resident_memory_bytes", "instance": "a:1"}, [(1, "50"), (2, "60")]),
            ({"__name__": count, "instance": "b:1", "model_name": "bert", "status": "OK"}, [(1, "3"), (2, "5")]),
            ({"__name__": count, "instance": "b:1", "model_name": "bert", "status": "INTERNAL"}, [(2, "1")]),
        )
    ).values()
    assert trace.columns["rss_bytes"].tolist() == [50, 60]
    assert trace.columns["requests_total:bert"].tolist() == [3, 6]


def test_an_aggregated_query_is_read_as_working_set_and_says_so() -> None:
    """sum by (pod) drops the metric's name; a bare list, as promtool prints it, is read too."""
    trace = read(json.dumps([{"metric": {"pod": "web"}, "values": [[1, "5"], [1, "6"], ["x", "7"]]}]))["web"]
    assert trace.columns["working_set_bytes"].tolist() == [5]
    assert trace.dropped_rows == 2
    assert "working_set_bytes" in trace.notes[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"status":"error","errorType":"bad_data","error":"parse error\\n"}', "answered with an error"),
        ('{"status":"success","data":{"resultType":"vector","result":[]}}', "not a matrix"),
        (matrix(({"__name__": "up"}, [(1, "1")])), "no memory metric among 'up'"),
        (matrix((cadvisor("container_memory_rss"), [(1, "1")]))[:-9], "broken or cut short"),
        ("{}", "no result"),
        ("[" * 100_000, "none that Prometheus writes"),
        ('[{"metric":{},"values":7}]', "no labels or no values"),
        ("[1" + "0" * 5000 + "]", "none that Prometheus writes"),
    ],
)
def test_an_answer_without_a_range_of_memory_says_why(text: str, says: str) -> None:
    """An error, an instant query, other metrics and a file cut short are one line each."""
    with pytest.raises(TraceError, match=says) as error:
        read(text)
    assert str(error.value).isprintable()


def test_an_answer_without_series_is_a_trace_without_samples() -> None:
    """A query that matched nothing is not a broken file."""
    assert len(read(matrix())[None].time_seconds) == 0


def test_text_with_timestamps_is_read_in_seconds_and_milliseconds() -> None:
    """Prometheus text stamps milliseconds, OpenMetrics seconds, and an exemplar is no timestamp."""
    (trace,) = read(
        "# HELP container_memory_rss Size of RSS in bytes.\n"
        "# TYPE container_memory_rss gauge\n"
        'container_memory_rss{container="tf",pod="p",image="a\\"}b"} 1.5e+06 1790000000000\n'
        'container_memory_rss{container="tf",pod="p",image="a\\"}b"} 1600000 1790000015.0 # {id="x"} 0.5 1790000001\n'
        'container_memory_rss{container="tf",pod="p",image="a\\"}b"} +Inf 1790000030000\n'
        'container_memory_rss{container="tf",po\n'
        "go_goroutines 9 1790000000000\n"
        "# EOF\n"
    ).values()
    assert trace.target.container == "p/tf"
    assert trace.time_seconds.tolist() == [1790000000, 1790000015]
    assert trace.columns["anon_bytes"].tolist() == [1_500_000, 1_600_000]
    assert [(row.line, row.reason) for row in trace.dropped] == [
        (5, "no memory value"),
        (6, "no sample of the form name{labels} value timestamp"),
    ]


def test_a_dump_of_the_database_is_read() -> None:
    """promtool tsdb dump writes the name as a label."""
    (trace,) = read('{__name__="process_resident_memory_bytes", job="x"} 5 1790000000000\n').values()
    assert (trace.target.container, trace.columns["rss_bytes"].tolist()) == ("x", [5])


@pytest.mark.parametrize("exemplar", ["", ' # {id="x"} 1'])
def test_one_scrape_is_no_trace(exemplar: str) -> None:
    """A metrics page without timestamps is one moment, and the error says what to do instead."""
    with pytest.raises(TraceError, match="no timestamps"):
        read("# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes 1.2e+08" + exemplar)


def test_a_grafana_panel_with_units_is_read() -> None:
    """The Excel line, semicolons, local-looking times (UTC), units in cells, and legends that name columns."""
    (trace,) = read(
        '\ufeffsep=;\r\n"Time";"Working set";"Cache";"limits";"requests"\r\n'
        "2026-09-21 14:13:20;1.50 GiB;512 MiB;2 GiB;1 GiB\r\n"
        "2026-09-21 14:13:35;1.75 GiB;;2 GiB;1 GiB\r\n"
        "2026-09-21 14:13:50;undefined;null;2 GiB;1 GiB\r\n"
    ).values()
    assert trace.time_seconds.tolist() == [1790000000, 1790000015]
    assert trace.columns["working_set_bytes"].tolist() == [1.5 * GIB, 1.75 * GIB]
    np.testing.assert_equal(trace.columns["file_bytes"], [512 * MIB, np.nan])
    assert trace.limit_bytes == 2 * GIB
    assert [(row.line, row.reason) for row in trace.dropped] == [(5, "no memory value")]


def test_every_series_of_a_grafana_panel_is_a_container() -> None:
    """Plain legends are containers, a lone limit holds for all of them, and what was assumed is noted."""
    traces = read("Time,web-1,web-2,limits\n1790000000000,1000,2000,9000\n1790000015000,1100,2100,9000\n")
    assert traces["web-1"].columns["working_set_bytes"].tolist() == [1000, 1100]
    assert traces["web-2"].columns["working_set_bytes"].tolist() == [2000, 2100]
    assert [trace.limit_bytes for trace in traces.values()] == [9000, 9000]
    assert "read as working_set_bytes" in traces["web-1"].notes[0]


def test_grafana_headers_that_hold_labels_are_joined_like_prometheus() -> None:
    """Unnamed legends show the whole series, quotes doubled; rows are accounted for once, whatever their columns."""
    (trace,) = read(
        '"Time","{__name__=""container_memory_rss"", container=""tf"", pod=""p""}",'
        '"container_spec_memory_limit_bytes{container=""tf"",pod=""p""}"\n'
        "1790000000000,5,90\n1790000000000,6,90\nnever,1,1\n1790000015000,7\n1790000030000,8 B,90\n"
    ).values()
    assert trace.target.container == "p/tf"
    assert trace.columns["anon_bytes"].tolist() == [5, 8]
    assert trace.limit_bytes == 90
    assert [row.line for row in trace.dropped] == [3, 4, 5]


def test_grafana_without_memory_says_what_it_found() -> None:
    """A panel of other metrics is one line."""
    with pytest.raises(TraceError, match="no memory metric among 'up"):
        read('Time,"up{job=""x""}"\n1790000000000,1\n')


DOCKER = (
    '{"BlockIO":"0B / 0B","CPUPerc":"0.12%","Container":"5f2c","ID":"5f2c","MemPerc":"12.50%","MemUsage":"USED / 2GiB",'
    '"Name":"NAME","NetIO":"1.1kB / 0B","PIDs":"12"}'
)


def docker(used: str, name: str = "web", extra: str = "") -> str:
    line = DOCKER.replace("USED", used).replace("NAME", name)
    return line[:-1] + extra + "}"


def test_docker_stats_lines_are_read_without_their_escapes() -> None:
    """Control sequences are stripped, the part after the slash is the limit, a second is assumed and noted."""
    traces = read(
        f"\x1b[2J\x1b[H{docker('256MiB')}\n{docker('1.5GiB', 'db')}\n\x1b[H{docker('257.5MiB')}\x1b[K\n"
        f"{docker('1.25GiB', 'db')}\x1b[K\n\x1b[J{docker('258MiB')}\n"
    )
    assert traces["web"].time_seconds.tolist() == [0, 1, 2]
    assert traces["web"].columns["working_set_bytes"].tolist() == [256 * MIB, 257.5 * MIB, 258 * MIB]
    assert traces["db"].columns["working_set_bytes"].tolist() == [1.5 * GIB, 1.25 * GIB]
    assert (traces["db"].limit_bytes, traces["web"].columns["threads"][0]) == (2 * GIB, 12)
    assert traces["web"].notes == ("1 s between samples assumed (--interval says otherwise)",)


def test_docker_stats_lines_take_the_time_that_they_bear_or_the_interval() -> None:
    """A key added by the collector wins; --interval stands in where there is none, and nothing is assumed then."""
    stamped = f"{docker('1MiB', extra=chr(44) + chr(34) + 'time' + chr(34) + ':1790000000000')}\n"
    stamped += docker("2MiB", extra=',"Timestamp":"2026-09-21T14:13:35.5Z"') + "\n"
    trace = read(stamped)["web"]
    assert (trace.time_seconds.tolist(), trace.notes) == ([1790000000, 1790000015.5], ())
    trace = read(f"{docker('1MiB')}\n{docker('2MiB')}\n", interval_seconds=30.0)["web"]
    assert (trace.time_seconds.tolist(), trace.notes) == ([0, 30], ())


def test_docker_stats_of_a_stopped_container_measure_nothing() -> None:
    """Dashes and 0B / 0B are no memory of zero bytes, a line cut short is no line, and all are counted."""
    stopped = docker("0B").replace("2GiB", "0B")
    lines = [docker("5MiB"), docker("--").replace("2GiB", "--"), stopped, docker("5MiB")[:60], docker("6MiB")]
    trace = read("\n".join(lines))["web"]
    assert trace.columns["working_set_bytes"].tolist() == [5 * MIB, 6 * MIB]
    assert [row.reason for row in trace.dropped] == ["no memory value", "no memory value", "no JSON object"]


def test_mprof_files_are_read_with_their_children() -> None:
    """MB are MiB, function marks are no samples, and each child is a container of its own."""
    (alone,) = read(
        "CMDLINE python leak.py\nMEM 5.500000 1795445833.1417\nMEM 26.000000 1795445833.4504\nMEM 2"
    ).values()
    assert alone.columns["rss_bytes"].tolist() == [5.5 * MIB, 26 * MIB]
    assert alone.time_seconds.tolist() == [1795445833.1417, 1795445833.4504]
    assert (alone.target.container, alone.dropped_rows) == (None, 1)
    family = read(
        "CMDLINE python leak.py\nMEM 0.972656 1795445831.4270\nMEM 14.968750 1795445831.7301\n"
        "CHLD 10463 11.500000 1795445831.7324\nFUNC main.run 5.1 1795445831.5 9.2 1795445832.6\n"
    )
    assert {name: len(trace.time_seconds) for name, trace in family.items()} == {"main": 2, "child 10463": 1}


def test_psrecord_logs_are_read_from_their_start() -> None:
    """MB are MiB, times are those since the start, and more columns (--include-io) do no harm."""
    (trace,) = read(
        "# Elapsed time   CPU (%)     Real (MB)   Virtual (MB)  Read count  Write count   Read bytes  Write bytes \n"
        "       0.000        0.000       10.500       14.875           62            0            0            0\n"
        "       0.303        9.900       28.500       37.727          118            0            0            0\n"
        "       0.605        9\n"
    ).values()
    assert trace.time_seconds.tolist() == [0, 0.303]
    assert trace.columns["rss_bytes"].tolist() == [10.5 * MIB, 28.5 * MIB]
    assert trace.columns["virtual_bytes"].tolist() == [14.875 * MIB, 37.727 * MIB]
    assert [(row.line, row.reason) for row in trace.dropped] == [(4, "row cut short: 2 of 4 cells")]


def test_psrecord_csv_logs_are_read() -> None:
    """--log-format csv has other columns, found by name."""
    (trace,) = read("elapsed_time,nproc,cpu,mem_real,mem_virtual\n0.1,1,0.0,2.0,9.0\n0.4,1,3.0,2.5,9.0\n").values()
    assert trace.columns["rss_bytes"].tolist() == [2 * MIB, 2.5 * MIB]


def test_a_form_can_be_named() -> None:
    """--format overrides what the content looks like, and only known names are taken."""
    text = io.BytesIO(b"0.0 1 5 9\n1.0 1 6 9\n")
    (trace,) = read_traces("-", format="psrecord", stdin=text)
    assert trace.columns["rss_bytes"].tolist() == [5 * MIB, 6 * MIB]
    with pytest.raises(ValueError, match="native"):
        read_traces("-", format="excel", stdin=io.BytesIO(b"x"))
    assert set(FORMATS) == {"native", "prometheus", "openmetrics", "grafana", "docker-stats", "mprof", "psrecord"}
