"""The processes of a cgroup."""

import os

from leakwatch.errors import SourceError


def largest_in(folder: str) -> int:
    """The process with the most memory in a cgroup and those below it: the server, not the shell around it.

    Raises:
        SourceError: it has no process that we see (``gone``).
    """
    pids = {pid for inner, _, _ in os.walk(folder) for pid in _pids_in(inner)}
    pids.discard(0)  # of another process namespace
    if not pids:
        raise SourceError("cgroup", "no process of the cgroup can be seen from here", "share its namespace", gone=True)
    return max(pids, key=_resident_pages)


def _pids_in(folder: str) -> list[int]:
    try:
        with open(f"{folder}/cgroup.procs", encoding="ascii", errors="replace") as file:
            return [int(word) for word in file.read().split() if word.isdigit()]
    except OSError:
        return []


def _resident_pages(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            return int(file.read(256).split()[1])
    except (OSError, IndexError, ValueError):
        return 0
