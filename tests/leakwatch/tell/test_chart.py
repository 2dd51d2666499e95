import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from detectors.types import Answer, Assessment, Fit, Shape, Verdict
from leakwatch.tell import chart, chart_scale
from leakwatch.trace import Target, Trace

GIB = 2.0**30


def plot_of(trace: Trace, assessment: Assessment, width: int = 80, height: int = 13) -> list[str]:
    """The rows of cells alone, without gutter, axis and legend."""
    return [line.split("┤" if "┤" in line else "│", 1)[1] for line in lines_of(trace, assessment, width, height)[:-3]]


def lines_of(trace: Trace, assessment: Assessment, width: int = 80, height: int = 13) -> list[str]:
    return ["".join(span.text for span in row) for row in chart.draw(trace, assessment, width, height)]


def simple(level: np.ndarray, time: np.ndarray | None = None, limit: float | None = None) -> tuple[Trace, Assessment]:
    time = np.arange(len(level), dtype=float) + 1.79e9 if time is None else time
    verdict = Verdict(Answer.NO_LEAK, Shape.FLAT, 0.5, "anon_bytes", None, None, (), ())
    return Trace(Target("x"), time, {"anon_bytes": level}, limit), Assessment(verdict)


@pytest.mark.parametrize("width", [30, 60, 80, 133, 200])
@pytest.mark.parametrize("height", [6, 9, 24])
def test_the_chart_keeps_to_its_room(examples: Any, width: int, height: int) -> None:
    """Never a row too many or a character too wide, whatever the terminal."""
    for analysis in (examples.leak(), examples.flat, examples.short, examples.undecided):
        lines = lines_of(*analysis, width, height)
        assert len(lines) == height
        assert max(map(len, lines)) <= width


def test_growth_rises_from_left_to_right(examples: Any) -> None:
    """The first sample lies lower on the screen than the last."""
    rows = plot_of(*simple(np.linspace(1, 2, 500) * GIB))
    first, last = (next(i for i, row in enumerate(rows) if row[x].strip()) for x in (0, -1))
    assert first > last


def test_one_sample_of_a_spike_stays_in_sight(examples: Any) -> None:
    """A peak of one sample among thousands is what killed the container: it is drawn."""
    level = np.full(20_000, GIB)
    level[10_000] = 3 * GIB
    rows = plot_of(*simple(level))
    middle = len(rows[0]) // 2
    assert any(row[middle - 2 : middle + 2].strip() for row in rows[:3])


def test_a_gap_is_left_empty() -> None:
    """Where nothing was measured no line suggests a level."""
    time = np.concatenate([np.arange(500.0), np.arange(1500.0, 2000.0)]) + 1.79e9
    rows = plot_of(*simple(np.full(1000, GIB), time))
    centre = len(rows[0]) // 2
    assert all(not row[centre - 10 : centre + 10].strip() for row in rows)


def test_few_samples_are_joined(examples: Any) -> None:
    """Three samples make a line, not three lost dots."""
    rows = plot_of(*simple(np.array([1.0, 1.5, 2.0]) * GIB))
    assert all(any(row[x].strip() for row in rows) for x in range(len(rows[0])))


def test_the_limit_is_drawn_where_it_is_near_and_named_where_it_is_far(examples: Any) -> None:
    """A limit far above would flatten the movement; then the legend alone tells it."""
    level = np.linspace(1, 2, 300) * GIB
    near, far = lines_of(*simple(level, limit=2.5 * GIB)), lines_of(*simple(level, limit=64 * GIB))
    assert any("╌" in line for line in near[:-1]) and "╌ limit 2.5 GiB" in near[-1]
    assert not any("╌" in line for line in far[:-1]) and "↑ limit 64 GiB" in far[-1]


def test_restarts_and_onset_are_marked_on_the_axis(examples: Any) -> None:
    """One sees where it was restarted and where the growth began."""
    axis = lines_of(*examples.leak(restarts=(1_790_040_000.0, 1_790_060_000.0)))[-3]
    assert axis.count("×") == 2
    assert axis.count("▲") == 1


def test_every_layer_is_told_apart_without_colour(examples: Any) -> None:
    """Level, fit, limit and restart have glyphs of their own and stand in the legend."""
    lines = lines_of(*examples.leak(restarts=(1_790_040_000.0,)), 120)
    plot, legend = "".join(lines[:-3]), lines[-1]
    for glyph, name in (("·", "· fitted"), ("╌", "╌ limit 4 GiB"), ("┊", "┊ restart")):
        assert glyph in plot and name in legend
    assert "▲ since" in legend


@pytest.mark.parametrize("column", [np.array([]), np.full(50, np.nan)])
def test_nothing_known_draws_nothing(column: np.ndarray) -> None:
    """No samples, or none of the judged column, give no chart rather than an empty frame."""
    assert chart.draw(*simple(column), 80, 12) == ()


numbers = st.floats(min_value=0, max_value=1e15)


@given(st.lists(numbers | st.just(float("nan")), min_size=1, max_size=40), st.none() | numbers, st.integers(1, 10**6))
@settings(max_examples=150, deadline=None)
def test_any_levels_can_be_drawn(levels: list[float], limit: float | None, step: int) -> None:
    """No level, no limit and no pace crash the chart or push it out of its room."""
    assume(limit != 0)
    time = np.arange(len(levels), dtype=float) * step + 1.79e9
    lines = lines_of(*simple(np.array(levels), time, limit))
    assert all(len(line) <= 80 for line in lines)


@given(numbers, numbers)
def test_size_ticks_are_inside_and_in_order(one: float, other: float) -> None:
    """Labels never lie outside of the axis that they label."""
    bottom, top = chart_scale.span(np.array([one, other]), None)
    ticks = [value for value, _ in chart_scale.size_ticks(bottom, top, 5)]
    assert ticks == sorted(ticks)
    assert all(bottom - 1e-6 * abs(top) <= value <= top * (1 + 1e-6) for value in ticks)
    assert 1 <= len(ticks) <= 5


@given(st.floats(0, 2e9), st.floats(1, 1e9))
@settings(deadline=None)
def test_time_labels_fit(start: float, length: float) -> None:
    """Time labels never run together."""
    labels = [label for _, label in chart_scale.time_ticks(start, start + length, 60)]
    assert sum(map(len, labels)) + 2 * len(labels) <= 60


def test_elapsed_times_are_no_clock_times() -> None:
    """A recorder that counts from its start gets 4 min, not 00:04."""
    assert "4 min" in [label for _, label in chart_scale.time_ticks(0, 900, 60)]


def test_the_metric_that_was_judged_is_the_one_that_is_drawn(examples: Any) -> None:
    """The chart shows the column that the verdict rests on, by name."""
    trace, assessment = examples.leak()
    other = dataclasses.replace(assessment.verdict, metric="usage_bytes")
    assert "⣿ usage" in lines_of(trace, dataclasses.replace(assessment, verdict=other))[-1]


def test_the_fit_lies_where_the_level_is(examples: Any) -> None:
    """A perfect fit is drawn in the level's own row, and to a third of it: no misfit is invented by rounding."""
    trace, assessment = simple(np.linspace(1, 2, 500) * GIB)
    level = trace.columns["anon_bytes"]
    fit = Fit(trace.time_seconds, level, level, np.zeros_like(level))
    fitted = plot_of(trace, dataclasses.replace(assessment, fit=fit))
    alone = plot_of(trace, assessment)
    for row, row_alone in zip(fitted, alone, strict=True):
        for glyph, glyph_alone in zip(row, row_alone, strict=True):
            assert glyph not in "˙·." or glyph_alone.strip()
    assert {"˙", "·", "."} <= set("".join(fitted))
