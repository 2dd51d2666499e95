"""Two hundred containers of a real server, judged through both stages: floors, then the series of what could leak."""

import json
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leakwatch.cli import run
from leakwatch.errors import LeakwatchError
from leakwatch.sample.prometheus_fleet import Server, survey
from leakwatch.sample.prometheus_fleet.asking import Asker
from leakwatch.sample.prometheus_fleet.prefilter import Floors, could_leak, query

DAYS = 2 * 86_400


def judge(server: Any, *arguments: str, status: int = 10) -> None:
    until = f"{server.until_seconds:.0f}"
    since = f"{server.until_seconds - DAYS:.0f}"
    command = ["fleet", "--prometheus", server.url, "--since", since, "--until", until, "--step", "120s"]
    assert run([*command, "--workers", "1", "-o", "json", *arguments]) == status


def test_both_stages(fleet_server: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """All 200 are counted; the release is named with its rate; who leaks alone leaks alone; nothing else is claimed."""
    judge(fleet_server)
    document = json.loads(capsys.readouterr().out)
    assert document["containers"] == 200
    assert not document["errors"]
    pods = {leak["labels"]["pod"] for leak in document["leaks"]}
    released = {pod for pod in pods if pod.startswith(f"{fleet_server.released}-")}
    assert pods - released == set(fleet_server.alone)
    claimed = {(group["kind"], group["name"]) for group in document["groups"] if group["claimed"]}
    assert claimed == {("workload", f"team1/{fleet_server.released}"), ("image", "serving:v47")}
    (image,) = (group for group in document["groups"] if group["name"] == "serving:v47")
    assert image["replicas"] == image["rising"] == 10
    assert image["slope_bytes_per_second"]["low"] <= fleet_server.slope <= image["slope_bytes_per_second"]["high"]
    leak = document["leaks"][0]
    assert leak["limit_bytes"] == 4e9
    assert leak["labels"]["node"].startswith("node")
    assert leak["labels"]["workload"] in {"serving3", "serving5", "serving8"}


def test_the_prefilter_loses_no_leak_and_spares_the_server(
    fleet_server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same leaks with and without it."""
    judge(fleet_server, "-n", "team0", "-n", "team1", "-l", 'pod=~"serving[3578]-.*"')
    with_it = json.loads(capsys.readouterr().out)
    judge(fleet_server, "-l", 'pod=~"serving[3578]-.*"', "--no-prefilter")
    without = json.loads(capsys.readouterr().out)
    assert with_it["containers"] == without["containers"] == 40
    assert [leak["container"] for leak in with_it["leaks"]] == [leak["container"] for leak in without["leaks"]]


def sent_bytes(url: str) -> float:
    """What the server says that it has sent in answers to queries."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    sums = [line for line in lines if line.startswith("prometheus_http_response_size_bytes_sum") and "/api/v1/" in line]
    return sum(float(line.rpartition(" ")[2]) for line in sums)


def test_a_healthy_fleet_transfers_twenty_times_less(fleet_server: Any) -> None:
    """Of the workloads that do not leak, by the server's own account."""
    since, until = fleet_server.until_seconds - DAYS, fleet_server.until_seconds
    healthy = ('pod!~"serving[358]-.*"',)
    sent = {}
    for prefilter in (True, False):
        before = sent_bytes(fleet_server.url)
        found = survey(Server(fleet_server.url), (), healthy, since, until, 120.0, prefilter=prefilter)
        for chunk in found.chunks:
            assert not [one for one in chunk.read() if isinstance(one, LeakwatchError)]
        sent[prefilter] = sent_bytes(fleet_server.url) - before
    assert sent[True] * 20 <= sent[False]


def test_a_selection_that_nothing_meets(fleet_server: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """One line, status 1."""
    judge(fleet_server, "-n", "nowhere", status=1)
    assert "has no memory of such containers" in capsys.readouterr().err


def test_the_server_computes_the_floors_that_the_proof_is_about(fleet_server: Any) -> None:
    """One instant query of three containers, beside the same floors in numpy from their full series."""
    until = fleet_server.until_seconds
    at = until + 30  # between two samples: whether a range takes in its own ends depends on the server's version
    pods = ("serving0-6d4b75cb6d-abcd0", *fleet_server.alone)
    selector = f'container_memory_rss{{pod=~"{"|".join(pods)}"}}'
    with Asker(Server(fleet_server.url)) as asker:
        told: dict[str, dict[str, float]] = {pod: {} for pod in pods}
        for entry in asker.vector(query(selector, DAYS), at):
            told[entry["metric"]["pod"]][entry["metric"]["floor"]] = float(entry["value"][1])
        for entry in asker.matrix(selector, until - DAYS + 120, until, fleet_server.step_seconds):
            time, level = np.array(entry["values"], dtype=np.float64).T
            time, level = time[np.isfinite(level)], level[np.isfinite(level)]
            floors = told[entry["metric"]["pod"]]

            def least(width: float, offset: float, time: Any = time, level: Any = level) -> float:
                within = (time > at - offset - width) & (time <= at - offset)
                return float(level[within].min())

            assert floors["last"] == least(6 * 3600, 0)
            assert floors["last_a_day_before"] == least(6 * 3600, 86_400)
            assert floors["previous"] == least(6 * 3600, 6 * 3600)
            assert floors["previous_a_day_before"] == least(6 * 3600, 30 * 3600)
            assert floors["recent"] == least(1800, 0)
            assert floors["three_hours"] == least(3 * 3600, 0)
            assert floors["three_before"] == least(3 * 3600, 3 * 3600)
            assert floors["highest"] == level[time <= at - 1800].max()
            assert floors["series"] == 1
            assert could_leak(Floors(**floors)) == (entry["metric"]["pod"] in fleet_server.alone)


def test_a_run_that_was_cut_off_asks_for_the_same_time(
    fleet_server: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """--resume without times goes on with those of the results, and ends as one run would have."""
    some = ("-l", 'pod=~"serving[35]-.*"', "--results", str(tmp_path / "results"))
    judge(fleet_server, *some)
    whole = json.loads(capsys.readouterr().out)
    (tmp_path / "results" / "part-000000.parquet").unlink()
    command = ["fleet", "--prometheus", fleet_server.url, "--step", "120s", "--workers", "1", "-o", "json"]
    assert run([*command, *some, "--resume"]) == 10
    assert json.loads(capsys.readouterr().out) == whole
