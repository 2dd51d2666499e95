"""A loop that asks logs for news hears each memory event once, waits for nothing, and holds little."""

import os
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from leakwatch.errors import LeakwatchError
from leakwatch.log_watch import LogWatch, News
from leakwatch.sample.log_files import Dating

PATIENCE_SECONDS = 60.0
KILL = (
    "{at} node1 kernel: Memory cgroup out of memory: Killed process {pid} (tensorflow_mode) total-vm:217336kB,"
    " anon-rss:204272kB, file-rss:6660kB, shmem-rss:0kB, UID:0 pgtables:464kB oom_score_adj:0\n"
)


def _kill(pid: int, at: str = "2026-03-01T09:42:07+00:00") -> str:
    return KILL.format(at=at, pid=pid)


def _looks(watch: LogWatch) -> Iterator[News]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        yield watch.news()
        time.sleep(0.02)
    pytest.fail("no news came")


def _pids(news: News) -> list[int | None]:
    return [incident.pid for _, incident in news.incidents]


def test_each_look_tells_what_came_since_the_last(tmp_path: Path) -> None:
    """What stood in the log before the watch is no news; a kill is told once, with its incident."""
    log = tmp_path / "kern.log"
    log.write_text(_kill(1))
    with LogWatch([str(log)]) as watch:
        assert watch.news() == News()
        with log.open("a") as file:
            file.write(_kill(2))
        told = watch.news()
        assert [(source, event.fields["pid"]) for source, event in told.events] == [(str(log), 2)]
        assert _pids(told) == [2] and told.incidents[0][1].proves_oom
        assert watch.news() == News()


def test_an_incident_of_which_more_is_told_comes_again(tmp_path: Path) -> None:
    """The reaper's line of a later look belongs to the incident that the kill opened."""
    log = tmp_path / "kern.log"
    log.touch()
    with LogWatch([str(log)]) as watch, log.open("a", buffering=1) as file:
        file.write(_kill(7))
        first = watch.news()
        file.write("2026-03-01T09:42:08+00:00 node1 kernel: oom_reaper: reaped process 7 (tensorflow_mode), now"
                   " anon-rss:0kB, file-rss:0kB, shmem-rss:0kB\n")  # fmt: skip
        second = watch.news()
    assert [incident.number for _, incident in (*first.incidents, *second.incidents)] == [1, 1]
    assert len(second.incidents[0][1].lines) == 2


def test_a_look_back_is_bounded_by_its_date(tmp_path: Path) -> None:
    """An agent that was away asks from when; older kills, and undated ones that stood there, are not told as new."""
    log = tmp_path / "kern.log"
    log.write_text(_kill(1, "2026-02-01T00:00:00+00:00") + "MemoryError\n" + _kill(2, "2026-03-01T10:00:00+00:00"))
    with LogWatch([str(log)], since=1_772_352_000.0) as watch:
        assert _pids(watch.news()) == [2]
        with log.open("a") as file:
            file.write("MemoryError\n\n")
        assert next(news for news in _looks(watch) if news.events).events[0][1].kind == "python_memory_error"


def test_a_line_that_may_go_on_is_told_once_the_log_is_quiet(tmp_path: Path) -> None:
    """Nothing is held back until the next line, which may come never."""
    log = tmp_path / "kern.log"
    log.touch()
    with LogWatch([str(log)]) as watch:
        log.write_text("2026-03-01T09:42:07+00:00 node1 kernel: Out of memory: Killed process 9 (python)\n")
        assert next(news for news in _looks(watch) if news.events).events[0][1].fields["pid"] == 9


def test_a_rotated_log_is_followed(tmp_path: Path) -> None:
    """The new file under the old name is read from its start."""
    log = tmp_path / "kern.log"
    log.write_text("ordinary\n")
    with LogWatch([str(log)]) as watch:
        watch.news()
        log.rename(tmp_path / "kern.log.1")
        log.write_text(_kill(3))
        assert _pids(next(news for news in _looks(watch) if news.events)) == [3]


def test_a_log_that_comes_later_is_read_from_its_start(tmp_path: Path) -> None:
    """All of it is new."""
    log = tmp_path / "later.log"
    with LogWatch([str(log)]) as watch:
        assert watch.news() == News()
        log.write_text(_kill(4))
        assert _pids(watch.news()) == [4]


def test_what_does_not_fit_the_budget_waits_for_the_next_look(tmp_path: Path) -> None:
    """A look reads a chunk at least and stops at its budget; no event is lost or told twice."""
    log = tmp_path / "kern.log"
    log.touch()
    with LogWatch([str(log)]) as watch:
        log.write_text("".join(_kill(pid) + "ordinary\n" * 1000 for pid in range(1, 400)))
        looks = []
        while not looks or not looks[-1].caught_up:
            looks.append(watch.news(budget_seconds=0.0))
    assert len(looks) > 2
    assert [event.fields["pid"] for look in looks for _, event in look.events] == list(range(1, 400))


def test_a_broken_source_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    """A damaged archive is one error; the log beside it is still watched."""
    packed, log = tmp_path / "old.log.gz", tmp_path / "kern.log"
    packed.write_bytes(b"\x1f\x8b\x08 no gzip")
    log.write_text(_kill(5))
    with LogWatch([str(packed), str(log)], since=0.0) as watch:
        told = watch.news()
        assert len(told.errors) == 1 and str(packed) in told.errors[0]
        assert _pids(told) == [5]
        assert watch.news() == News()


def test_a_source_that_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    """The agent hears of it at its start, not never."""
    with pytest.raises(LeakwatchError, match="cannot be opened"):
        LogWatch([str(tmp_path / ("x" * 300))])


def test_a_flood_of_incidents_leaves_the_memory_flat(tmp_path: Path) -> None:
    """20,000 incidents grow the process by less than they would take if they were kept."""
    log = tmp_path / "kern.log"
    log.touch()
    with LogWatch([str(log)], Dating()) as watch:
        grown = []
        for round_ in range(10):
            with log.open("a") as file:
                for pid in range(2000):
                    file.write(_kill(round_ * 2000 + pid + 1))
            count = 0
            while count < 2000:
                count += len(watch.news().events)
            grown.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
            os.truncate(log, 0)
            watch.news()
    assert grown[-1] - grown[1] < 10_000  # kilobytes; if these incidents were kept, 28,000
