"""The file of the ledger: made whole or not at all, checked before it is believed, each use a transaction.

SQLite with the folder synced as well (``synchronous=EXTRA``): an intent once written is there after a power cut. Every
use opens the file anew, so that commands, the agent and its worker thread share it.

Time is counted in seconds that surely passed, never by the wall clock alone: within one boot of the machine by its
steady clock; from another boot on by the smaller of what the wall clock says and how long this boot has lasted. A clock
that is set forward or back refunds no budget and ends no cooldown; a machine that was off waits longer than need be.
"""

import fcntl
import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from leakwatch.errors import ActError
from leakwatch.ports import Clock

FILE_NAME = "ledger.sqlite3"
_VERSION = 1
_BUSY_SECONDS = 5.0
_MARK_EVERY_SECONDS = 60.0

_TABLES = f"""
PRAGMA user_version = {_VERSION};
CREATE TABLE clock (one INTEGER PRIMARY KEY CHECK (one = 1), boot TEXT NOT NULL, steady REAL NOT NULL,
    wall REAL NOT NULL, elapsed REAL NOT NULL, revision INTEGER NOT NULL);
CREATE TABLE acts (number INTEGER PRIMARY KEY, target TEXT NOT NULL, incident TEXT NOT NULL, workload TEXT,
    remedy TEXT NOT NULL, backend TEXT NOT NULL, reason TEXT NOT NULL, life TEXT, memory_bytes REAL,
    at REAL NOT NULL, began REAL NOT NULL, evidence TEXT, ended REAL, done INTEGER, helped INTEGER,
    detail TEXT NOT NULL DEFAULT '');
CREATE TABLE silences (target TEXT PRIMARY KEY, until REAL NOT NULL, until_at REAL NOT NULL, why TEXT NOT NULL,
    by TEXT NOT NULL);
CREATE TABLE stops (target TEXT PRIMARY KEY, workload TEXT, at REAL NOT NULL, why TEXT NOT NULL);
CREATE TABLE approvals (number INTEGER PRIMARY KEY, target TEXT NOT NULL, incident TEXT NOT NULL, remedy TEXT NOT NULL,
    reason TEXT NOT NULL, asked_at REAL NOT NULL, answer INTEGER, answered REAL, by TEXT, used INTEGER);
"""


def this_boot() -> str:
    """Names the running kernel's life; another name each time where it cannot be read, which only makes us wait."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return secrets.token_hex(16)


class LedgerFile:
    """The ledger's file in a folder.

    Args:
        clock: its ``steady`` has to be the same for all processes of one boot, as CLOCK_MONOTONIC is.
        boot: names the boot of the machine.
    """

    def __init__(self, state_dir: Path, clock: Clock, boot: str | None = None) -> None:
        self.path = state_dir / FILE_NAME
        self._clock, self._boot = clock, boot or this_boot()
        self._checked = False
        self._lock = threading.Lock()

    @contextmanager
    def transaction(self) -> Iterator[tuple[sqlite3.Connection, float]]:
        """All or nothing, one at a time: a connection, and the seconds that surely passed since the ledger was made.

        Raises:
            ActError: whatever goes wrong with the file.
        """
        try:
            with self._lock, closing(self._connect()) as db:
                db.execute("BEGIN IMMEDIATE")
                yield db, self._mark(db)
                db.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            fix = "make room, or move the file away after reading it ('leakwatch act status')"
            raise ActError(
                "ledger", f"{self.path}: {error}", f"nothing is done until it can be relied on; {fix}"
            ) from error

    def _connect(self) -> sqlite3.Connection:
        if not self.path.exists():
            if self._checked:
                raise sqlite3.DatabaseError("the file has gone, and with it what was done before")
            self._make()
        db = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            db.execute("PRAGMA synchronous = EXTRA")
            if not self._checked:
                [found] = db.execute("PRAGMA quick_check(1)").fetchone()
                if found != "ok":
                    raise sqlite3.DatabaseError(found)
                [version] = db.execute("PRAGMA user_version").fetchone()
                if version != _VERSION:  # 0: it was emptied; it is made under another name, so it never was empty
                    raise sqlite3.DatabaseError(f"it has version {version}, and this program reads {_VERSION}")
                self._checked = True
            return db
        except BaseException:
            db.close()
            raise

    def _make(self) -> None:
        """Under another name first, so that a kill never leaves half a ledger; one process at a time makes it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.path.with_suffix(".new")
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            if self.path.exists():
                return
            unfinished.unlink(missing_ok=True)
            os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            with closing(sqlite3.connect(unfinished, isolation_level=None)) as db:
                db.execute("PRAGMA synchronous = EXTRA")
                db.executescript(f"BEGIN;{_TABLES}COMMIT;")
                start = (self._boot, self._clock.steady(), self._clock.now())
                db.execute("INSERT INTO clock VALUES (1, ?, ?, ?, 0, 1)", start)
            unfinished.rename(self.path)
            os.fsync(folder)
        finally:
            os.close(folder)

    def _elapsed(self, db: sqlite3.Connection) -> float:
        boot, steady, wall, elapsed = db.execute("SELECT boot, steady, wall, elapsed FROM clock").fetchone()
        if boot == self._boot:
            passed = max(0.0, self._clock.steady() - steady)
        else:
            passed = max(0.0, min(self._clock.now() - wall, self._clock.steady()))
        return float(elapsed + passed)

    def _mark(self, db: sqlite3.Connection) -> float:
        """How far time has come; written down now and then, so that the next boot counts on from there."""
        elapsed = self._elapsed(db)
        boot, marked = db.execute("SELECT boot, elapsed FROM clock").fetchone()
        if boot != self._boot or elapsed - marked >= _MARK_EVERY_SECONDS:
            now = (self._boot, self._clock.steady(), self._clock.now(), elapsed)
            db.execute("UPDATE clock SET boot = ?, steady = ?, wall = ?, elapsed = ?", now)
        return elapsed
