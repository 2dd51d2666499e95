"""The terminal, or whatever collects standard error: one line a message."""

import sys
from collections.abc import Mapping
from typing import TextIO

from leakwatch.ports import Delivery, Notification, Stage
from leakwatch.tell import units


class Lines:
    """Writes to ``stream``, standard error where none is given; a stream that is gone is no reason to stop."""

    name = "terminal"
    repeat_seconds = None
    stages = frozenset(Stage)

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def notify(self, notification: Notification, thread: Mapping[str, str], *, again: bool = False) -> Delivery:
        """``2026-09-21T14:00:00Z critical LEAK serving: ...``; nothing in it acts on the terminal."""
        n = notification
        stream = self._stream if self._stream is not None else sys.stderr
        try:
            asks = f"; approve with: {n.approval}" if n.approval is not None else ""
            line = f"{units.moment(n.at_seconds)} {n.severity} {units.visible(n.title + asks)}\n"
            stream.write(line.encode(stream.encoding or "utf-8", "backslashreplace").decode(stream.encoding or "utf-8"))
            stream.flush()
        except (OSError, ValueError, AttributeError) as error:
            return Delivery(False, False, f"the terminal is gone: {type(error).__name__}")
        return Delivery(True, False, "written")
