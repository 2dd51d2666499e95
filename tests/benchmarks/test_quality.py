"""The figures in RESULTS.md are counted as they claim to be."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks import corpus, real_traces
from benchmarks.judged import Claim, Judged, judge
from benchmarks.quality import report
from benchmarks.scores import claims, peer_hits, score, wilson
from benchmarks.tables import Table, write_section
from detectors.types import Answer

FOUND = Judged(
    material="containers",
    family="leak_by_time",
    leak=True,
    full=True,
    limited=True,
    verdict=Answer.LEAK,
    alarms=frozenset({"Coroot"}),
    slope=Claim(100.0, 110.0, 90.0, 130.0),
    seconds_to_limit=Claim(50.0, None),
    bytes_per_request=None,
    driver="time",
    by_request=False,
    seconds=0.01,
)


def answered(verdict: Answer, leak: bool) -> Judged:
    """A trace without estimates."""
    nothing = {"slope": None, "seconds_to_limit": None, "driver": None}
    return dataclasses.replace(FOUND, verdict=verdict, leak=leak, alarms=frozenset(), **nothing)


def test_undecided_misses_a_leak_and_is_no_false_alarm() -> None:
    """2 found, 1 undecided leak, 1 false alarm, 1 undecided healthy: precision and recall are 2/3."""
    judged = [FOUND, FOUND, answered(Answer.UNDECIDED, True), answered(Answer.LEAK, False)]
    judged.append(answered(Answer.UNDECIDED, False))
    of = score(judged)
    assert of.hits.precision == of.hits.recall == of.hits.f1 == pytest.approx(2 / 3)
    assert of.hits.false_alarm_rate == 0.5 and of.undecided == 0.4
    theirs = peer_hits(judged, "Coroot")
    assert theirs.precision == 1.0 and theirs.recall == pytest.approx(2 / 3)


def test_a_missing_estimate_is_not_covered_and_has_no_error() -> None:
    """Coverage counts what was not given; error and width cannot."""
    of = claims([Claim(100.0, 110.0, 90.0, 130.0), Claim(100.0, None), Claim(100.0, 80.0, 70.0, None), None])
    assert of.count == 3 and of.covered == pytest.approx(2 / 3)
    assert of.median_error == pytest.approx(0.15) and of.median_width == pytest.approx(40 / 110)
    assert math.isnan(claims([]).covered)


def test_wilson_interval_agrees_with_published_values() -> None:
    """Newcombe 1998, Table I: 81 of 263 gives 0.2553 to 0.3662, 0 of 20 gives 0 to 0.1611."""
    assert wilson(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(0.0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)


def test_a_pod_with_a_leak_gains_its_share_of_the_limit() -> None:
    """5 % of the limit a day is 5 % of the limit after a day, and nothing before a later begin."""
    time = 1.7e9 + np.arange(1_441) * 60.0
    level = np.full_like(time, 2e9)
    pod = dataclasses.replace(
        corpus.generate("healthy_flat", 0), time_seconds=time, columns={"working_set_bytes": level}, limit_bytes=8e9
    )
    whole = real_traces.leaking(pod, 0.05, from_start=True)
    assert whole.columns["working_set_bytes"][-1] == pytest.approx(2e9 + 0.05 * 8e9)
    late = real_traces.leaking(pod, 0.05, from_start=False)
    assert late.onset_seconds is not None and time[0] < late.onset_seconds < time[720]
    assert np.all(late.columns["working_set_bytes"][time <= late.onset_seconds] == 2e9)
    assert late.slope_bytes_per_second == whole.slope_bytes_per_second == pytest.approx(0.05 * 8e9 / 86_400)


def test_only_its_own_section_of_the_results_is_replaced(tmp_path: Path) -> None:
    """What stands around the markers stays, and a second writing leaves one section."""
    results = tmp_path / "RESULTS.md"
    results.write_text("# Results\nby hand\n<!-- other:begin -->\nkept\n<!-- other:end -->\n", encoding="utf-8")
    for cell in ("1", r"2 \g<0>"):
        write_section("quality", "python -m x", [Table("T", "", ("a", "b"), [(cell, "-")])], results)
    text = results.read_text(encoding="utf-8")
    assert "by hand" in text and "kept" in text and r"| 2 \g<0> | - |" in text
    assert text.count("quality:begin") == text.count("quality:end") == 1 and "| 1 |" not in text


def test_a_report_holds_what_was_judged() -> None:
    """From traces to tables: a plain leak and a flat server are in the table of their kind."""
    names = ("leak_by_time", "healthy_flat")
    made = report([(f"{name} 0", judge("containers", corpus.generate(name, 0))) for name in names])
    rows = {table.title: [row[0] for row in table.rows] for table in made}
    assert rows["Leaking families: containers"] == ["leak_by_time"]
    assert rows["Healthy families: containers"] == ["healthy_flat"]
    assert all(len(row) == len(table.headings) for table in made for row in table.rows)
