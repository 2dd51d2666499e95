"""The kernel's table of processes in an OOM dump: ``[ pid ] uid tgid total_vm rss ... name``, in pages."""

import heapq

from detectors.oom_lines.matching import Pattern

PAGE_BYTES = 4096
"""The dump does not say the size of a page; 4 KiB on x86-64 and on nearly all arm64."""
_ROW = Pattern(
    r"\[ *(?P<pid>[0-9]{1,10})\] +[0-9]+ +[0-9]+ +[0-9]+ +(?P<rss>[0-9]{1,15}) (?P<rest>[-0-9 ]*) "
    r"(?P<name>[^\s][^\n]*)$"
)
_HEADER_END = Pattern(r"total_vm[a-z_ ]*name\s*$")
_STRAYS = 3
"""Lines of other origin that may stand between two rows."""
_KEPT = 5


class TaskTable:
    """Reads the rows one by one; holds only the largest."""

    def __init__(self) -> None:
        self._largest: list[tuple[int, int, str]] = []
        self._strays = 0
        self._header = True
        self.lowest_pid: int | None = None
        """The oldest process but a pod's sandbox: a container's main process, where the table is one container's."""

    def read(self, line: bytes) -> bool:
        """Take one line; False where the table is over (the line belongs to what follows)."""
        if self._header:
            self._header = False
            if _HEADER_END.search(line) is not None:
                return True
        found = _ROW.search(line.rstrip())
        if found is None:
            self._strays += 1
            return self._strays <= _STRAYS and b"oom-kill" not in line and b"ill" not in line and b"emory" not in line
        self._strays = 0
        row = (int(found.groups["rss"]), int(found.groups["pid"]), found.groups["name"].decode("utf-8", "replace"))
        if row[2] != "pause":
            self.lowest_pid = row[1] if self.lowest_pid is None else min(self.lowest_pid, row[1])
        (heapq.heappush if len(self._largest) < _KEPT else heapq.heappushpop)(self._largest, row)
        return True

    def largest(self) -> tuple[tuple[str, int, int], ...]:
        """Name, pid and resident bytes of the five largest, the largest first."""
        return tuple((name, pid, pages * PAGE_BYTES) for pages, pid, name in sorted(self._largest, reverse=True))
