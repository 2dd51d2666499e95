"""Watching one container: what its sources tell becomes what the screen shows."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from leakwatch import watch as module
from leakwatch.clock import SystemClock
from leakwatch.errors import SourceError
from leakwatch.settings import PidPlace, TargetSettings
from leakwatch.trace import Sample, Target, Trace
from leakwatch.watch import Watching

START, MIB = 1_790_000_000.0, 2.0**20
TARGET = TargetSettings("serving", PidPlace(1), limit_bytes=2**30)


class Story:
    """A source that tells one sample or error after another, and then the last one again."""

    blind_to: tuple[str, ...] = ()

    def __init__(self, told: Sequence[Sample | SourceError], name: str = "process") -> None:
        self.told, self.name, self.closed = list(told), name, False

    def read(self, now_seconds: float) -> Sample:
        one = self.told.pop(0) if len(self.told) > 1 else self.told[0]
        if isinstance(one, SourceError):
            raise one
        return one

    def close(self) -> None:
        self.closed = True


def samples(count: int, life: str | None = "1", since: float = START, **more: float) -> list[Sample]:
    """A level that rises by a MiB a second."""
    return [Sample(since + i, {"anon_bytes": (100 + i) * MIB, **more}, life) for i in range(count)]


@pytest.fixture
def watching() -> Iterator[Callable[..., Watching]]:
    """Watches what the given sources tell, a hundred times a second, until all was told."""
    made: list[Watching] = []

    def watch(*sources: Any) -> Watching:
        one = Watching(TARGET, sources, 0.01, SystemClock())
        made.append(one)
        one.start()
        deadline = time.monotonic() + 30
        while any(len(source.told) > 1 for source in sources):
            one.take()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(0.05)
        one.take()
        return one

    yield watch
    for one in made:
        one.close()


def test_samples_become_a_trace_a_verdict_and_figures(watching: Callable[..., Watching]) -> None:
    """All that a source told is on the screen, with the limit of the settings where it sees none."""
    seen = watching(Story(samples(60, limit_bytes=0.0, requests_total=7.0)))
    assert seen.judge() is not None
    view = seen.view()
    assert view.name == "serving"
    assert len(view.trace.time_seconds) == 60
    assert view.trace.limit_bytes == 2**30
    assert view.values["anon_bytes"] == 159 * MIB
    assert list(view.trace.columns) == ["anon_bytes", "requests_total"]


def test_another_life_is_a_restart(watching: Callable[..., Watching]) -> None:
    """A process that was replaced is marked; one whose life is unknown for a moment is not."""
    told = [*samples(5), *samples(5, None, START + 5), *samples(5, "1", START + 10), *samples(5, "2", START + 15)]
    assert watching(Story(told)).view().restarts == (START + 15,)


def test_a_page_stands_beside_the_memory_while_it_is_fresh(watching: Callable[..., Watching]) -> None:
    """What the model server tells is in the sample; when it stops, it is told as trouble, and its numbers go."""
    error = SourceError("tf_serving", "refused connection", "check the address")
    page = Story([Sample(START, {"requests_total": 5.0}), error], "tf_serving")
    seen = watching(Story(samples(300)), page)
    assert any("requests_total" in sample.values for sample in seen.samples)
    view = seen.view()
    assert "requests_total" not in view.values
    assert view.trouble == ("tf_serving: refused connection; check the address",)


def test_trouble_is_over_when_it_is(watching: Callable[..., Watching]) -> None:
    """A source that answers again is no longer complained of."""
    error = SourceError("process", "there is no process 1", "name one that runs", gone=True)
    assert watching(Story([error, *samples(3)])).view().trouble == ()


def test_the_past_is_taken_in_where_there_is_one() -> None:
    """A watch that begins late shows and judges what a server remembers; a past that cannot be had is told."""

    class Past:
        def __init__(self, trace: Trace | SourceError) -> None:
            self.trace = trace

        def history(self, since_seconds: float, until_seconds: float) -> Trace:
            if isinstance(self.trace, SourceError):
                raise self.trace
            return self.trace

    time_seconds = START + 60 * np.arange(100.0)
    columns: Mapping[str, np.ndarray] = {"anon_bytes": np.where(np.arange(100) == 7, np.nan, 1e9)}
    seen = Watching(TARGET, [Story(samples(1))], 1.0, SystemClock())
    seen.recall(Past(Trace(Target("p"), time_seconds, columns, 4e9)))
    view = seen.view()
    assert len(view.trace.time_seconds) == 100
    assert view.trace.limit_bytes == 4e9
    assert np.isnan(view.trace.columns["anon_bytes"][7])
    seen.recall(Past(SourceError("prometheus", "no answer", "check the address")))
    assert seen.view().trouble == ("prometheus: no answer; check the address",)


def test_it_remembers_a_bounded_number(monkeypatch: pytest.MonkeyPatch, watching: Callable[..., Watching]) -> None:
    """Left alone for weeks it holds a fixed number of samples, the first and the last among them."""
    monkeypatch.setattr(module, "MOST_SAMPLES", 50)
    seen = watching(Story(samples(200)))
    assert len(seen.samples) <= 50
    assert seen.samples[0].time_seconds == START
    assert seen.samples[-1].time_seconds >= START + 198
    times = [sample.time_seconds for sample in seen.samples]
    assert times == sorted(set(times))


def test_a_clock_that_goes_back_tells_nothing_twice(watching: Callable[..., Watching]) -> None:
    """Samples that are not later than the last one are left out."""
    told = [*samples(5), *samples(3, since=START + 1), *samples(2, since=START + 5)]
    assert [s.time_seconds - START for s in watching(Story(told)).samples] == [0, 1, 2, 3, 4, 5, 6]
