"""Which lines tell of the same kill."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping

from detectors.oom_lines.draft import ALLOCATION, KERNEL, Draft
from detectors.oom_lines.fields import Value
from detectors.oom_lines.signature import Proof
from detectors.oom_lines.tasks import TaskTable
from detectors.types import Incident

_OPEN = 200
"""Incidents among which a later line looks for its own; older ones are settled, so that memory stays flat."""
_DUMP_LINES, _DUMP_SECONDS = 20_000, 60.0
"""Within which a kernel's dump is over; its table of processes can be thousands of lines."""
_BURST_LINES, _BURST_SECONDS = 100, 60.0
"""Within which failed allocations of one program, and lines without a name, are one incident."""
_REPORT_SECONDS = 900.0
"""Within which kubelet, the runtime and systemd have reported a kill; a pid or a container may die again later."""
_KEYS = ("container_id", "pod_uid", "unit", "cgroup")


class Assembler:
    """Gives each event the number of its incident, as the events come.

    Args:
        numbers: of the incidents to come.
    """

    def __init__(self, numbers: Iterator[int]) -> None:
        self._numbers = numbers
        self._open: deque[Draft] = deque()
        self._settled: list[Incident] = []
        self._kernel: Draft | None = None

    def incidents(self) -> list[Incident]:
        """The incidents that later lines may still tell more of, in order of their numbers."""
        return [draft.freeze() for draft in self._open]

    def settled(self) -> list[Incident]:
        """The incidents that nothing more is told of, each given once."""
        settled, self._settled = self._settled, []
        return settled

    def incident(self, number: int) -> Incident | None:
        """What is known of one; None where it is settled."""
        return next((draft.freeze() for draft in reversed(self._open) if draft.number == number), None)

    def assign(self, kind: str, fields: Mapping[str, Value], at: float | None, line: int, *, proves: Proof) -> int:
        """Find the incident of an event, or open one; returns its number."""
        draft = self._find(kind, fields, at, line)
        if draft is None:
            draft = Draft(next(self._numbers), kind, line)
            self._open.append(draft)
            if len(self._open) > _OPEN:
                self._settle(self._open.popleft())
        if kind in KERNEL:
            self._kernel = draft
        draft.add(kind, fields, at, line, proves)
        return draft.number

    def _settle(self, draft: Draft) -> None:
        self._settled.append(draft.freeze())
        if draft is self._kernel:
            self._kernel = None

    def context(self, fields: Mapping[str, Value]) -> None:
        """What a line that is no event tells about the kernel's dump it stands in."""
        if self._kernel is not None and isinstance(path := fields.get("memcg"), str):
            self._kernel.told.setdefault("oom_memcg", path)
            for name in ("pod_uid", "container_id"):
                if name in fields:
                    self._kernel.told.setdefault(name, fields[name])

    def tasks(self, table: TaskTable) -> None:
        """The process table of the kernel's dump."""
        if self._kernel is not None:
            self._kernel.processes = table.largest()
            self._kernel.lowest_pid = table.lowest_pid

    def _find(self, kind: str, fields: Mapping[str, Value], at: float | None, line: int) -> Draft | None:
        if kind in KERNEL:
            return self._kernel_draft(kind, fields, at, line)
        if kind in ALLOCATION:
            return self._last(at, line, lambda draft: draft.kind in ALLOCATION, _BURST_LINES, _BURST_SECONDS)
        if kind == "kernel_page_alloc_failure":
            return None
        pid = fields.get("pid")
        named = self._last(at, line, lambda draft: _shares(draft, fields, _KEYS), None, _REPORT_SECONDS)
        if named is None and pid is not None:
            named = self._last(
                at, line, lambda draft: pid in draft.killed or draft.told.get("pid") == pid, None, _REPORT_SECONDS
            )
        if named is not None or pid is not None or any(key in fields for key in _KEYS):
            return named
        if kind in ("docker_oom_event", "containerd_oom") and "exit_code" not in fields:
            return self._last(at, line, lambda draft: draft.kind in KERNEL, _BURST_LINES, _BURST_SECONDS)
        return self._last(at, line, lambda draft: draft.kind == kind == "earlyoom", _BURST_LINES, _BURST_SECONDS)

    def _kernel_draft(self, kind: str, fields: Mapping[str, Value], at: float | None, line: int) -> Draft | None:
        pid = fields.get("pid")
        if kind == "kernel_oom_reaper":
            known = self._last(at, line, lambda draft: pid in draft.killed, _DUMP_LINES, _DUMP_SECONDS)
            return known if known is not None else self._current(at, line)
        draft = self._current(at, line)
        if draft is None or kind == "kernel_oom_invoked":
            return None
        over = bool(draft.killed) or draft.group_kill
        if kind == "kernel_oom_kill":
            same = pid is None or pid in draft.killed or draft.group_kill
            return draft if same or not over else None
        return None if over or kind == "kernel_oom_summary" and kind in draft.kinds else draft

    def _current(self, at: float | None, line: int) -> Draft | None:
        draft = self._kernel
        return draft if draft is not None and _near(draft, at, line, _DUMP_LINES, _DUMP_SECONDS) else None

    def _last(
        self, at: float | None, line: int, wanted: Callable[[Draft], bool], lines: int | None, seconds: float
    ) -> Draft | None:
        near = (draft for draft in reversed(self._open) if _near(draft, at, line, lines, seconds) and wanted(draft))
        return next(near, None)


def _near(draft: Draft, at: float | None, line: int, lines: int | None, seconds: float) -> bool:
    """Close in time where both have one, else in lines (None: anywhere)."""
    if at is not None and draft.at is not None:
        return abs(at - draft.at) <= seconds
    return lines is None or line - draft.last_line <= lines


def _shares(draft: Draft, fields: Mapping[str, Value], keys: tuple[str, ...]) -> bool:
    """Whether both name the same thing; the container counts before the pod, which may hold several."""
    for key in keys:
        mine, yours = draft.told.get(key), fields.get(key)
        if mine is None or yours is None:
            continue
        short, long = sorted((str(mine), str(yours)), key=len)
        return long.startswith(short) if key == "container_id" else short == long
    return False
