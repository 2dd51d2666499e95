"""What can go wrong at our boundaries; every message is one line that says what, where and what to do.

LeakwatchError          exit status 1 unless it says otherwise
└── TraceError          a trace file that cannot be used
"""


class LeakwatchError(Exception):
    """A failure that the reader can mend; its message is the whole story in one line."""

    exit_status = 1


class TraceError(LeakwatchError):
    """A trace file cannot be used.

    Args:
        source: the path as the caller gave it.
        line: 1-based line number where the trouble lies, None where it is the whole file.
        what: what is wrong.
        fix: what the reader can do about it.
    """

    def __init__(self, source: str, what: str, fix: str, line: int | None = None) -> None:
        place = source if line is None else f"{source}:{line}"
        super().__init__(f"{place}: {what}; {fix}")
        self.source, self.line = source, line
