"""Every decision with its reasons, and everything that happened, as JSON lines in the state folder."""

import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from leakwatch.act.decision import Decision, Happening

FILE_NAME = "audit.jsonl"
_SIZE_BYTES, _KEPT = 8 * 2**20, 4


class Audit:
    """Writes ``audit.jsonl``, rotated at 8 MiB, four old files kept; a full disk loses lines, and holds up nothing."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / FILE_NAME
        self._handler = RotatingFileHandler(
            self._path, maxBytes=_SIZE_BYTES, backupCount=_KEPT, encoding="utf-8", delay=True
        )
        self._handler.handleError = self._failed  # type: ignore[method-assign]
        self.failed: str | None = None

    def decision(self, decision: Decision) -> None:
        """A decision: the ruling, and the gates for and against."""
        action = decision.action
        self._write(
            {
                "at": decision.at_seconds,
                "what": "decision",
                "target": decision.case.target,
                "incident": decision.case.incident,
                "ruling": decision.ruling,
                "remedy": action.remedy if action else None,
                "backend": decision.backend,
                "dry_run": action.dry_run if action else None,
                "reasons": [{"gate": r.gate, "passes": r.passes, "sentence": r.sentence} for r in decision.reasons],
            }
        )

    def happening(self, happening: Happening) -> None:
        """What happened since."""
        self._write(
            {
                "at": happening.at_seconds,
                "what": happening.what,
                "target": happening.target,
                "sentence": happening.sentence,
            }
        )

    def close(self) -> None:
        """Lets go of the file."""
        self._handler.close()

    def _write(self, line: Mapping[str, Any]) -> None:
        self.failed = None
        self._handler.handle(logging.makeLogRecord({"msg": json.dumps(line)}))
        with suppress(OSError):
            if self._path.stat().st_mode & 0o077:
                self._path.chmod(0o600)

    def _failed(self, record: logging.LogRecord) -> None:
        """Called where a line could not be written; the handler would print a traceback."""
        self.failed = f"{self._path} cannot be written; make room"
