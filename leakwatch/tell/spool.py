"""A small SQLite file that goes on in memory while its disk is full or broken, and comes back to it by itself."""

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

BACK_TO_DISK_SECONDS = 60.0
"""How often the disk is tried again."""


class Spool:
    """The file at ``path``, whose folder is there, with the tables of ``schema`` (``CREATE ... IF NOT EXISTS``).

    Not safe for threads by itself. A file that is no database is put aside as ``.broken``: nobody gains by an agent
    that cannot speak.
    """

    def __init__(self, path: Path, schema: str, now: float) -> None:
        self.trouble: str | None = None
        self._path, self._schema, self._tried_at = path, schema, now
        self._memory = False
        try:
            self._db = self._opened()
        except sqlite3.OperationalError as error:
            self._db = sqlite3.connect(":memory:", check_same_thread=False)
            self._go_on_in_memory(error, now)
        except sqlite3.DatabaseError as error:
            aside = path.with_suffix(".broken")
            with contextlib.suppress(OSError):
                path.replace(aside)
            self.trouble = f"{path.name} could not be read ({error}) and was put aside as {aside.name}"
            self._db = self._opened()

    def write(self, change: Callable[[sqlite3.Connection], int], now: float) -> int:
        """One transaction, all of it or nothing, on disk where that can be; returns what ``change`` returns."""
        if self._memory and abs(now - self._tried_at) >= BACK_TO_DISK_SECONDS:
            self._go_back_to_disk(now)
        try:
            with self._db:
                return change(self._db)
        except sqlite3.Error as error:
            self._go_on_in_memory(error, now)
            with self._db:
                return change(self._db)

    def read(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows."""
        try:
            return self._db.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            self._go_on_in_memory(error, self._tried_at)
            return self._db.execute(sql, values).fetchall()

    def close(self) -> None:
        """Let go of the file, after a last try to write what is in memory alone; may be called twice."""
        if self._memory:
            self._go_back_to_disk(self._tried_at)
        self._db.close()

    def _opened(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, check_same_thread=False, timeout=1.0)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")  # what was accepted survives a power cut
            db.executescript(self._schema)
        except sqlite3.Error:
            db.close()
            raise
        return db

    def _go_on_in_memory(self, error: sqlite3.Error, now: float) -> None:
        """With all that can still be read; where it is in memory already there is nothing to save."""
        memory = sqlite3.connect(":memory:", check_same_thread=False)
        with contextlib.suppress(sqlite3.Error):
            self._db.backup(memory)
        memory.executescript(self._schema)
        self._db.close()
        self._db, self._memory, self._tried_at = memory, True, now
        self.trouble = f"{self._path.name} cannot be written ({error}): kept in memory until it can"

    def _go_back_to_disk(self, now: float) -> None:
        self._tried_at = now
        try:
            file = self._opened()
            try:
                self._db.backup(file)
            except sqlite3.Error:
                file.close()
                raise
        except sqlite3.Error:
            return
        self._db.close()
        self._db, self._memory, self.trouble = file, False, None
