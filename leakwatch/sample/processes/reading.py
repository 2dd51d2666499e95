"""The numbers of one process, from the files of /proc/PID (proc(5), Documentation/filesystems/proc.rst)."""

import os
from dataclasses import dataclass

from leakwatch.sample.kernel_folder import VANISHED, KernelFolder, number

PROC = "/proc"
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Parts:
    """Resident bytes by kind: what a process has of its own and shares, or its proportional share of each."""

    anon_bytes: int
    file_bytes: int
    shmem_bytes: int


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at one process: resident memory by kind, threads, and the processor time that it used."""

    parts: Parts
    threads: int
    cpu_seconds: float


class OpenProcess:
    """A process, held open by its folder: another process that gets its pid later is never taken for it.

    Raises:
        OSError: there is no such process.
    """

    def __init__(self, pid: int, proc: str = PROC) -> None:
        self.pid = pid
        self.folder = KernelFolder(f"{proc}/{pid}")
        try:
            self.started_ticks = int(_after_name(self.folder.text("stat"))[19])
        except (OSError, IndexError, ValueError):
            self.folder.close()
            raise ProcessLookupError(pid) from None

    def reading(self) -> Reading | None:
        """The numbers now; None where it has ended (a zombie has no memory left).

        Raises:
            OSError: it may not be read.
        """
        try:
            stat = _after_name(self.folder.text("stat"))
            status = _kilobytes(self.folder.text("status"))
        except OSError as error:
            if error.errno in VANISHED:
                return None
            raise
        if "VmRSS" not in status or len(stat) < 20:
            return None
        # RssAnon and its kin came with Linux 4.5; a sandbox may have the sum alone, which holds file pages too.
        parts = Parts(status.get("RssAnon", status["VmRSS"]), status.get("RssFile", 0), status.get("RssShmem", 0))
        return Reading(parts, int(stat[17]), (int(stat[11]) + int(stat[12])) / _TICKS)

    def shares(self) -> Parts | None:
        """Proportional shares by kind (smaps_rollup, Linux 5.4); None where that is not shown to us.

        The kernel walks all page tables for it: about 10 ms for each GiB. Not for every look.
        """
        text = self.folder.text_if_any("smaps_rollup")
        pss = _kilobytes(text) if text else {}
        if not {"Pss_Anon", "Pss_File", "Pss_Shmem"} <= pss.keys():
            return None
        return Parts(pss["Pss_Anon"], pss["Pss_File"], pss["Pss_Shmem"])

    def open_fds(self) -> int | None:
        """Open files; None where they are not shown to us."""
        # Since Linux 6.2 the size of the folder is their number; before it is 0 and they have to be counted.
        try:
            size = os.stat(f"{self.folder.path}/fd").st_size
            return size or len(os.listdir(f"{self.folder.path}/fd"))
        except OSError:
            return None

    def close(self) -> None:
        """Let go of it; may be called twice."""
        self.folder.close()


def _after_name(stat: str) -> list[str]:
    """The fields of /proc/PID/stat from the third (state) on; the second is a name that may hold anything."""
    return stat.rpartition(")")[2].split()


def _kilobytes(text: str) -> dict[str, int]:
    """Bytes by key, of the lines ``Key:  123 kB``."""
    found = {}
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if value.endswith(" kB") and (kilobytes := number(value[:-3])) is not None:
            found[key] = kilobytes * 1024
    return found
