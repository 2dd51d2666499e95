"""A cgroup as a source of samples.

Needs: the folder, readable (on a usual host everyone may read). Cannot see: what `CgroupSource.blind_to` says of the
version and kernel at hand; never which process or model holds the memory.
"""

import os
from collections.abc import Callable

from leakwatch.errors import SourceError
from leakwatch.quantities import shown
from leakwatch.sample.cgroups import version1, version2
from leakwatch.sample.cgroups.find import folder_of_name, version_of
from leakwatch.sample.cgroups.members import largest_in
from leakwatch.sample.host_memory import host_available_bytes
from leakwatch.sample.kernel_folder import VANISHED, KernelFolder, boot
from leakwatch.trace import Sample

NAME = "cgroup"


class CgroupSource:
    """Reads one cgroup; when it is removed and made anew (a restarted container) it goes on with the new one.

    A life is the folder's inode, which kernfs gives once in a boot. Its times say nothing: they are those
    of the inode in the cache, and change whenever that is dropped.

    Args:
        find: where the folder is now; asked again whenever the last one has vanished. Raises `SourceError`.
    """

    name = NAME

    def __init__(self, find: Callable[[], str]) -> None:
        self._find = find
        self._cgroup: OpenCgroup | None = None

    @property
    def blind_to(self) -> tuple[str, ...]:
        """What this version and kernel do not tell; empty before the first look."""
        cgroup = self._cgroup
        return cgroup.blind_to if cgroup else ()

    @property
    def pid(self) -> int | None:
        """The process in it that has the most memory; None before the first look, and where none can be seen."""
        cgroup = self._cgroup  # another thread may be reading, and let go of it meanwhile
        try:
            return largest_in(cgroup.path) if cgroup else None
        except SourceError:
            return None

    def read(self, now_seconds: float) -> Sample:
        """One look; about .1 ms.

        Raises:
            SourceError: it is not there (``gone``), or may not be read.
        """
        values = self._cgroup.values() if self._cgroup else None
        if self._cgroup is None or values is None:
            self.close()
            self._cgroup = OpenCgroup(self._find())
            values = self._cgroup.values()
        if values is None:
            self.close()
            raise SourceError(NAME, "the cgroup vanished while it was read", "it is looked for again", gone=True)
        available = host_available_bytes()
        if available is not None:
            values["host_available_bytes"] = available
        return Sample(now_seconds, values, life=self._cgroup.life)

    def close(self) -> None:
        """Let go of the folder."""
        if self._cgroup is not None:
            self._cgroup.close()
            self._cgroup = None


class OpenCgroup:
    """One cgroup, held open.

    Raises:
        SourceError: there is no such folder (``gone``), it is no memory cgroup, or it may not be read.
    """

    def __init__(self, path: str) -> None:
        self.version = version_of(path)
        self.path = path
        self._processor: KernelFolder | None = None
        try:
            self._memory = KernelFolder(path)
        except OSError as error:
            raise _cannot_read(path, error) from None
        if self.version == 1:
            self._processor = _processor_folder(path)
        self.life = f"{NAME}:{boot()}:{self._memory.inode}"

    @property
    def blind_to(self) -> tuple[str, ...]:
        """What the files at hand do not hold, a sentence each."""
        blind = []
        if self.version == 1:
            blind.append("memory pressure and kills of a whole container: cgroup v1 has neither; cgroup v2 has")
        else:
            if self._memory.text_if_any("memory.pressure") is None:
                blind.append("memory pressure: boot the kernel with psi=1")
            if self._memory.text_if_any("memory.peak") is None:
                blind.append("the highest usage: needs Linux 5.19")
            if self._memory.text_if_any("../memory.stat") is None:
                blind.append("limits above this cgroup, such as the pod's: mount the host's /sys/fs/cgroup read-only")
        return tuple(blind)

    def values(self) -> dict[str, float] | None:
        """The columns; None where it has vanished.

        Raises:
            SourceError: it may not be read.
        """
        try:
            if self.version == 2:
                return version2.values_of(self._memory)
            return version1.values_of(self._memory, self._processor)
        except OSError as error:
            if error.errno in VANISHED:
                return None
            raise _cannot_read(self._memory.path, error) from None

    def pids(self) -> frozenset[int]:
        """The processes in it, by their numbers in our own process namespace (0: in none that we see)."""
        text = self._memory.text_if_any("cgroup.procs") or ""
        return frozenset(int(word) for word in text.split() if word.isdigit())

    def close(self) -> None:
        """Let go of the folders; may be called twice."""
        self._memory.close()
        if self._processor:
            self._processor.close()


def folder_finder(cgroup: str) -> Callable[[], str]:
    """How to find what the settings name: an absolute folder, or a cgroup's name or a container's id."""
    if os.path.isabs(cgroup):
        return lambda: cgroup
    return lambda: folder_of_name(cgroup)


def _processor_folder(path: str) -> KernelFolder | None:
    """The cgroup of the same path in the v1 hierarchy that accounts processor time."""
    for hierarchy in ("cpu,cpuacct", "cpuacct"):
        other = path.replace("/memory/", f"/{hierarchy}/", 1)
        if other != path and os.path.isfile(f"{other}/cpuacct.usage"):
            try:
                return KernelFolder(other)
            except OSError:
                return None
    return None


def _cannot_read(path: str, error: OSError) -> SourceError:
    what = f"{shown(path, 200)}: {error.strerror}"
    if error.errno in VANISHED:
        return SourceError(NAME, what, "it is looked for again", gone=True)
    return SourceError(NAME, what, "run as root, or as the user that the container has")
