"""Sources are asked on a beat of their own; a sick one is nobody else's trouble."""

import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator

import pytest

from leakwatch.errors import SourceError
from leakwatch.sample.poller import Look, Outcome, Poller, stop_all
from leakwatch.trace import Sample

DEADLINE_SECONDS = 60.0
BEAT_SECONDS = 0.02


class ShiftableClock:
    """The machine's clock, and as much later as a test says."""

    def __init__(self) -> None:
        self.ahead_seconds = 0.0

    def now(self) -> float:
        return time.time() + self.ahead_seconds

    def steady(self) -> float:
        return time.monotonic() + self.ahead_seconds


class ScriptedSource:
    """A source whose reads do what a function says."""

    blind_to = ()

    def __init__(self, read: Callable[[], None] = lambda: None, name: str = "scripted") -> None:
        self.name, self._read = name, read
        self.asked: list[float] = []
        self.closed_by: list[str] = []

    def read(self, now_seconds: float) -> Sample:
        self.asked.append(time.monotonic())
        self._read()
        return Sample(now_seconds, {"anon_bytes": float(len(self.asked))})

    def close(self) -> None:
        self.closed_by.append(threading.current_thread().name)


@pytest.fixture
def clock() -> ShiftableClock:
    return ShiftableClock()


@pytest.fixture
def begin(clock: ShiftableClock) -> Iterator[Callable[[ScriptedSource], Poller]]:
    """Starts pollers, and stops them afterwards."""
    begun: list[Poller] = []

    def one(source: ScriptedSource) -> Poller:
        begun.append(Poller(source, BEAT_SECONDS, clock))
        begun[-1].start()
        return begun[-1]

    yield one
    stop_all(begun, clock=clock)


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def raising(error: Exception) -> Callable[[], None]:
    def read() -> None:
        raise error

    return read


def test_one_hung_source_delays_no_other(begin: Callable[[ScriptedSource], Poller]) -> None:
    """While one never answers, the others keep their beat: no pause of more than tenfold, nor does asking wait."""
    hang = threading.Event()
    try:
        sick = begin(ScriptedSource(lambda: bool(hang.wait()) and None, "sick"))
        others = [ScriptedSource() for _ in range(8)]
        pollers = [begin(source) for source in others]
        wait_until(lambda: all(len(source.asked) >= 40 for source in others))
        assert sick.looks() == () and sick.last is None
        for poller in pollers:
            assert all(look.outcome is Outcome.OK for look in poller.looks())
        for source in others:
            pauses = sorted(b - a for a, b in zip(source.asked, source.asked[1:], strict=False))
            assert pauses[len(pauses) // 2] < 10 * BEAT_SECONDS
    finally:
        hang.set()


def test_a_failure_is_told_once_and_so_is_its_end(begin: Callable[[ScriptedSource], Poller]) -> None:
    """However often it fails with one wording; every failure is counted."""
    failing = threading.Event()
    failing.set()

    def read() -> None:
        if failing.is_set():
            raise SourceError("scripted", "refused", "check the port")

    source = ScriptedSource(read)
    poller = begin(source)
    wait_until(lambda: poller.counts.get(Outcome.FAILED, 0) >= 3)
    failing.clear()
    wait_until(lambda: poller.last is not None)
    wait_until(lambda: poller.counts.get(Outcome.OK, 0) >= 3)
    looks = poller.looks()
    assert [look.outcome for look in looks if look.is_news] == [Outcome.FAILED, Outcome.OK]
    assert looks[0].error is not None and str(looks[0].error) == "scripted: refused; check the port"


def test_a_flapping_source_is_no_flood(begin: Callable[[ScriptedSource], Poller]) -> None:
    """A failure that comes and goes every other look is told once in an hour."""
    source = ScriptedSource()

    def read() -> None:
        if len(source.asked) % 2:
            raise SourceError("scripted", "refused", "check the port")

    source._read = read
    poller = begin(source)
    wait_until(lambda: poller.counts.get(Outcome.FAILED, 0) >= 5)
    assert sum(look.is_news for look in poller.looks()) == 2


def test_who_fails_is_asked_more_and_more_seldom(begin: Callable[[ScriptedSource], Poller]) -> None:
    """The pauses double; a source that works again is on its beat again."""
    source = ScriptedSource(raising(SourceError("scripted", "refused", "check the port")))
    begin(source)
    wait_until(lambda: len(source.asked) >= 7)
    pauses = [b - a for a, b in zip(source.asked, source.asked[1:], strict=False)]
    assert pauses[5] > 8 * BEAT_SECONDS
    source._read = lambda: None
    again = len(source.asked)
    wait_until(lambda: len(source.asked) >= again + 10)


def test_what_is_gone_is_no_failure(begin: Callable[[ScriptedSource], Poller]) -> None:
    """A vanished container has an outcome of its own."""
    poller = begin(ScriptedSource(raising(SourceError("scripted", "no such container", "start it", gone=True))))
    wait_until(lambda: poller.counts.get(Outcome.GONE, 0) >= 1)
    assert Outcome.FAILED not in poller.counts


def test_a_mistake_of_ours_does_not_end_the_watch(begin: Callable[[ScriptedSource], Poller]) -> None:
    """An unexpected exception becomes one line without a traceback, and the source is asked again."""
    source = ScriptedSource(raising(ZeroDivisionError("a\nb")))
    poller = begin(source)
    wait_until(lambda: len(source.asked) >= 3)
    error = poller.looks()[0].error
    assert error is not None and "ZeroDivisionError" in str(error) and "\n" not in str(error)


def test_a_look_that_hangs_is_told_of_while_it_lasts(
    begin: Callable[[ScriptedSource], Poller], clock: ShiftableClock
) -> None:
    """Once, with how long it has lasted; and when it comes back at last, that is told too."""
    hang = threading.Event()
    source = ScriptedSource(lambda: bool(hang.wait()) and None)
    poller = begin(source)
    wait_until(lambda: bool(source.asked))
    assert poller.looks() == ()
    clock.ahead_seconds = 31.0
    [look] = poller.looks()
    assert look.outcome is Outcome.HUNG and look.is_news and "31 s" in str(look.error)
    assert poller.looks() == ()
    assert poller.counts[Outcome.HUNG] == 1
    hang.set()
    wait_until(lambda: poller.last is not None)
    wait_until(lambda: poller.counts.get(Outcome.OK, 0) >= 2)
    assert [look.is_news for look in poller.looks()][:2] == [True, False]


def test_a_sample_has_an_age(begin: Callable[[ScriptedSource], Poller], clock: ShiftableClock) -> None:
    """By the steady clock, so that a step of the other does not make it old."""
    hang = threading.Event()
    source = ScriptedSource()
    source._read = lambda: (len(source.asked) > 1 and bool(hang.wait())) and None
    poller = begin(source)
    try:
        wait_until(lambda: len(source.asked) == 2)
        clock.ahead_seconds = 100.0
        assert 100.0 <= (poller.age_seconds() or 0.0) < 100.0 + DEADLINE_SECONDS
        assert poller.last is not None and poller.last.values == {"anon_bytes": 1.0}
    finally:
        hang.set()


def test_all_end_together_even_where_one_hangs(clock: ShiftableClock) -> None:
    """Those that can close their source, in their own thread; the hung one is named and left behind."""
    hang = threading.Event()
    sick = Poller(ScriptedSource(lambda: bool(hang.wait()) and None), BEAT_SECONDS, clock)
    sources = [ScriptedSource(name=f"fine {number}") for number in range(4)]
    fine = [Poller(source, 3600.0, clock) for source in sources]
    for poller in (sick, *fine):
        poller.start()
    wait_until(lambda: all(source.asked for source in sources))
    assert stop_all([sick, *fine], 0.5, clock=clock) == (sick,)
    assert [source.closed_by for source in sources] == [[f"leakwatch fine {number}"] for number in range(4)]
    hang.set()


ENDS_ALTHOUGH_ONE_HANGS = """
import threading
from leakwatch.clock import SystemClock
from leakwatch.sample.poller import Poller, stop_all
class Hung:
    name, blind_to = "hung", ()
    read = staticmethod(lambda now_seconds: threading.Event().wait())
    close = staticmethod(lambda: None)
poller = Poller(Hung(), 1.0, SystemClock())
poller.start()
stop_all([poller], 0.1, clock=SystemClock())
"""


def test_the_process_can_end_although_one_hangs() -> None:
    """A thread that never comes back does not keep the agent from its exit."""
    subprocess.run([sys.executable, "-c", ENDS_ALTHOUGH_ONE_HANGS], check=True, timeout=DEADLINE_SECONDS)


def test_stopping_what_was_never_started_is_harmless(clock: ShiftableClock) -> None:
    """An agent that is ended while it starts ends as well."""
    assert stop_all([Poller(ScriptedSource(), 1.0, clock)], clock=clock) == ()


def test_a_failed_look_keeps_nothing_that_was_read(begin: Callable[[ScriptedSource], Poller]) -> None:
    """Its error, and the one that it came from, hold no frame: a page of 30 MiB would stay with it."""
    read: list[weakref.ref[set[str]]] = []

    def fail() -> None:
        page = {"page"}
        read.append(weakref.ref(page))
        try:
            raise ValueError
        except ValueError as error:
            raise SourceError("scripted", "sends no page", "check it") from error

    poller = begin(ScriptedSource(fail))
    looks: list[Look] = []
    wait_until(lambda: bool(looks.extend(poller.looks()) or looks))
    assert looks[0].error is not None and looks[0].error.__cause__ is not None
    assert read[0]() is None
