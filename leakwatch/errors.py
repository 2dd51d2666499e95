"""What can go wrong at our boundaries; every message is one line that says what, where and what to do.

LeakwatchError          exit status 1 unless it says otherwise
├── TraceError          a trace file that cannot be used
├── SettingsError       settings with mistakes, all of them (exit status 2)
├── SourceError         a live source that cannot be read now
└── ActError            an action that could not be carried out, or a state that could not be asked for
"""

from collections.abc import Sequence


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


class SettingsError(LeakwatchError):
    """Settings that cannot be used; nothing starts.

    Args:
        problems: every mistake, each one line: place, what is wrong, what to write instead.
    """

    exit_status = 2

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class SourceError(LeakwatchError):
    """A source cannot be read now.

    Args:
        source: its name (``cgroup``, ``tf_serving``, ...).
        what: what is wrong, without secrets.
        fix: what the reader can do about it.
        gone: the process or container is not there (any more), which is no failure of the source.
    """

    def __init__(self, source: str, what: str, fix: str, *, gone: bool = False) -> None:
        super().__init__(f"{source}: {what}; {fix}")
        self.source, self.what, self.gone = source, what, gone


class ActError(LeakwatchError):
    """An action failed, or the state before it could not be asked for.

    Args:
        backend: its name (``docker``, ``kubernetes``, ...).
        what: what is wrong, without secrets.
        fix: what the reader can do about it (the missing rule of a role, for example).
    """

    def __init__(self, backend: str, what: str, fix: str) -> None:
        super().__init__(f"{backend}: {what}; {fix}")
        self.backend = backend
