import dataclasses
import math
from typing import Any

import pytest

from detectors.types import Answer, Forecast, Shape
from leakwatch.tell.sentences import next_step, notes, trace_name, verdict_in_words, verdict_line
from leakwatch.trace import DroppedRow


def test_a_leak_is_one_line_with_speed_start_and_time_left(examples: Any) -> None:
    """The person on call reads what, how fast, since when and how long from the first line."""
    assert verdict_line(*examples.leak()) == (
        "LEAK  trace.csv: anon grows 97 MiB/h (93 to 102), since 2026-09-21T20:13:35Z; "
        "the 4 GiB limit is reached in 3 h 20 min (2 h 50 min to 4 h 10 min)"
    )


def test_a_leak_of_one_day_names_the_hour_alone(examples: Any) -> None:
    """Within one day the date would only be noise."""
    assert ", since 15:43Z; " in verdict_line(*examples.leak(hours=6))


@pytest.mark.parametrize(
    ("forecast", "said"),
    [
        (Forecast(0.0, 0.0, 60.0), "the 4 GiB limit is reached already"),
        (Forecast(12_000, 10_200, None), "is reached in 3 h 20 min (2 h 50 min or later)"),
        (Forecast(math.inf, 10_200, None), "when it reaches the 4 GiB limit cannot be told"),
        (None, "when it reaches the 4 GiB limit cannot be told"),
    ],
)
def test_the_time_left_is_said_as_far_as_it_is_known(examples: Any, forecast: Forecast | None, said: str) -> None:
    """No invented end: without an upper bound, without a forecast, or at the limit already."""
    trace, assessment = examples.leak()
    assert said in verdict_in_words(trace, dataclasses.replace(assessment, forecast=forecast))


def test_without_a_limit_nothing_is_said_to_be_reached(examples: Any) -> None:
    """No limit is a normal case, and the next step is to set one."""
    trace, assessment = examples.leak(limit=None)
    assert verdict_in_words(trace, assessment).endswith("no memory limit is known, so neither is the time left")
    assert next_step(trace, assessment).endswith("set a memory limit")


def test_restarts_are_counted(examples: Any) -> None:
    """A leak that was killed and started over says so."""
    trace, assessment = examples.leak(restarts=(1_790_010_000.0, 1_790_030_000.0))
    assert "through 2 restarts" in verdict_in_words(trace, assessment)


@pytest.mark.parametrize("answer", list(Answer))
@pytest.mark.parametrize("shape", list(Shape))
def test_every_verdict_with_every_shape_is_a_sentence(examples: Any, answer: Answer, shape: Shape) -> None:
    """No pair of answer and shape, with or without samples, leaves a gap or a placeholder."""
    for trace, assessment in (examples.leak(), examples.flat, examples.empty):
        verdict = dataclasses.replace(assessment.verdict, verdict=answer, shape=shape)
        changed = dataclasses.replace(assessment, verdict=verdict)
        for said in (verdict_line(trace, changed), next_step(trace, changed)):
            assert said.isprintable()
            assert not set("{}") & set(said)
            assert "None" not in said and "nan" not in said


def test_little_time_means_act_first(examples: Any) -> None:
    """With less than half an hour left nobody is sent to compare heap profiles for an hour."""
    trace, assessment = examples.leak(left=Forecast(1500, 1200, 1900))
    assert next_step(trace, assessment).startswith("move traffic away and restart it")


def test_the_model_to_look_at_is_the_one_that_leaks_most(examples: Any) -> None:
    """The next step names the model with the largest share."""
    assert "requests to resnet leave behind (82 % of it)" in next_step(*examples.leak())


def test_a_healthy_container_near_its_limit_is_not_all_clear(examples: Any) -> None:
    """Nothing leaks, and yet a burst would kill it."""
    assert next_step(*examples.crowded) == "its peak takes 98 % of the limit: give it more room or less load"


def test_an_undecided_verdict_says_how_much_longer(examples: Any) -> None:
    """Growth that slows is no leak yet; the reader learns what would decide it."""
    assert verdict_in_words(*examples.undecided).endswith("another 5 h 33 min of trace would decide it")


def test_dropped_rows_are_told_with_their_reasons(examples: Any) -> None:
    """Nothing is lost silently."""
    trace, _ = examples.flat
    dirty = dataclasses.replace(trace, dropped_rows=4, dropped=(DroppedRow(17, "timestamp goes back"),))
    assert notes(dirty) == ("4 rows dropped (line 17: timestamp goes back; ...)",)


def test_a_container_is_named_beside_its_file(examples: Any) -> None:
    """One file may hold many containers."""
    assert trace_name(examples.leak("a.csv", "serving")[0]) == "a.csv (serving)"
