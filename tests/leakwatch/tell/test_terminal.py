import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from detectors.types import Forecast
from leakwatch.tell import terminal
from leakwatch.tell.summary import HEAD, columns_that_fit
from leakwatch.tell.urgency import by_urgency
from leakwatch.trace import DroppedRow
from playbooks.types import Action, Answered, Branch, Confidence, Diagnosis, Remedy, Step

ANSI = re.compile("\x1b\\[[0-9;]*m")
Golden = Callable[[str, str], None]


def screen(*analyses: Any, width: int = 80, height: int = 24, **more: Any) -> str:
    return terminal.render(analyses, width=width, height=height, **{"colour": False, **more})


@pytest.mark.parametrize("name", ["flat", "undecided", "short", "empty", "hostile", "crowded"])
def test_the_screen_of_each_kind(examples: Any, golden: Golden, name: str) -> None:
    """Each screen looks as it did when a person last read it (80 x 24)."""
    golden(f"{name}_80.txt", screen(getattr(examples, name)))


def test_the_screen_of_a_leak(examples: Any, golden: Golden) -> None:
    """The main screen, in a small and in a large terminal, without a limit, after restarts, and explained."""
    golden("leak_80.txt", screen(examples.leak()))
    golden("leak_60.txt", screen(examples.leak(), width=60))
    golden("leak_no_limit_100.txt", screen(examples.leak(limit=None), width=100, height=40))
    golden("leak_restarts_120.txt", screen(examples.leak(restarts=(1_790_040_000.0, 1_790_060_000.0)), width=120))
    golden("leak_wide_160.txt", screen(examples.leak(), width=160, height=50, wide=True, explain=True))


def test_the_wide_screen_tells_the_diagnosis(examples: Any) -> None:
    """A cause that was found stands on the screen; where there is room, with its path and its steps in order."""
    steps = (Step("Look", "ps | head"), Step("Stop [red]it[/red]"))
    path = (Answered("Does it?", Branch.UNKNOWN, "\x1b[2Jx is not known"),)
    diagnosis = Diagnosis("It leaks.", Confidence.LIKELY, path, steps, "x", Remedy(Action.RESTART, "requests are lost"))
    for shown in (
        screen(examples.leak(), wide=True, diagnosis=diagnosis),
        screen(examples.leak(), explain=True, diagnosis=diagnosis),
    ):
        assert shown.endswith(
            "Cause\n  • It leaks. (likely)\n"
            "How it was found (playbook x)\n  unknown Does it? \\x1b[2Jx is not known\n"
            "What to do\n  1. Look: ps | head\n  2. Stop [red]it[/red]\n"
            "What a machine may do\n  ! restart; requests are lost\n"
        )
    short = screen(examples.leak(), diagnosis=diagnosis)
    assert "Cause It leaks.\nNext " in short and "Does it?" not in short


def test_the_screen_of_many(examples: Any, golden: Golden) -> None:
    """Many traces are one table, the leak with the least time left first, at every width."""
    many = (examples.flat, examples.undecided, examples.leak(), examples.leak("b.csv", limit=None), examples.hostile)
    for width in (60, 80, 120):
        golden(f"many_{width}.txt", screen(*many, width=width))
    golden("many_wide_200.txt", screen(*many, width=200, wide=True))
    golden("many_explain_80.txt", screen(*many[1:3], explain=True))


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("width", [40, 60, 80, 100, 133, 160, 200])
def test_no_line_is_wider_than_the_terminal(examples: Any, width: int, wide: bool) -> None:
    """Nothing wraps by accident, with one trace or many, hostile names included."""
    every = (examples.leak(), examples.hostile, examples.flat, examples.undecided, examples.short, examples.empty)
    for analyses in (*((one,) for one in every), every):
        assert all(len(line) <= width for line in screen(*analyses, width=width, wide=wide, explain=True).splitlines())


def test_a_leak_fits_a_small_terminal(examples: Any) -> None:
    """At 80 x 24 the verdict has not scrolled away when the prompt comes back."""
    assert len(screen(examples.leak()).splitlines()) <= 23


def test_many_reasons_leave_the_verdict_in_sight(examples: Any) -> None:
    """A small terminal gets the most telling reasons and the number of the others; a large and a wide one get all."""
    trace, leak = examples.leak()
    because = tuple(f"reason {i}, with its number and its unit in a sentence that is of some length" for i in range(7))
    told = trace, replace(leak, verdict=replace(leak.verdict, because=because))
    shown = screen(told).splitlines()
    assert len(shown) <= 23
    assert shown[0].startswith("LEAK")
    assert shown[-2].startswith("Next")
    first = [line for line in shown if line.startswith("  • reason")]
    assert first[0].startswith("  • reason 0")
    assert f"Why ({7 - len(first)} more: -o wide)" in shown
    for look in ({"height": 50}, {"wide": True}, {"explain": True}):
        assert all(f"reason {i}" in screen(told, **look) for i in range(7))


def test_a_long_note_has_the_whole_width_and_leaves_the_columns_alone(examples: Any) -> None:
    """What was dropped is a sentence: it must not push the numbers' remarks out to the right edge."""
    trace, assessment = examples.flat
    noted = replace(trace, dropped_rows=3, dropped=tuple(DroppedRow(i, "x" * 60) for i in range(3)))
    figures, said = screen((trace, assessment)).splitlines(), screen((noted, assessment)).splitlines()
    assert next(line for line in said if line.startswith("Samples")) in figures
    assert max(map(len, (line for line in said if "xxx" in line))) > 70


def test_names_cannot_style_or_break_the_screen(examples: Any) -> None:
    """Markup is shown as it is written; escapes and newlines are shown, not obeyed."""
    for analyses in ((examples.hostile,), (examples.hostile, examples.flat)):
        shown = screen(*analyses, width=200, wide=True, explain=True)
        assert "[red]x[/red]\\x1b[31m\\n<b>" in shown
        assert "\x1b" not in shown and "\u202e" not in shown
        shown.encode("utf-8")


def test_without_colour_there_is_no_escape(examples: Any) -> None:
    """A pipe and NO_COLOR get plain text: no bold either."""
    assert "\x1b" not in screen(examples.leak(), examples.flat) + screen(examples.leak())


def test_colour_changes_nothing_but_colour(examples: Any) -> None:
    """The coloured screen says the same, and its verdict is red."""
    for analyses in ((examples.leak(),), (examples.leak(), examples.flat)):
        coloured = screen(*analyses, colour=True)
        assert "\x1b[1;31mLEAK" in coloured
        plain = "\n".join(line.rstrip() for line in ANSI.sub("", coloured).splitlines())
        assert plain == screen(*analyses).rstrip("\n")


def test_the_most_urgent_is_first(examples: Any) -> None:
    """Leaks by time left, however fast, then leaks without a limit by speed, then undecided, then healthy."""

    def slowed(trace: Any, assessment: Any) -> Any:
        slow = replace(assessment.verdict, trend=replace(assessment.verdict.trend, slope_per_second=1.0))
        return trace, replace(assessment, verdict=slow)

    soon = slowed(*examples.leak("soon.csv", left=Forecast(50, 40, 60)))
    late, endless = examples.leak("late.csv"), examples.leak("endless.csv", limit=None)
    slow = slowed(*examples.leak("slow.csv", limit=None))
    ordered = by_urgency([examples.flat, examples.undecided, slow, endless, late, soon])
    names = [trace.target.source for trace, _ in ordered]
    assert names == ["soon.csv", "late.csv", "endless.csv", "slow.csv", "warm.csv", "ok.csv"]


def test_columns_are_left_out_whole_and_named(examples: Any) -> None:
    """A narrow terminal loses the last columns, never the name, and is told which."""
    assert columns_that_fit(HEAD, [("LEAK", "x" * 50, "97 MiB/h", "3 h", "87 %", "linear")], 54) == 3
    assert columns_that_fit(HEAD, [], 10) == 2
    assert "No room for: Of limit, Shape" in screen(examples.leak("x" * 50), examples.flat, width=62)
