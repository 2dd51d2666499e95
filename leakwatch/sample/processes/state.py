"""What the kernel shows of a server's process beside its numbers: what the playbooks ask about."""

import os

from leakwatch.errors import SourceError
from leakwatch.masking import masked_arguments, masked_environment
from leakwatch.sample.cgroups.find import folder_of_pid
from leakwatch.sample.cgroups.quota import cpu_quota
from leakwatch.sample.cgroups.version2 import SOME_AVG10
from leakwatch.sample.processes.mappings import is_arena, mappings_of
from leakwatch.sample.processes.reading import OpenProcess
from leakwatch.sample.processes.start import arguments_of, environment_of
from playbooks.types import ProcessState


def process_state_of(pid: int) -> ProcessState:
    """The state of a process; what may not be seen is None, and nothing is raised. Secrets are masked.

    The maps and the environment need the process's user or CAP_SYS_PTRACE. It reads all mappings: some milliseconds,
    not for every sample.
    """
    try:
        process = OpenProcess(pid)
        reading = process.reading()
        process.close()
    except OSError:
        reading = None
    if reading is None:
        return ProcessState(running=False, machine=os.uname().machine)
    mappings = _mappings(pid)
    return ProcessState(
        running=True,
        threads=reading.threads,
        arenas=None if mappings is None else sum(is_arena(*mapping) for mapping in mappings),
        libraries=None if mappings is None else _libraries(mappings),
        arguments=_arguments(pid),
        environment=_environment(pid),
        cpus=_cpus(pid),
        machine=os.uname().machine,
        io_pressure_ratio=_io_pressure(pid),
    )


def _io_pressure(pid: int) -> float | None:
    """None on cgroup v1, and where the kernel keeps no such account (psi=1)."""
    try:
        with open(f"{folder_of_pid(pid)}/io.pressure", encoding="ascii", errors="replace") as file:
            some = SOME_AVG10.search(file.read(4096))
    except (OSError, SourceError):
        return None
    return float(some[1]) / 100 if some else None


def _mappings(pid: int) -> list[tuple[int, str, str]] | None:
    try:
        return mappings_of(pid) or None
    except OSError:
        return None


def _libraries(mappings: list[tuple[int, str, str]]) -> tuple[str, ...]:
    names = {os.path.basename(name) for _, _, name in mappings if name.startswith("/")}
    return tuple(sorted(name for name in names if name))


def _arguments(pid: int) -> tuple[str, ...] | None:
    try:
        return masked_arguments(arguments_of(pid)) or None
    except OSError:
        return None


def _environment(pid: int) -> dict[str, str] | None:
    try:
        return masked_environment(environment_of(pid))
    except OSError:
        return None


def _cpus(pid: int) -> float | None:
    """How many processors it may use: of its affinity mask, or of its cgroup's quota where that is lower."""
    try:
        allowed = float(len(os.sched_getaffinity(pid)))
    except OSError:
        return None
    try:
        quota = cpu_quota(folder_of_pid(pid))
    except Exception:
        return allowed
    return allowed if quota is None else min(allowed, quota)
