"""The pictures of docs/detection.md say what the detector says today."""

import re
from pathlib import Path

import pytest

from leakwatch.analyze import Reading, analyze_source

ROOT = Path(__file__).parents[2]
DRAWN = sorted((ROOT / "docs" / "images" / "detection").glob("*.svg"))


@pytest.mark.parametrize("path", DRAWN, ids=lambda path: path.stem)
def test_a_picture_bears_the_verdict(path: Path) -> None:
    """Its title is the verdict and the shape of the trace it was drawn from; the page shows it."""
    result = analyze_source(str(ROOT / "sample_traces" / f"{path.stem}.csv"), Reading(diagnosed=False))
    ((_, assessment),) = result.analyses
    words = f"{assessment.verdict.verdict.value}, {assessment.verdict.shape.value}".replace("_", " ")
    (title,) = re.findall("<title>(.*?)</title>", path.read_text())
    assert title == f"{path.stem}: {words}", "run python docs/draw_detection.py"
    assert f"images/detection/{path.name}" in (ROOT / "docs" / "detection.md").read_text()


def test_there_are_pictures() -> None:
    """The cases above are not empty."""
    assert len(DRAWN) >= 6
