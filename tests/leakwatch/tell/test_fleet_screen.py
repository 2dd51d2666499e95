"""A fleet on a terminal: golden at two widths, hostile names shown as text, and the page drawn from the same values."""

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import numpy as np

from detectors.types import Answer, Forecast, Shape, Trend
from leakwatch.members import Grid, Group, Judged
from leakwatch.tell import fleet_html, fleet_rows
from leakwatch.tell.fleet_screen import render

Golden = Callable[[str, str], None]
MIB, GIB, START = 2.0**20, 2.0**30, 1_790_000_000.0
HOSTILE = "[red]x[/red]\x1b[31m\n<b>&\"'"
GRID = Grid(START, START + 86_400, 144)
SCHEMA = Path(__file__).parents[3] / "docs" / "schemas" / "fleet.schema.json"


def container(pod: str, hours: float | None, rate: float = 12 * MIB / 3600) -> Judged:
    labels = {"namespace": "ml", "workload": "ranker", "image": "ranker:v47", "node": "node3", "pod": pod}
    return Judged(
        labels=labels | {"container": "server"},
        samples=1440,
        start_seconds=START,
        end_seconds=START + 86_400,
        verdict=Answer.LEAK,
        shape=Shape.LINEAR,
        confidence=0.99,
        probability=0.99,
        metric="anon_bytes",
        trend=Trend(rate, 0.95 * rate, 1.05 * rate, 140),
        forecast=None if hours is None else Forecast(3600 * hours * 1.1, 3600 * hours, np.inf),
        onset=START + 7200,
        limit_bytes=None if hours is None else 4 * GIB,
        last_bytes=2.5 * GIB,
        because=("anonymous memory has grown by 264 MiB",),
        levels=np.linspace(2 * GIB, 2.5 * GIB, 144).astype(np.float32),
        request_rates=None,
        restarts=(),
    )


def group(kind: str, name: str, rising: int, replicas: int, because: tuple[str, ...]) -> Group:
    rate = 12.1 * MIB / 3600
    return Group(
        kind=kind,
        name=name,
        within="ranker",
        images=("ranker:v46", "ranker:v47"),
        started=None,
        replicas=replicas,
        still=0,
        leaking=3,
        rising=rising,
        probability=0.999,
        claimed=True,
        trend=Trend(rate, 11.6 * MIB / 3600, 12.7 * MIB / 3600, 140),
        onset=START + 7200,
        shape=Shape.LINEAR,
        levels=np.linspace(2 * GIB, 2.5 * GIB, 144).astype(np.float32),
        because=because,
    )


LEAKS = (container("ranker-6d4b75cb6d-hs9vq", 7.7), container("ranker-6d4b75cb6d-x2x2x", None), container("a-0", 200))
GROUPS = (
    group(
        "image",
        "registry.example/ml/ranker:v47",
        12,
        12,
        (
            "began with the roll-out at 2026-09-21T14:05:00Z",
            "no other image of ranker rises (3 judged): it came with this image",
        ),
    ),
    group("workload", "ml/ranker", 12, 18, ("of its 4 images only ranker:v47 leaks",)),
)
COUNTS = {Answer.LEAK: 3, Answer.NO_LEAK: 20_120, Answer.UNDECIDED: 41}


def test_the_screen(golden: Golden) -> None:
    """Why a group is claimed stands under its row at every width; the first to die comes first."""
    for width in (80, 120):
        golden(f"fleet_{width}.txt", render(20_164, COUNTS, LEAKS, GROUPS, width=width, colour=False))


def test_nothing_leaks(golden: Golden) -> None:
    """One line."""
    counts = dict.fromkeys(Answer, 0) | {Answer.NO_LEAK: 300}
    golden("fleet_healthy_80.txt", render(300, counts, (), (), width=80, colour=False))


def test_names_are_only_names() -> None:
    """Markup, escapes and line ends in labels reach neither the terminal nor the page as such."""
    leaks, groups = (container(HOSTILE, 7.7),), (group("image", HOSTILE, 12, 12, (HOSTILE,)),)
    screen = render(1, COUNTS, leaks, groups, width=100, colour=False)
    page = fleet_html.render(1, COUNTS, leaks, groups, GRID)
    assert "\x1b" not in screen + page
    assert "[red]x" in screen
    assert '<b>&"' not in page


def test_the_document_holds_to_the_published_schema() -> None:
    """Groups and containers, with and without a limit; an endless forecast is null."""
    document = json.loads(json.dumps(fleet_rows.as_dict(20_164, COUNTS, LEAKS, GROUPS, ("x",)), allow_nan=False))
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
    validator.check_schema(validator.schema)
    validator.validate(document)
    assert document["leaks"][0]["time_to_limit_seconds"]["high"] is None
    del document["groups"][0]["images"]
    assert not validator.is_valid(document)
