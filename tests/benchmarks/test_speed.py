"""The speed benchmark measures what it says, and runs."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from benchmarks import corpus, speed, verdict_cost


def test_the_law_of_the_curve_is_found_again() -> None:
    """Times made by 12 ms + 3 ns x samples give these three numbers back."""
    sizes = verdict_cost.SIZES
    law = verdict_cost.fit_law(sizes, [0.012 + 3e-9 * n for n in sizes])
    assert (law.fixed, law.each, law.power) == pytest.approx((0.012, 3e-9, 1.0), rel=1e-6)


def test_a_stretched_trace_is_the_same_container() -> None:
    """Any number of samples over the same time, whole numbers, and the level within a few standard deviations."""
    short = corpus.generate("leak_by_time", 0)
    long = verdict_cost.stretched(short, 9_000)
    assert len(long.time_seconds) == 9_000 and np.all(np.diff(long.time_seconds) > 0)
    np.testing.assert_allclose(long.time_seconds[[0, -1]], short.time_seconds[[0, -1]])
    for name, values in long.columns.items():
        assert np.array_equal(values, np.floor(values))
        np.testing.assert_allclose(values[[0, -1]], short.columns[name][[0, -1]], rtol=0.002, atol=1)


def test_a_tiny_run_fills_every_table(tmp_path: Path) -> None:
    """Every table has its rows, in its own width, and the curve is a drawing."""
    tables = speed.report(speed.TINY, tmp_path / "curve.svg")
    assert len(tables) == 7
    assert all(table.rows and all(len(row) == len(table.headings) for row in table.rows) for table in tables)
    assert ElementTree.parse(tmp_path / "curve.svg").getroot().tag.endswith("svg")


def test_a_process_that_fails_is_no_measurement() -> None:
    """An error ends the benchmark with what the process said."""
    with pytest.raises(SystemExit, match="no such"):
        speed.run(["sh", "-c", "echo no such file >&2; exit 1"])
