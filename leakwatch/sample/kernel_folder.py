"""A folder of small files that the kernel writes anew for each reader: a cgroup, or /proc/PID."""

import errno
import functools
import os

TEXT_BYTES = 1 << 20
"""The most of one file that is read; memory.stat has 4 kB, the environment of a process at most some hundred."""

VANISHED = frozenset({errno.ENOENT, errno.ENODEV, errno.ESRCH})
"""What the kernel says of a cgroup that was removed and of a process that has ended."""


class KernelFolder:
    """Holds the folder open, and nothing else: one descriptor however many files are read.

    The descriptor stays with this cgroup or process: after its end every file is missing, even where another has got
    the same path or pid by then. That is how a restart between two looks is never overlooked.

    Raises:
        OSError: there is no such folder, or it may not be opened.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._descriptor: int | None = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self.inode = os.fstat(self._descriptor).st_ino

    def text(self, name: str, at_most_bytes: int = TEXT_BYTES) -> str:
        """One file of it; ``../name`` reads the parent's.

        Raises:
            OSError: there is no such file (any more), or it may not be read; also after `close`.
        """
        if self._descriptor is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF), self.path)
        file = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._descriptor)
        try:
            parts = [os.read(file, 16384)]
            length = len(parts[0])
            while parts[-1] and length < at_most_bytes:
                parts.append(os.read(file, 65536))
                length += len(parts[-1])
        finally:
            os.close(file)
        return b"".join(parts)[:at_most_bytes].decode(errors="replace")

    def text_if_any(self, name: str) -> str | None:
        """The same; None where the kernel has no such file or does not show it to us."""
        try:
            return self.text(name)
        except OSError:
            return None

    def close(self) -> None:
        """Let go of the folder; may be called twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def numbers(text: str, sign: str = " ") -> dict[str, int]:
    """``key value`` lines as a mapping (memory.stat, memory.events, cpu.stat); a line of any other form is left out.

    The set of keys differs from kernel to kernel, so nothing is asked of it here.
    """
    found = {}
    for line in text.splitlines():
        key, _, value = line.partition(sign)
        if value.isascii() and value.isdigit():
            found[key] = int(value)
    return found


def number(text: str | None) -> int | None:
    """The one number of a file; None for ``max`` and for anything that is no number."""
    stripped = (text or "").strip()
    return int(stripped) if stripped.isascii() and stripped.isdigit() else None


@functools.cache
def boot() -> str:
    """Names this boot of the kernel: pids, start times and inodes are counted anew in the next."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read(8)
    except OSError:
        return "unknown"
