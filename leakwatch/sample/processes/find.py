"""Which process is meant by a name, and which others belong to it."""

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from leakwatch.errors import SourceError
from leakwatch.quantities import shown
from leakwatch.sample.processes.reading import OpenProcess

if TYPE_CHECKING:
    import psutil

NAME = "process"

COMM_LENGTH = 15
"""The kernel keeps so many characters of a command's name (TASK_COMM_LEN less one): ``tensorflow_mode``."""


def pid_of_name(name: str) -> int:
    """The process of that name; of a server and its workers, the server.

    Asked in this order, and the first that anything answers to decides: the command name (15 characters of it, as the
    kernel keeps them), the program's file, the program or script on the command line. Left out are zombies, the pause
    process of a shared namespace, and we ourselves and whoever started us, whose command lines hold the name too.

    Raises:
        SourceError: none (``gone``), or several that are not of one family.
    """
    import psutil

    ours = {os.getpid(), *(process.pid for process in _parents(os.getpid()))}
    processes = []
    for process in psutil.process_iter(["pid", "ppid", "name", "status"]):
        known = process.info
        pause = known["pid"] == 1 and known["name"] == "pause"
        if known["pid"] not in ours and known["status"] != psutil.STATUS_ZOMBIE and not pause:
            processes.append(process)
    for answers in (_by_command, _by_file, _by_command_line):
        found = [process for process in processes if answers(process, name)]
        if found:
            return _eldest(found, name)
    fix = "start it, or share the pod's process namespace (shareProcessNamespace: true)"
    raise SourceError(NAME, f"no process is called {shown(name, 100)}", fix, gone=True)


def this_process(pid: int) -> Callable[[], int]:
    """How to find a process that is named by its pid: the one that has it now, and never another that gets it later."""
    started: list[int] = []

    def find() -> int:
        try:
            process = OpenProcess(pid)
        except OSError:
            raise SourceError(NAME, f"there is no process {pid}", "name one that runs", gone=True) from None
        process.close()
        if not started:
            started.append(process.started_ticks)
        if process.started_ticks != started[0]:
            what = f"process {pid} has ended, and another has its number now"
            raise SourceError(NAME, what, "name it by its name, which outlives it", gone=True)
        return pid

    return find


def family(pid: int) -> tuple[int, ...]:
    """The process and all that descend from it, the process first; only the process where it has no children."""
    import psutil

    try:
        return pid, *sorted(child.pid for child in psutil.Process(pid).children(recursive=True))
    except psutil.Error:
        return (pid,)


def ancestors(pid: int) -> tuple[int, ...]:
    """The processes that it descends from, as far as they can be seen."""
    return tuple(process.pid for process in _parents(pid))


def _parents(pid: int) -> "Sequence[psutil.Process]":
    import psutil

    try:
        return psutil.Process(pid).parents()
    except psutil.Error:
        return ()


def _eldest(found: "Sequence[psutil.Process]", name: str) -> int:
    pids = {process.pid for process in found}
    roots = [process.pid for process in found if process.info["ppid"] not in pids]
    if len(roots) == 1:
        return roots[0]
    some = ", ".join(str(pid) for pid in sorted(roots)[:5])
    raise SourceError(NAME, f"{len(roots)} processes are called {shown(name, 100)}", f"name one by its pid: {some}")


def _by_command(process: "psutil.Process", name: str) -> bool:
    # psutil lengthens a name that the kernel has cut, so the beginning is compared.
    return str(process.info["name"])[:COMM_LENGTH] == name[:COMM_LENGTH]


def _by_file(process: "psutil.Process", name: str) -> bool:
    import psutil

    try:
        return os.path.basename(process.exe()) == name
    except (psutil.Error, OSError):
        return False


def _by_command_line(process: "psutil.Process", name: str) -> bool:
    """The program and, after an interpreter, the script: the words up to the first that is neither flag nor path."""
    import psutil

    try:
        words = process.cmdline()[:4]
    except (psutil.Error, OSError):
        return False
    return any(word == name or os.path.basename(word) == name for word in words)
