"""cgroup v1: from the files of a folder of the memory hierarchy to the columns of a sample.

Source of every name: Documentation/admin-guide/cgroup-v1/memory.rst; processor time: cpuacct.rst and
scheduler/sched-bwc.rst.
"""

from leakwatch.sample.kernel_folder import KernelFolder, number, numbers

MARK = "memory.usage_in_bytes"
"""The file by which a folder of the v1 memory hierarchy is known."""

UNLIMITED_FROM = 1 << 62
"""No limit is the largest multiple of the page size below 2**63: another number with pages of 4, 16 and 64 KiB."""


def values_of(folder: KernelFolder, processor: KernelFolder | None) -> dict[str, float]:
    """Columns of `leakwatch.trace.Sample`; ``processor`` is the same cgroup in the cpuacct hierarchy, if any.

    Raises:
        OSError: usage or memory.stat cannot be read; the folder has vanished, or is no such cgroup.
    """
    usage = number(folder.text(MARK)) or 0
    stat = numbers(folder.text("memory.stat"))
    values: dict[str, float] = {"usage_bytes": usage, "limit_bytes": _limit_bytes(folder, stat) or 0}
    # total_ counts the cgroups below as well, as usage does; a kernel without hierarchies has only the bare key.
    for column, key in (("anon_bytes", "rss"), ("file_bytes", "cache"), ("shmem_bytes", "shmem")):
        if (value := stat.get(f"total_{key}", stat.get(key))) is not None:
            values[column] = value
    values["working_set_bytes"] = max(0, usage - stat.get("total_inactive_file", stat.get("inactive_file", 0)))
    for column, file in (
        ("kernel_bytes", "memory.kmem.usage_in_bytes"),
        ("peak_bytes", "memory.max_usage_in_bytes"),
        ("limit_hits_total", "memory.failcnt"),
    ):
        if (value := number(folder.text_if_any(file))) is not None:
            values[column] = value
    if (kills := numbers(folder.text_if_any("memory.oom_control") or "").get("oom_kill")) is not None:
        values["oom_kills_total"] = kills
    return values | (_processor(processor) if processor else {})


def _limit_bytes(folder: KernelFolder, stat: dict[str, int]) -> int | None:
    """hierarchical_memory_limit is the tightest of the ancestors already, also of those that we cannot see."""
    own = number(folder.text_if_any("memory.limit_in_bytes"))
    limits = [limit for limit in (own, stat.get("hierarchical_memory_limit")) if limit is not None]
    tightest = min(limits, default=UNLIMITED_FROM)
    return tightest if tightest < UNLIMITED_FROM else None


def _processor(folder: KernelFolder) -> dict[str, float]:
    values = {}
    if (used := number(folder.text_if_any("cpuacct.usage"))) is not None:
        values["cpu_seconds_total"] = used / 1e9
    if (throttled := numbers(folder.text_if_any("cpu.stat") or "").get("throttled_time")) is not None:
        values["cpu_throttled_seconds_total"] = throttled / 1e9
    return values
