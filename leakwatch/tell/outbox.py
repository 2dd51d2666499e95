"""What is still to be said, kept on disk until a channel has taken it; and what is remembered of each incident.

An entry is one message for one channel; a channel gets its entries in order. An entry leaves when it was delivered,
refused, or is too old.
"""

import contextlib
import json
import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leakwatch.ports import Notification, Stage
from leakwatch.tell.incident import IncidentState, as_json, from_json
from leakwatch.tell.notice import as_document, from_document
from leakwatch.tell.spool import Spool
from leakwatch.tell.units import visible

MOST_ENTRIES = 200
"""For each channel. Beyond, the oldest updates go first, then the oldest of the others."""
UPDATES_EXPIRE_SECONDS = 6 * 3600.0
OTHERS_EXPIRE_SECONDS = 3 * 86_400.0
"""An old update tells nothing that a later message does not; the others are wanted after a weekend without network."""
REMEMBERED_SECONDS = 30 * 86_400.0
"""How long a thread is remembered after its incident was resolved."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entry (
    id INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT NOT NULL, key TEXT NOT NULL, number INTEGER NOT NULL,
    stage TEXT NOT NULL, document TEXT NOT NULL, chart BLOB, tries INTEGER NOT NULL DEFAULT 0,
    UNIQUE (channel, key, number, stage));
CREATE TABLE IF NOT EXISTS told (
    channel TEXT NOT NULL, key TEXT NOT NULL, number INTEGER NOT NULL, stage TEXT NOT NULL, at REAL NOT NULL,
    thread TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (channel, key));
CREATE TABLE IF NOT EXISTS incident (target TEXT PRIMARY KEY, state TEXT NOT NULL);
"""
_KEEP_INCIDENT = "INSERT OR REPLACE INTO incident VALUES (?, ?)"


@dataclass(frozen=True, slots=True)
class Entry:
    """One message that one channel has not taken yet; ``tries`` were begun before, each perhaps by a process killed."""

    id: int
    notification: Notification
    tries: int

    def is_expired(self, now: float) -> bool:
        """Whether it is too old to be worth saying. It was tried once at least: a clock that jumps silences nothing."""
        least = UPDATES_EXPIRE_SECONDS if self.notification.stage is Stage.UPDATED else OTHERS_EXPIRE_SECONDS
        return self.tries > 0 and now - self.notification.at_seconds > least


@dataclass(frozen=True, slots=True)
class Told:
    """The last message of an incident that a channel took, when, and what it needs to go on in the same thread."""

    notification: Notification
    thread: Mapping[str, str]
    at_seconds: float


class Outbox:
    """The file ``path``, whose folder is there. Not safe for threads by itself; no method raises for a bad disk."""

    def __init__(self, path: Path, now: float) -> None:
        self._spool = Spool(path, _SCHEMA, now)

    @property
    def trouble(self) -> str | None:
        """One sentence where what is added may not survive the end of the process; else None."""
        return self._spool.trouble

    def add(
        self, notification: Notification, channels: tuple[str, ...], state: IncidentState | None, now: float
    ) -> int:
        """Keep a message for each of the channels, and the incident's state with it, both or neither.

        A channel that has it or had it gets nothing. Returns how many older entries had to go for it.
        """
        n, document = notification, _dumped(notification)

        def write(db: sqlite3.Connection) -> int:
            if state is not None:
                db.execute(_KEEP_INCIDENT, (visible(state.target), as_json(state)))
            dropped = 0
            for channel in channels:
                told = db.execute("SELECT number, stage FROM told WHERE channel = ? AND key = ?", (channel, n.key))
                last = told.fetchone()
                if last is not None and (last[0] > n.number or last == (n.number, str(n.stage))):
                    continue
                db.execute(
                    "INSERT OR IGNORE INTO entry (channel, key, number, stage, document, chart)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    (channel, n.key, n.number, str(n.stage), document, n.chart_png),
                )
                dropped += _make_room(db, channel)
            return dropped

        return self._spool.write(write, now)

    def keep(self, state: IncidentState, now: float) -> None:
        """Remember an incident of which nothing is to be said."""
        self._spool.write(lambda db: db.execute(_KEEP_INCIDENT, (visible(state.target), as_json(state))).rowcount, now)

    def tidy(self, channels: Collection[str], now: float) -> None:
        """Forget what channels that are no longer there have not taken, and threads that have long been silent."""
        marks = ", ".join("?" * len(channels))

        def write(db: sqlite3.Connection) -> int:
            db.execute("DELETE FROM told WHERE abs(? - at) > ?", (now, 3 * REMEMBERED_SECONDS))
            return db.execute(f"DELETE FROM entry WHERE channel NOT IN ({marks})", tuple(channels)).rowcount

        self._spool.write(write, now)

    def incidents(self) -> tuple[IncidentState, ...]:
        """Every incident that is remembered; what cannot be read is left out."""
        found = []
        for (text,) in self._spool.read("SELECT state FROM incident"):
            with contextlib.suppress(ValueError, TypeError):
                found.append(from_json(text))
        return tuple(found)

    def first(self, channel: str, now: float) -> Entry | None:
        """The oldest entry of a channel; None where it has none, or one that cannot be read, which is dropped."""
        sql = "SELECT id, document, chart, tries FROM entry WHERE channel = ? ORDER BY id LIMIT 1"
        for id_, document, chart, tries in self._spool.read(sql, channel):
            try:
                return Entry(id_, from_document(json.loads(document), chart), tries)
            except (ValueError, TypeError, KeyError):
                self._spool.write(lambda db: db.execute("DELETE FROM entry WHERE id = ?", (id_,)).rowcount, now)  # noqa: B023
        return None

    def waiting(self) -> Mapping[str, int]:
        """How many entries each channel has."""
        return dict(self._spool.read("SELECT channel, count(*) FROM entry GROUP BY channel"))

    def told(self, channel: str, key: str) -> Told | None:
        """The last message of an incident that the channel took."""
        return next(iter(self._told("channel = ? AND key = ?", channel, key)), None)

    def told_open(self, channel: str) -> tuple[Told, ...]:
        """The last messages of the incidents that the channel knows as open."""
        return self._told("channel = ? AND stage != ?", channel, str(Stage.RESOLVED))

    def begin(self, entry: Entry, now: float) -> None:
        """A try begins; written before it, so that a process that is killed in it leaves a trace."""
        sql = "UPDATE entry SET tries = tries + 1 WHERE id = ?"
        self._spool.write(lambda db: db.execute(sql, (entry.id,)).rowcount, now)

    def delivered(self, channel: str, entry: Entry, thread: Mapping[str, str], now: float) -> None:
        """The channel took it: it goes, and its thread is remembered."""
        n = entry.notification
        row = (channel, n.key, n.number, str(n.stage), now, json.dumps(dict(thread)), _dumped(n))

        def write(db: sqlite3.Connection) -> int:
            db.execute("INSERT OR REPLACE INTO told VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            db.execute("DELETE FROM told WHERE stage = 'resolved' AND abs(? - at) > ?", (now, REMEMBERED_SECONDS))
            return db.execute("DELETE FROM entry WHERE id = ?", (entry.id,)).rowcount

        self._spool.write(write, now)

    def drop(self, entry: Entry, now: float) -> None:
        """It goes without having been said."""
        self._spool.write(lambda db: db.execute("DELETE FROM entry WHERE id = ?", (entry.id,)).rowcount, now)

    def close(self) -> None:
        """Let go of the file; may be called twice."""
        self._spool.close()

    def _told(self, where: str, *values: Any) -> tuple[Told, ...]:
        found = []
        for document, thread, at in self._spool.read(f"SELECT document, thread, at FROM told WHERE {where}", *values):
            with contextlib.suppress(ValueError, TypeError, KeyError):
                found.append(Told(from_document(json.loads(document)), json.loads(thread), at))
        return tuple(found)


def _dumped(notification: Notification) -> str:
    return json.dumps(as_document(notification), allow_nan=False)


def _make_room(db: sqlite3.Connection, channel: str) -> int:
    oldest = "SELECT id FROM entry WHERE channel = ? ORDER BY stage != 'updated', id LIMIT ?"
    (count,) = db.execute("SELECT count(*) FROM entry WHERE channel = ?", (channel,)).fetchone()
    over = max(0, count - MOST_ENTRIES)
    return db.execute(f"DELETE FROM entry WHERE id IN ({oldest})", (channel, over)).rowcount if over else 0
