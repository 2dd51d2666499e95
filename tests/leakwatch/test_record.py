import threading
from pathlib import Path

from leakwatch.errors import SourceError
from leakwatch.record import look, record
from leakwatch.tell.trace_csv import TraceWriter
from leakwatch.trace import Sample


class Hands:
    """A clock that a test turns; waiting on `stop` moves it on."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return 1_790_000_000 + self.time

    def steady(self) -> float:
        return self.time


class Stop(threading.Event):
    """An event whose wait passes on the clock's time."""

    def __init__(self, clock: Hands) -> None:
        super().__init__()
        self.clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        self.clock.time += timeout or 0.0
        return self.is_set()


class FixedSource:
    """A source that tells what it is given, or raises it."""

    name = "fixed"
    blind_to = ()

    def __init__(self, told: dict[str, float] | SourceError) -> None:
        self.told = told

    def read(self, now_seconds: float) -> Sample:
        if isinstance(self.told, SourceError):
            raise self.told
        return Sample(now_seconds, self.told)

    def close(self) -> None:
        pass


def test_the_beat_is_kept_and_a_missed_one_is_left_out(tmp_path: Path):
    """Looks come at multiples of the period; one that takes 2.5 periods costs two of them and shifts none."""
    clock = Hands()
    times = []

    def take(now: float) -> Sample:
        times.append(clock.time)
        if len(times) == 2:
            clock.time += 12.5
        return Sample(now, {"anon_bytes": 1.0})

    writer = TraceWriter(str(tmp_path / "t.csv"))
    done = record(take, writer, clock, Stop(clock), lambda _: None, every_seconds=5.0, for_seconds=30.0)
    writer.close()
    assert times == [0.0, 5.0, 17.5, 20.0, 25.0, 30.0]
    assert (done.samples, done.missed, done.unwritten) == (6, 0, 0)


def test_a_source_that_fails_leaves_a_gap(tmp_path: Path):
    """The looks without an answer are counted and told; those after it are written."""
    clock, troubles = Hands(), []

    def take(now: float) -> Sample:
        if 5 <= clock.time < 15:
            raise SourceError("process", "gone", "start it")
        return Sample(now, {"anon_bytes": 1.0})

    writer = TraceWriter(str(tmp_path / "t.csv"))
    done = record(take, writer, clock, Stop(clock), troubles.append, every_seconds=5.0, for_seconds=20.0)
    writer.close()
    assert (done.samples, done.missed) == (3, 2)
    assert troubles == ["process: gone; start it"] * 2


def test_a_page_that_fails_costs_its_columns_alone():
    """Memory goes on while the model server's page does not answer, and that is said."""
    said = []
    page = FixedSource(SourceError("tf_serving", "refused", "start it"))
    sample = look([FixedSource({"anon_bytes": 3.0}), page], 1.0, said.append)
    assert sample.values == {"anon_bytes": 3.0} and said == ["tf_serving: refused; start it"]
    page.told = {"requests_total": 9.0}
    sample = look([FixedSource({"anon_bytes": 3.0}), page], 1.0, said.append)
    assert sample.values == {"anon_bytes": 3.0, "requests_total": 9.0}
