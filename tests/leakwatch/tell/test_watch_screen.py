"""The screen of `leakwatch watch`, at every size."""

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from detectors.types import Interval, Level, LiveVerdict
from leakwatch.tell.watch_screen import WatchScreen, render
from leakwatch.tell.watch_view import View, as_document
from leakwatch.trace import Target, Trace

START, MIB, GIB = 1_790_000_000.0, 2.0**20, 2.0**30
HOSTILE = "[red]x[/red]\x1b[31m\n<b>&\"'`|\u202e"


@pytest.fixture(scope="module")
def leaking(live_verdict: Callable[..., LiveVerdict]) -> View:
    """A day of a leak under requests, seen through one restart, with a page that cannot be read."""
    time_seconds = START - 86_400 + 60 * np.arange(1440.0)
    level = 11 * GIB + np.maximum(time_seconds - START + 60_000, 0) * 250 * MIB / 3600 + 1e7 * np.sin(time_seconds)
    requests = np.cumsum(np.full(1440, 7200.0))
    trace = Trace(Target("watch"), time_seconds, {"anon_bytes": level, "requests_total": requests}, 16 * GIB)
    verdict = replace(
        live_verdict(rate=250, since=START - 52_800),
        bytes_per_request=Interval(3410, 3300, 3600),
        because=tuple(
            f"Reason number {i} is told in a sentence that is rather long, with its number." for i in range(4)
        ),
    )
    values = {
        "anon_bytes": float(level[-1]), "requests_total": float(requests[-1]), "memory_pressure_ratio": 0.031,
        "latency_p95_seconds:resnet/predict": 0.82, "latency_p95_seconds:bert": 0.1, "oom_kills_total": 2.0,
        "threads": 88.0,
    }  # fmt: skip
    trouble = ("tf_serving: refused connection; check the address",)
    return View("serving", trace, verdict, values, (START - 70_000,), 60.0, 3.0, trouble)


def drawn(view: View, width: int, height: int) -> list[str]:
    """What a terminal of this size shows."""
    console = Console(width=width, height=height, markup=False, color_system=None, legacy_windows=False)
    with console.capture() as capture:
        console.print(WatchScreen(view), height=height)
    return capture.get().splitlines()


@pytest.mark.parametrize(("width", "height"), [(80, 24), (140, 40)])
def test_a_leak_is_seen_at_a_glance(leaking: View, golden: Callable[[str, str], None], width: int, height: int) -> None:
    """Verdict, chart, figures and keys stand where one looks for them."""
    lines = drawn(leaking, width, height)
    golden(f"watch-{width}x{height}.txt", "\n".join(line.rstrip() for line in lines) + "\n")
    assert lines[0].startswith("LEAK  serving: anon grows 250 MiB/h")
    assert lines[-1].startswith("p pause   s save   q quit")
    assert len(lines) == height


def test_once_is_the_same_without_keys(leaking: View, golden: Callable[[str, str], None]) -> None:
    """A script's log gets the screen, and no row that is empty or speaks of keys."""
    shown = render(leaking, width=100, height=40, colour=False)
    golden("watch-once.txt", shown)
    assert "quit" not in shown
    assert not shown.endswith("\n\n")
    assert "\x1b" not in shown
    assert "\x1b[1;31mLEAK" in render(leaking, width=100, height=40, colour=True)


@pytest.mark.parametrize(
    ("level", "word"), [(Level.LEAK, "LEAK"), (Level.SUSPECTED, "SUSPECTED"), (Level.QUIET, "NO LEAK")]
)
def test_each_level_has_its_word(
    leaking: View, live_verdict: Callable[..., LiveVerdict], level: Level, word: str
) -> None:
    """A suspicion is shown here, and nowhere else."""
    verdict = replace(
        live_verdict(level), trend=leaking.verdict.trend if leaking.verdict and level is not Level.QUIET else None
    )
    assert drawn(replace(leaking, verdict=verdict), 80, 24)[0].startswith(f"{word}  serving: ")


def test_before_the_first_judgement_it_says_that_it_watches(leaking: View) -> None:
    """Nothing is called healthy that was not looked at."""
    assert drawn(replace(leaking, verdict=None), 80, 24)[0] == (
        "WATCHING  serving: anon 15.1 GiB of 16 GiB (94 %); too little seen yet to judge"
    )
    nothing = View("serving", Trace(Target("w"), np.empty(0), {}), None, {}, trouble=("cgroup: gone; start it",))
    lines = drawn(nothing, 80, 24)
    assert lines[0] == "WAITING  serving: no sample yet"
    assert "cgroup: gone; start it" in lines


def test_a_paused_screen_says_so(leaking: View) -> None:
    """Whoever comes back to it knows that it stands still, and what the last key did."""
    assert drawn(replace(leaking, paused=True), 80, 24)[-1].startswith(" PAUSED   p go on")
    assert drawn(replace(leaking, note="saved to a.csv"), 80, 24)[-1].rstrip() == "saved to a.csv"


def test_old_numbers_are_marked(leaking: View) -> None:
    """A source that has stopped answering does not look alive."""
    assert "the last 10 min ago" in drawn(replace(leaking, age_seconds=600), 160, 24)[-1]


@given(st.integers(20, 200), st.integers(3, 60), st.booleans())
def test_any_size_is_filled_exactly(leaking: View, width: int, height: int, paused: bool) -> None:
    """However the terminal is resized, every row is there, none is too wide, and the verdict stays on top."""
    lines = drawn(replace(leaking, paused=paused), width, height)
    assert len(lines) == height
    assert all(cell_len(line) <= width for line in lines)
    assert lines[0].startswith("LEAK")


def test_names_from_outside_do_nothing(leaking: View) -> None:
    """Container and model names, reasons and errors are shown and not obeyed."""
    verdict = replace(leaking.verdict, because=(HOSTILE,)) if leaking.verdict else None
    hostile = replace(
        leaking, name=HOSTILE, verdict=verdict, trouble=(HOSTILE,), note=HOSTILE,
        values={**leaking.values, f"latency_p95_seconds:{HOSTILE}": 3.0},
    )  # fmt: skip
    for shown in ("\n".join(drawn(hostile, 120, 40)), render(hostile, width=120, height=40, colour=False)):
        assert "\x1b" not in shown and "\u202e" not in shown
        assert "[red]x[/red]\\x1b" in shown


def test_the_document_says_the_same(leaking: View) -> None:
    """For scripts: the names of `analyze`, finite numbers, and the level."""
    document = json.loads(json.dumps(as_document(leaking), allow_nan=False))
    assert (document["level"], document["verdict"], document["metric"]) == ("leak", "leak", "anon_bytes")
    assert document["slope_bytes_per_second"]["estimate"] == pytest.approx(250 * MIB / 3600)
    assert document["limit_bytes"] == 16 * GIB
    empty = as_document(View("x", Trace(Target("w"), np.empty(0), {}), None, {}))
    assert (empty["level"], empty["verdict"], empty["samples"]) == ("quiet", "undecided", 0)
