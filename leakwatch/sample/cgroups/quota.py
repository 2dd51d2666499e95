"""How much processor time a cgroup may use."""

import os

from leakwatch.sample.kernel_folder import number


def cpu_quota(folder: str) -> float | None:
    """Processors' worth of time, from cpu.max (v2) or cpu.cfs_quota_us (v1); None where there is no quota.

    Sources: Documentation/admin-guide/cgroup-v2.rst, Documentation/scheduler/sched-bwc.rst. ``folder`` is the memory
    cgroup's; on v1 the cpu hierarchy has the same path under another mount.
    """
    quota, _, period = _text(f"{folder}/cpu.max").partition(" ")
    if not quota:
        for hierarchy in ("cpu,cpuacct", "cpu"):
            other = folder.replace("/memory/", f"/{hierarchy}/", 1)
            if other != folder and os.path.isdir(other):
                quota, period = _text(f"{other}/cpu.cfs_quota_us"), _text(f"{other}/cpu.cfs_period_us")
                break
    allowed, of = number(quota), number(period)
    return allowed / of if allowed and of else None


def _text(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read(256)
    except OSError:
        return ""
