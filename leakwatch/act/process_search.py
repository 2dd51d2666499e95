"""Which process is the server: by name, by pid or in a cgroup; behind a shell that only started it, its child."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from leakwatch.act.process_handle import NAME, Identity, identify
from leakwatch.errors import ActError
from leakwatch.settings import CgroupPlace, PidPlace, ProcessPlace

if TYPE_CHECKING:
    import psutil

COMMAND_LENGTH = 15
"""The kernel keeps so many characters of a command's name: ``tensorflow_mode``."""

WRAPPERS = frozenset(
    [
        "ash",
        "bash",
        "busybox",
        "catatonit",
        "dash",
        "docker-init",
        "dumb-init",
        "env",
        "gosu",
        "ksh",
        "nice",
        "pause",
        "runsv",
        "runuser",
        "s6-supervise",
        "setpriv",
        "sh",
        "sleep",
        "su",
        "su-exec",
        "sudo",
        "supervisord",
        "timeout",
        "tini",
        "zsh",
    ]
)
"""Commands that start a server and wait for it. Killing one is no restart: TF Serving's image runs bash as pid 1, which
survives SIGTERM, and ends when its child does."""


ProcessesPlace = ProcessPlace | PidPlace | CgroupPlace


def server_of(place: ProcessesPlace) -> Identity:
    """The server's process.

    Raises:
        ActError: there is none, or more than one could be meant.
    """
    if isinstance(place, PidPlace):
        candidates, what = [place.pid], f"pid {place.pid}"
    elif isinstance(place, CgroupPlace):
        candidates, what = _of_cgroup(Path(place.cgroup)), f"in the cgroup {place.cgroup}"
    else:
        candidates, what = _of_name(place.process), f"called {place.process!r}"
    eldest = _eldest(candidates)
    if not eldest:
        raise ActError(NAME, f"no process {what}", "start it, or share the pod's process namespace")
    if len(eldest) > 1:
        pids = ", ".join(str(process.pid) for process in eldest[:5])
        what = f"{len(eldest)} processes {what} that are not of one family ({pids})"
        raise ActError(NAME, what, "name one by its pid")
    identity = identify(_behind_wrappers(eldest[0]).pid)
    if identity is None:
        raise ActError(NAME, f"the process {what} has just ended", "it may be restarting already")
    if identity.command in WRAPPERS and not isinstance(place, ProcessPlace):
        raise ActError(NAME, f"{what} there is only {identity.command}, and no server", "it may be restarting already")
    return identity


def descendants(identity: Identity) -> list[Identity]:
    """The processes that it started, and theirs."""
    import psutil

    try:
        children = psutil.Process(identity.pid).children(recursive=True)
    except psutil.Error:
        return []
    return [found for child in children if (found := identify(child.pid)) is not None]


def _of_name(name: str) -> list[int]:
    """By the command's name; where none answers to it, by the program or script on the command line."""
    import psutil

    ours = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found: list[int] = []
    by_line: list[int] = []
    for process in psutil.process_iter():
        own = identify(process.pid)  # psutil completes the name from the command line
        if own is None or own.pid in ours or (own.pid == 1 and own.command == "pause"):
            continue
        if own.command == name[:COMMAND_LENGTH]:
            found.append(own.pid)
        elif _is_on_command_line(process, name):
            by_line.append(own.pid)
    return found or by_line


def _is_on_command_line(process: "psutil.Process", name: str) -> bool:
    import psutil

    try:
        line = process.cmdline()
    except psutil.Error:
        return False
    return any(word == name or os.path.basename(word) == name for word in line[:2])


def _of_cgroup(folder: Path) -> list[int]:
    """Its own processes and those of cgroups below it; a wrapper with its server counts as one family."""
    pids: list[int] = []
    for file in (folder / "cgroup.procs", *sorted(folder.glob("**/cgroup.procs"))):
        try:
            pids += [int(line) for line in file.read_text().split() if int(line) > 0]
        except OSError as error:
            fix = "check that the cgroup is there and can be read"
            raise ActError(NAME, f"{file}: {error.strerror}", fix) from error
    return list(dict.fromkeys(pids))


def _eldest(pids: Iterable[int]) -> "list[psutil.Process]":
    """Those that none of the others started; zombies are none."""
    import psutil

    processes = {pid: psutil.Process(pid) for pid in pids if identify(pid) is not None}
    eldest = []
    for process in processes.values():
        try:
            if not any(parent.pid in processes for parent in process.parents()):
                eldest.append(process)
        except psutil.Error:
            continue
    return eldest


def _behind_wrappers(process: "psutil.Process") -> "psutil.Process":
    """The child that a wrapper waits for; of several, the one that holds the most memory."""
    import psutil

    while True:
        own = identify(process.pid)
        if own is None or own.command not in WRAPPERS:
            return process
        try:
            children = [child for child in process.children() if identify(child.pid) is not None]
            if not children:
                return process
            process = max(children, key=lambda child: child.memory_info().rss)
        except psutil.Error:
            return process
