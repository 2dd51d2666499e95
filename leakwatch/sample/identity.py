"""Who a process is to the kernel: the cgroup that it is in, as the kernel's log names it."""

from pathlib import Path


def cgroup_of_pid(pid: int, proc: Path = Path("/proc")) -> str | None:
    """The path of a process's memory cgroup from the hierarchy's root; None where it has ended or may not be asked.

    ``/proc/PID/cgroup`` has a line for each v1 hierarchy (``4:memory:/P``) and one for v2 (``0::/P``), see cgroups(7).
    """
    try:
        lines = (proc / str(pid) / "cgroup").read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    paths = {
        controllers: path for _, controllers, path in (line.split(":", 2) for line in lines if line.count(":") >= 2)
    }
    return next((path for names, path in paths.items() if "memory" in names.split(",")), paths.get(""))
