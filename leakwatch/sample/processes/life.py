"""One process from its discovery to its end: its family, its cgroup, and what they hold."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from leakwatch.errors import SourceError
from leakwatch.sample.cgroups.find import folder_of_pid
from leakwatch.sample.cgroups.source import OpenCgroup
from leakwatch.sample.host_memory import host_available_bytes
from leakwatch.sample.kernel_folder import boot
from leakwatch.sample.processes.find import NAME, ancestors, family
from leakwatch.sample.processes.reading import OpenProcess, Parts, Reading

FAMILY_SECONDS = 15.0
"""How often children are looked for: it takes a look at every process there is."""

SHARES_SECONDS = 60.0
"""How often the pages that a family shares are measured, and the open files counted."""

STARTER_BYTES = 32 * 2**20
"""A shell, an init or a supervisor that started the server holds less; what holds more is something else that runs."""

PASSING_SECONDS = 0.25
"""Who has left the cgroup by then was passing through: a probe that is executed in the container."""

SHARE_OF_TIME = 0.001
"""Both are put off further where they take more than this share of the time: many processes, or much memory."""

_NOTHING = Parts(0, 0, 0)


class Life:
    """A process, held open, with the children that it has meanwhile and the cgroup that it is in.

    Raises:
        SourceError: there is no such process (``gone``).
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        try:
            self._members = {pid: OpenProcess(pid)}
        except OSError:
            raise SourceError(NAME, f"there is no process {pid}", "name one that runs", gone=True) from None
        self.name = f"{NAME}:{boot()}:{pid}:{self._members[pid].started_ticks}"
        self._why_no_cgroup = ""
        self._cgroup: OpenCgroup | None = None
        self._alone = False
        self._family, self._shares = _Seldom(FAMILY_SECONDS), _Seldom(SHARES_SECONDS)
        self._shared: Parts | None = None
        self._open_fds: int | None = None
        self._look_at_cgroup()

    @property
    def blind_to(self) -> tuple[str, ...]:
        """What is hidden from us, a sentence each."""
        blind = []
        if self._cgroup is None:
            blind.append(f"limit, page cache and kills of its cgroup: {self._why_no_cgroup}")
        elif self._alone:
            blind += self._cgroup.blind_to
        else:
            blind.append("page cache and kernel memory: other processes share its cgroup; give it one of its own")
        ptrace = "run as its user or with the capability SYS_PTRACE"
        if not self._alone and len(self._members) > 1 and self._shared is None:
            blind.append(f"pages that its processes share, which are counted for each: {ptrace}")
        if self._open_fds is None:
            blind.append(f"open files: {ptrace}")
        return tuple(blind)

    def values(self, now_seconds: float) -> dict[str, float] | None:
        """Columns of a sample; None where the process has ended.

        Raises:
            SourceError: it may not be read.
        """
        try:
            readings = self._readings(now_seconds)
        except OSError as error:
            what = f"process {self.pid}: {error.strerror}"
            raise SourceError(NAME, what, "run as root or as its user") from None
        if readings is None:
            return None
        values: dict[str, float] = {}
        if self._cgroup is not None:
            of_cgroup = self._cgroup.values()
            if of_cgroup is None:
                return None
            values |= of_cgroup if self._alone else {"limit_bytes": of_cgroup["limit_bytes"]}
        if not self._alone:
            values |= self._memory(readings)
        values.setdefault("cpu_seconds_total", sum(reading.cpu_seconds for reading in readings.values()))
        values["threads"] = sum(reading.threads for reading in readings.values())
        if self._open_fds is not None:
            values["open_fds"] = self._open_fds
        available = host_available_bytes()
        if available is not None:
            values["host_available_bytes"] = available
        return values

    def _readings(self, now_seconds: float) -> dict[int, Reading] | None:
        """By pid; None where the process itself has ended."""
        if self._family.is_due(now_seconds):
            with self._family.taken(now_seconds):
                self._renew_family()
        readings = {}
        for pid, member in tuple(self._members.items()):
            reading = member.reading()
            if reading is not None:
                readings[pid] = reading
            elif pid == self.pid:
                return None
            else:
                member.close()
                del self._members[pid]
                self._family.hasten()
                self._shares.hasten()
        if self._shares.is_due(now_seconds):
            with self._shares.taken(now_seconds):
                self._measure_shares(readings)
        return readings

    def _renew_family(self) -> None:
        pids = family(self.pid)
        for pid in self._members.keys() - set(pids):
            self._members.pop(pid).close()
        for pid in set(pids) - self._members.keys():
            try:
                self._members[pid] = OpenProcess(pid)
            except OSError:
                continue
            self._shares.hasten()

    def _measure_shares(self, readings: Mapping[int, Reading]) -> None:
        counts = [self._members[pid].open_fds() for pid in readings]
        known = [count for count in counts if count is not None]
        self._open_fds = sum(known) if len(known) == len(counts) else None
        self._shared = None
        if self._alone or len(readings) == 1:
            return
        shares = [self._members[pid].shares() for pid in readings]
        if all(share is not None for share in shares):
            resident, own = _sum([reading.parts for reading in readings.values()]), _sum([s for s in shares if s])
            self._shared = Parts(
                max(0, resident.anon_bytes - own.anon_bytes),
                max(0, resident.file_bytes - own.file_bytes),
                max(0, resident.shmem_bytes - own.shmem_bytes),
            )

    def _memory(self, readings: Mapping[int, Reading]) -> dict[str, float]:
        """The family's own: the sum, less what was shared when it was last measured.

        Pages that are shared with strangers (a library that others have loaded too) count in part, as in PSS. Without
        the right to see shares, mapped files and shared memory are taken to be the same in all: the largest counts.
        """
        parts = [reading.parts for reading in readings.values()]
        total, shared = _sum(parts), self._shared or _NOTHING
        anon, file, shmem = total.anon_bytes - shared.anon_bytes, total.file_bytes, total.shmem_bytes
        if self._shared is not None:
            file, shmem = file - shared.file_bytes, shmem - shared.shmem_bytes
        else:
            file, shmem = max(part.file_bytes for part in parts), max(part.shmem_bytes for part in parts)
        file, shmem = max(0, file), max(0, shmem)
        return {"anon_bytes": anon, "file_bytes": file, "shmem_bytes": shmem, "rss_bytes": anon + file + shmem}

    def _look_at_cgroup(self) -> None:
        """Its cgroup, and whether it has it to itself, settled once for a life: a change would look like memory."""
        try:
            self._cgroup = OpenCgroup(folder_of_pid(self.pid))
        except SourceError as error:
            self._why_no_cgroup = str(error).removeprefix("cgroup: ")
            return
        members = self._cgroup.pids()
        others = members - set(family(self.pid))
        starters = others.intersection(ancestors(self.pid))
        if others - starters:
            time.sleep(PASSING_SECONDS)
            others &= self._cgroup.pids()
        held = sum(reading.parts.anon_bytes for reading in map(_reading_of, starters) if reading)
        self._alone = bool(members) and others <= starters and held <= STARTER_BYTES

    def close(self) -> None:
        """Let go of all of them."""
        for member in self._members.values():
            member.close()
        if self._cgroup is not None:
            self._cgroup.close()


def _reading_of(pid: int) -> Reading | None:
    try:
        process = OpenProcess(pid)
    except OSError:
        return None
    try:
        return process.reading()
    except OSError:
        return None
    finally:
        process.close()


class _Seldom:
    """Something costly that is done every so many seconds, or less often still."""

    def __init__(self, every_seconds: float) -> None:
        self._every_seconds = every_seconds
        self._done: float | None = None
        self._pause_seconds = every_seconds

    def is_due(self, now_seconds: float) -> bool:
        # A clock that was set back must not put it off.
        return self._done is None or not 0 <= now_seconds - self._done < self._pause_seconds

    @contextmanager
    def taken(self, now_seconds: float) -> Iterator[None]:
        self._done = now_seconds
        began = time.thread_time()
        yield
        self._pause_seconds = max(self._every_seconds, (time.thread_time() - began) / SHARE_OF_TIME)

    def hasten(self) -> None:
        self._done = None


def _sum(parts: list[Parts]) -> Parts:
    return Parts(
        sum(part.anon_bytes for part in parts),
        sum(part.file_bytes for part in parts),
        sum(part.shmem_bytes for part in parts),
    )
