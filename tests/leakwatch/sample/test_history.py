import os
import resource
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakwatch.sample.history import History
from leakwatch.sample.history_rows import pack, unpack
from leakwatch.sample.thinning import TIERS, Row, Tier, kept
from leakwatch.trace import Sample

NOW = 1_790_000_000.0
DAY = 86_400.0


def sample(at: float, level: float = 1.0, life: str | None = "a") -> Sample:
    return Sample(at, {"anon_bytes": level, "requests_total:<b>": 7.5}, life)


def filled(path: Path, count: int, every: float = 5.0, now: float = NOW) -> History:
    history = History(path, now)
    for i in range(count):
        history.add("serving", sample(now - every * (count - i), float(i)))
    history.flush(now)
    return history


def times(history: History, target: str = "serving") -> list[float]:
    return [one.time_seconds for one in history.samples(target, 0.0, 1e12)]


def test_what_was_flushed_is_there_after_the_process_is_gone(tmp_path: Path):
    """Values, names, lives and notes come back from another connection, without the first one having been closed."""
    first = filled(tmp_path / "h.sqlite", 10)
    first.note("serving", "kills", "3")
    first.flush(NOW)
    second = History(tmp_path / "h.sqlite", NOW)
    kept_samples = list(second.samples("serving", 0.0, 1e12))
    assert [one.values["anon_bytes"] for one in kept_samples] == [float(i) for i in range(10)]
    assert kept_samples[0] == sample(NOW - 50.0, 0.0)
    assert second.notes("serving") == {"kills": "3"} and second.targets() == ("serving",)
    first.close()
    second.close()


def test_the_past_is_a_trace(tmp_path: Path):
    """The columns of a trace, unknown cells unknown, the limit the last one stated."""
    history = filled(tmp_path / "h.sqlite", 5)
    history.add("serving", Sample(NOW, {"anon_bytes": 9.0, "limit_bytes": 100.0}, "a"))
    trace = history.trace("serving", NOW - 100.0, NOW)
    assert len(trace.time_seconds) == 6 and trace.limit_bytes == 100.0
    assert np.isnan(trace.columns["requests_total:<b>"][-1])
    assert list(trace.columns["anon_bytes"]) == [0.0, 1.0, 2.0, 3.0, 4.0, 9.0]
    history.close()


def test_weeks_stay_in_a_bounded_number_of_samples(tmp_path: Path):
    """40 days at 2 minutes, thinned out on the way: every tier keeps its spacing, and five weeks are left."""
    history = History(tmp_path / "h.sqlite", NOW)
    for i in range(40 * 720):
        now = NOW + 120.0 * i
        history.add("serving", sample(now, float(i)))
        if i % 360 == 359:
            history.flush(now)
            history.thin_out("serving", now)
    kept_times = np.array(times(history))
    ages = now - kept_times
    assert 34.9 * DAY < ages.max() < 35.2 * DAY
    assert np.all(np.diff(kept_times) > 0)
    assert np.diff(kept_times).max() <= 1800.0
    assert np.all(np.diff(kept_times[ages < 1.9 * DAY]) == 120.0)
    assert len(kept_times) <= sum(tier.most for tier in TIERS)
    history.close()


def test_fast_sampling_is_bounded_too(tmp_path: Path):
    """At 10 samples a second the number decides, not the age."""
    history = filled(tmp_path / "h.sqlite", 20_000, every=0.1)
    history.thin_out("serving", NOW)
    assert 8192 <= len(times(history)) <= 8192 + 700
    history.close()


def test_a_bucket_is_stood_for_by_the_sample_of_median_memory():
    """A spike does not stand for its neighbours; two lives in one bucket both stay."""
    rows = [Row(i, 60.0 + i, 1, {"anon_bytes": level}) for i, level in enumerate((5.0, 900.0, 6.0))]
    rows.append(Row(9, 65.0, 2, {"anon_bytes": 1.0}))
    assert kept(rows, Tier(0.0, 10, 60.0)) == {2, 9}


@pytest.fixture
def file_limit() -> Iterator[Callable[[int], None]]:
    """Sets how large a file may become, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_loses_nothing_and_is_told_until_it_is_over(tmp_path: Path, file_limit: Callable[[int], None]):
    """Samples wait in memory and are read from there; with room again all are on the disk and nothing is wrong."""
    history = filled(tmp_path / "h.sqlite", 10)
    file_limit((tmp_path / "h.sqlite-wal").stat().st_size)
    for i in range(50):
        history.add("serving", sample(NOW + 5.0 * i))
        history.flush(NOW + 5.0 * i)
    assert history.trouble is not None and "make room" in history.trouble and "\n" not in history.trouble
    assert len(times(history)) == 60
    file_limit(resource.RLIM_INFINITY)
    history.flush(NOW + 300.0)
    assert history.trouble is None
    history.close()
    again = History(tmp_path / "h.sqlite", NOW + 300.0)
    assert len(times(again)) == 60
    again.close()


@pytest.mark.parametrize("where", ["start", "middle", "all"])
def test_a_damaged_file_is_moved_aside_and_told(tmp_path: Path, where: str):
    """Garbage in the file costs the past and nothing else; one damaged file is kept, not one a start."""
    path = tmp_path / "h.sqlite"
    filled(path, 3000).close()
    content = bytearray(path.read_bytes())
    part = {"start": slice(0, 64), "middle": slice(8192, 40_000), "all": slice(0, len(content))}[where]
    content[part] = os.urandom(len(content[part]))
    for _ in range(2):
        path.write_bytes(content)
        history = History(path, NOW)
        assert history.moved_aside is not None and history.trouble is None
        history.add("serving", sample(NOW))
        history.flush(NOW)
        assert times(history) == [NOW]
        history.close()
    assert len(list(tmp_path.glob("*.damaged-*"))) == 1


def test_damage_while_it_runs_is_got_over(tmp_path: Path):
    """The file is overwritten under us: what comes later is kept, in a new file."""
    path = tmp_path / "h.sqlite"
    history = filled(path, 3000)
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    other.close()
    path.write_bytes(os.urandom(200_000))
    for i in range(5):
        history.add("serving", sample(NOW + i))
        history.flush(NOW + i)
        history.thin_out("serving", NOW + i)
        list(history.samples("serving", 0, 1e12))
    assert history.moved_aside is not None
    assert times(history)[-1] == NOW + 4
    history.close()


def test_a_clock_that_is_set_takes_the_past_with_it(tmp_path: Path):
    """The spacing of the samples stays, and a past that lies ahead at the start is moved before now."""
    history = filled(tmp_path / "h.sqlite", 10)
    history.add("serving", sample(NOW))
    history.shift(-3600.0)
    history.flush(NOW - 3600.0)
    assert times(history) == [NOW - 3600.0 - 5.0 * i for i in range(10, -1, -1)]
    history.close()
    again = History(tmp_path / "h.sqlite", NOW - DAY)
    assert times(again) == [NOW - DAY - 5.0 * i for i in range(10, -1, -1)]
    again.close()


@given(st.dictionaries(st.text(max_size=5), st.floats(allow_nan=False), max_size=5), st.binary(max_size=40))
def test_values_survive_being_packed_and_garbage_is_no_value(values: dict[str, float], garbage: bytes):
    """What is packed unpacks to the same; any other bytes unpack to something, never to an error."""
    names = {name: i for i, name in enumerate(values)}
    assert unpack(pack(values, names.__getitem__), {i: name for name, i in names.items()}) == values
    unpack(garbage, {0: "a"})
