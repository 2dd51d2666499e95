"""The log files behind the paths of a command line, in the order in which their lines were written."""

import os
import re
from collections.abc import Iterator, Sequence

from leakwatch.errors import LeakwatchError

STANDARD_INPUT = "-"
_ROTATED = re.compile(r"(?P<base>.+?)(?:[.-](?P<stamp>\d{1,3}|\d{8,}(?:-\d+)?))?(?:\.(?:gz|bz2|xz|zst))?")
"""logrotate's ``kern.log.2.gz`` and ``kern.log-20260301``, kubelet's ``0.log.20260301-120000.gz``."""
_BINARY_JOURNAL = (".journal", ".journal~")


def find_logs(paths: Sequence[str]) -> list[str]:
    """The files behind ``paths``: a folder gives its files, the rotated ones of each log first and oldest first.

    Hidden files and binary journals in a folder are left out, and so is a second name of the same file (the links of
    ``/var/log/containers``).

    Raises:
        LeakwatchError: a folder without files.
    """
    sources: list[str] = []
    for path in paths:
        found = files_in(path) if os.path.isdir(path) else [path]
        if not found:
            raise LeakwatchError(f"{path}: no log file in this folder; name a file, or a folder that holds some")
        sources += found
    return sources


def files_in(folder: str) -> list[str]:
    """Every log file in a folder and those below it, see `find_logs`."""
    seen: set[tuple[int, int]] = set()
    return [path for path in sorted(_walk(folder), key=written_order) if _is_new(path, seen)]


def is_rotated_name(path: str, log: str) -> bool:
    """Whether ``path`` is what the log at the path ``log`` is called after its rotation."""
    return path.startswith((f"{log}.", f"{log}-"))


def written_order(path: str) -> tuple[str, int, int]:
    """Sorts the files of one log: dated ones by date, numbered ones from the highest number, the current one last."""
    folder, name = os.path.split(path)
    match = _ROTATED.fullmatch(name)
    if match is None or match["stamp"] is None:
        return os.path.join(folder, match["base"] if match else name), 1, 0
    number = int(match["stamp"].replace("-", ""))
    return os.path.join(folder, match["base"]), 0, -number if len(match["stamp"]) <= 3 else number


def _walk(folder: str) -> Iterator[str]:
    for here, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = os.path.join(here, name)
            if not name.startswith(".") and not name.endswith(_BINARY_JOURNAL) and os.path.isfile(path):
                yield path


def _is_new(path: str, seen: set[tuple[int, int]]) -> bool:
    try:
        status = os.stat(path)
    except OSError:  # it was rotated away while we looked
        return False
    key = (status.st_dev, status.st_ino)
    known = key in seen
    seen.add(key)
    return not known
