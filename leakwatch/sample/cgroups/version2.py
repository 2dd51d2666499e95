"""cgroup v2: from the files of one folder to the columns of a sample.

Source of every name: Documentation/admin-guide/cgroup-v2.rst, "Memory Interface Files".
"""

import re

from leakwatch.sample.kernel_folder import KernelFolder, number, numbers

MARK = "memory.current"
"""The file by which a folder is known as a cgroup v2 with the memory controller; the root cgroup has none."""

SOME_AVG10 = re.compile(r"^some avg10=([0-9.]+) ", re.MULTILINE)

_KERNEL_PARTS = ("kernel_stack", "pagetables", "sec_pagetables", "percpu", "sock", "vmalloc", "slab")
"""What ``kernel`` in memory.stat sums since Linux 5.18; before, we sum what there is of it."""


def values_of(folder: KernelFolder) -> dict[str, float]:
    """Columns of `leakwatch.trace.Sample`.

    Raises:
        OSError: memory.current or memory.stat cannot be read; the folder has vanished, or is no such cgroup.
    """
    usage = number(folder.text(MARK)) or 0
    stat = numbers(folder.text("memory.stat"))
    values: dict[str, float] = {"usage_bytes": usage, "limit_bytes": limit_bytes(folder) or 0}
    # What kubelet and cAdvisor call the working set: usage without the file pages that nobody used lately.
    values["working_set_bytes"] = max(0, usage - stat.get("inactive_file", 0))
    for column, key in (("anon_bytes", "anon"), ("file_bytes", "file"), ("shmem_bytes", "shmem")):
        if key in stat:
            values[column] = stat[key]
    if "kernel" in stat:
        values["kernel_bytes"] = stat["kernel"]
    elif any(part in stat for part in _KERNEL_PARTS):
        values["kernel_bytes"] = sum(stat.get(part, 0) for part in _KERNEL_PARTS)
    if (peak := number(folder.text_if_any("memory.peak"))) is not None:
        values["peak_bytes"] = peak
    if (threads := number(folder.text_if_any("pids.current"))) is not None:
        values["threads"] = threads
    values |= _events(folder.text_if_any("memory.events") or "")
    if pressure := SOME_AVG10.search(folder.text_if_any("memory.pressure") or ""):
        values["memory_pressure_ratio"] = float(pressure[1]) / 100
    values |= _processor(folder.text_if_any("cpu.stat") or "")
    return values


def limit_bytes(folder: KernelFolder) -> int | None:
    """The tightest memory.max of the folder and of those above it that can be seen; None where no one limits it."""
    tightest = None
    up = ""
    while (text := folder.text_if_any(f"{up}memory.max")) is not None:
        limit = number(text)
        if limit is not None and (tightest is None or limit < tightest):
            tightest = limit
        up += "../"
    return tightest


def _events(text: str) -> dict[str, float]:
    events = numbers(text)
    columns = {
        "limit_hits_total": "max",
        "oom_events_total": "oom",
        "oom_kills_total": "oom_kill",
        "oom_group_kills_total": "oom_group_kill",
    }
    return {column: events[key] for column, key in columns.items() if key in events}


def _processor(text: str) -> dict[str, float]:
    stat = numbers(text)
    columns = {"cpu_seconds_total": "usage_usec", "cpu_throttled_seconds_total": "throttled_usec"}
    return {column: stat[key] / 1e6 for column, key in columns.items() if key in stat}
