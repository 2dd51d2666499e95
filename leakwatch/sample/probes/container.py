"""What the kernel and the logs tell of a container: its cgroup's files, the pressure on the host, its last lines."""

import os

from leakwatch.masking import masked_text
from leakwatch.sample.kernel_folder import KernelFolder

CGROUP_FILES = (
    "memory.current",
    "memory.max",
    "memory.high",
    "memory.peak",
    "memory.stat",
    "memory.events",
    "memory.events.local",
    "memory.oom.group",
    "memory.swap.current",
    "memory.pressure",
    "cpu.stat",
    "cpu.max",
    "pids.current",
    "pids.max",
    "memory.usage_in_bytes",
    "memory.limit_in_bytes",
    "memory.max_usage_in_bytes",
    "memory.failcnt",
    "memory.oom_control",
    "memory.kmem.usage_in_bytes",
    "memory.numa_stat",
    "cgroup.procs",
)
"""Of both versions; each folder has those of one."""

LAST_BYTES = 256 * 1024
"""The end of a log that is taken."""


def cgroup_files(folder: str) -> bytes:
    """Every file of the list that is there, each under its name. Raises OSError where there is no such folder."""
    cgroup = KernelFolder(folder)
    try:
        found = [(name, cgroup.text_if_any(name)) for name in CGROUP_FILES]
    finally:
        cgroup.close()
    return "".join(f"== {name}\n{text.rstrip()}\n\n" for name, text in found if text is not None).encode()


def host_memory() -> bytes:
    """/proc/meminfo and the pressure on the whole host (PSI, Documentation/accounting/psi.rst)."""
    parts = []
    for name in ("meminfo", "pressure/memory", "pressure/cpu", "pressure/io", "loadavg", "swaps"):
        try:
            with open(f"/proc/{name}", encoding="ascii", errors="replace") as file:
                parts.append(f"== /proc/{name}\n{file.read(65536).rstrip()}\n\n")
        except OSError as error:
            parts.append(f"== /proc/{name}\n({error.strerror})\n\n")
    return "".join(parts).encode()


def last_lines(path: str) -> bytes:
    """The end of a log, from a whole line on, secrets masked. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        size = os.fstat(descriptor).st_size
        file.seek(max(0, size - LAST_BYTES))
        text = file.read(LAST_BYTES)
    if size > LAST_BYTES:
        text = text.partition(b"\n")[2]
    return masked_text(text.decode(errors="replace")).encode()
