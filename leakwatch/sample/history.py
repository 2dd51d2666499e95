"""What was sampled, in SQLite, so that a killed or restarted agent goes on where it was.

A transaction a cycle in WAL mode: kill -9 loses at most the sample that was being written. While the disk takes
nothing, the newest `MOST_WAITING` samples wait in memory. A damaged file is moved aside and a new one begun. Nothing
here raises for the state of the disk; what is wrong stands in `trouble`. `thinning` says what is thinned out, and when.
"""

import contextlib
import os
import sqlite3
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np

from leakwatch.sample.history_rows import pack, unpack
from leakwatch.sample.thinning import TIERS, thin
from leakwatch.trace import Sample, Target, Trace

MOST_WAITING = 10_000
"""Samples kept in memory while the disk takes none: an hour of 14 targets at 5 s, about 8 MiB."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS names (id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL);
CREATE TABLE IF NOT EXISTS samples (
    id INTEGER PRIMARY KEY, target INTEGER NOT NULL, tier INTEGER NOT NULL, time REAL NOT NULL, life INTEGER NOT NULL,
    cells BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS by_target ON samples (target, tier, time);
CREATE TABLE IF NOT EXISTS notes (target TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (target, name)) WITHOUT ROWID;
"""
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "cache_size=-256",
    "journal_size_limit=1048576",
    "busy_timeout=500",
)
T = TypeVar("T")


class History:
    """Samples of all targets, and a few notes about each; used by one thread.

    Args:
        path: of the database; its folder is there.
        now_seconds: names what is moved aside.
    """

    def __init__(self, path: Path, now_seconds: float) -> None:
        self._path = path
        self._database: sqlite3.Connection | None = None
        self._names: dict[str, int] = {}
        self._words: dict[int, str] = {}
        self._waiting: deque[tuple[str, Sample]] = deque(maxlen=MOST_WAITING)
        self._waiting_notes: dict[tuple[str, str], str] = {}
        self.trouble: str | None = None
        self.moved_aside: str | None = None
        self._open(now_seconds, check=True)
        (newest,) = self._asked(lambda database: database.execute("SELECT max(time) FROM samples").fetchone(), (None,))
        if newest is not None and newest > now_seconds:
            self.shift(now_seconds - newest)

    def add(self, target: str, sample: Sample) -> None:
        """Put a sample in line; `flush` writes it."""
        self._waiting.append((target, sample))

    def note(self, target: str, name: str, value: str) -> None:
        """Remember one word about a target in place of the last of that name; `flush` writes it."""
        self._waiting_notes[target, name] = value

    def notes(self, target: str) -> dict[str, str]:
        """What is remembered of a target."""
        query = "SELECT name, value FROM notes WHERE target = ?"
        found: dict[str, str] = dict(self._asked(lambda database: database.execute(query, (target,)).fetchall(), []))
        return found | {name: value for (of, name), value in self._waiting_notes.items() if of == target}

    def flush(self, now_seconds: float) -> None:
        """Write what waits, in one transaction; where that fails it goes on waiting."""
        if self._database is None:
            self._open(now_seconds)
        if self._database is None or not (self._waiting or self._waiting_notes):
            return
        try:
            with self._database as database:
                rows = [
                    (self._id(target), sample.time_seconds, self._id(sample.life or ""), pack(sample.values, self._id))
                    for target, sample in self._waiting
                ]
                database.executemany(
                    "INSERT INTO samples (target, tier, time, life, cells) VALUES (?, 0, ?, ?, ?)", rows
                )
                notes = [(*key, value) for key, value in self._waiting_notes.items()]
                database.executemany("INSERT OR REPLACE INTO notes VALUES (?, ?, ?)", notes)
        except sqlite3.Error as error:
            self._failed(error, now_seconds)
            return
        self._waiting.clear()
        self._waiting_notes.clear()
        self.trouble = None

    def samples(self, target: str, since_seconds: float, until_seconds: float) -> Iterator[Sample]:
        """What is kept of a target between two moments, in the order of time."""
        query = (
            "SELECT time, life, cells FROM samples WHERE target = ? AND tier = ? AND time BETWEEN ? AND ? ORDER BY time"
        )
        for tier in reversed(range(len(TIERS))):  # a later tier holds older samples
            asked = (self._names.get(target), tier, since_seconds, until_seconds)
            try:
                if self._database is not None:
                    for time, life, cells in self._database.execute(query, asked):
                        yield Sample(time, unpack(cells, self._words), self._words.get(life) or None)
            except sqlite3.Error:  # damaged in the middle: what came before it is good
                continue
        for of, sample in tuple(self._waiting):
            if of == target and since_seconds <= sample.time_seconds <= until_seconds:
                yield sample

    def trace(self, target: str, since_seconds: float, until_seconds: float) -> Trace:
        """The same as a trace, for charts, evidence and the playbooks."""
        samples: list[Sample] = []
        for sample in self.samples(target, since_seconds, until_seconds):
            if not samples or sample.time_seconds > samples[-1].time_seconds:
                samples.append(sample)
        names = dict.fromkeys(name for sample in samples for name in sample.values)
        columns = {name: np.array([s.values.get(name, np.nan) for s in samples], dtype=np.float64) for name in names}
        limits = columns.get("limit_bytes", np.empty(0))
        stated = limits[np.isfinite(limits)]
        limit = float(stated[-1]) if stated.size and stated[-1] > 0 else None
        times = np.array([sample.time_seconds for sample in samples], dtype=np.float64)
        for column in (times, *columns.values()):
            column.flags.writeable = False
        return Trace(Target(target), times, columns, limit)

    def thin_out(self, target: str, now_seconds: float) -> None:
        """Leave of each tier what its age and number allow; quick where little is due."""
        if self._database is None or target not in self._names:
            return
        try:
            for number, tier in enumerate(TIERS):
                thin(self._database, self._words, self._names[target], number, tier, now_seconds)
        except sqlite3.Error as error:
            self._failed(error, now_seconds)

    def shift(self, by_seconds: float) -> None:
        """The clock was set by so much: move the past with it, so that what follows still follows."""
        self._waiting = deque(
            ((of, Sample(s.time_seconds + by_seconds, s.values, s.life)) for of, s in self._waiting), MOST_WAITING
        )
        with contextlib.suppress(sqlite3.Error):
            if self._database is not None:
                with self._database as database:
                    database.execute("UPDATE samples SET time = time + ?", (by_seconds,))

    def targets(self) -> tuple[str, ...]:
        """The targets of which anything is kept."""
        query = "SELECT name FROM names WHERE id IN (SELECT DISTINCT target FROM samples) ORDER BY name"
        rows: list[tuple[str]] = self._asked(lambda database: database.execute(query).fetchall(), [])
        return tuple(name for (name,) in rows)

    def close(self) -> None:
        """Let the file go; everything flushed is in it."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def _open(self, now_seconds: float, *, check: bool = False) -> None:
        try:
            self._connect(check=check)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):  # no room, no right: it may be well tomorrow
                self._failed(error, now_seconds)
                return
            self._move_aside(now_seconds)

    def _connect(self, *, check: bool) -> None:
        database = sqlite3.connect(self._path, check_same_thread=False)
        try:
            for pragma in _PRAGMAS:
                database.execute(f"PRAGMA {pragma}")
            if check and database.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise sqlite3.DatabaseError("damaged")
            database.executescript(_SCHEMA)
            self._read_names(database)
        except BaseException:
            database.close()
            raise
        self._database = database
        os.chmod(self._path, 0o600)

    def _read_names(self, database: sqlite3.Connection) -> None:
        self._words = dict(database.execute("SELECT id, name FROM names"))
        self._names = {name: number for number, name in self._words.items()}

    def _failed(self, error: sqlite3.Error, now_seconds: float) -> None:
        """A damaged file is moved aside; anything else is tried again at the next flush."""
        damaged = isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)
        self.trouble = f"{self._path}: {error}; samples wait in memory ({len(self._waiting)}), make room there"
        try:
            if self._database is not None and not damaged:
                self._read_names(self._database)  # without the numbers that were given in vain
                return
        except sqlite3.Error:
            damaged = False
        self.close()
        if damaged:
            self._move_aside(now_seconds)

    def _move_aside(self, now_seconds: float) -> None:
        for old in self._path.parent.glob(f"{self._path.name}.damaged-*"):
            with contextlib.suppress(OSError):
                old.unlink()
        aside = self._path.with_name(f"{self._path.name}.damaged-{now_seconds:.0f}")
        try:
            self._path.replace(aside)
            for suffix in ("-wal", "-shm"):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(f"{self._path}{suffix}")
            self._connect(check=False)
        except (OSError, sqlite3.Error) as error:
            self.trouble = f"{self._path}: {error}; samples wait in memory, the file cannot be used"
            return
        self.trouble = None
        self.moved_aside = f"{self._path} was damaged and is now {aside.name}; the watch begins without a past"

    def _asked(self, ask: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        if self._database is None:
            return otherwise
        try:
            return ask(self._database)
        except sqlite3.Error:
            return otherwise

    def _id(self, name: str) -> int:
        """The number of a name, a new one where it has none yet."""
        if name not in self._names:
            assert self._database is not None
            number = self._database.execute("INSERT INTO names (name) VALUES (?)", (name,)).lastrowid
            assert number is not None
            self._names[name], self._words[number] = number, name
        return self._names[name]
