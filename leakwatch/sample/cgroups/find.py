"""Where the cgroup of a process or container lies in the file system, seen from here.

Which hierarchies there are, and where, is in /proc/PID/mountinfo; which cgroup a process is in, in /proc/PID/cgroup
(proc(5), cgroups(7)). A container sees only its own cgroup under /sys/fs/cgroup; a sibling's is reached through the
sibling's own view of the file system, /proc/PID/root, where the pod shares its process namespace and we have the same
user or CAP_SYS_PTRACE.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from leakwatch.errors import SourceError
from leakwatch.quantities import shown
from leakwatch.sample.cgroups import version1, version2

PROC = "/proc"
_ESCAPE = re.compile(r"\\([0-7]{3})")
_ID_LENGTH = 12
"""Hexadecimal digits of a container's id that its short form has; fewer could be anything."""


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """A mounted cgroup hierarchy that has the memory controller, or could: version, what is mounted, and where."""

    version: int
    root: str
    mount: str

    def folder(self, cgroup: str) -> str | None:
        """Where the cgroup of that path lies under the mount; None where the mount does not show it."""
        if cgroup == self.root:
            return self.mount
        inside = self.root.rstrip("/") + "/"
        if not cgroup.startswith(inside) or ".." in cgroup[len(inside) :].split("/"):
            return None
        return os.path.join(self.mount, cgroup[len(inside) :])


def hierarchies(pid: int | str = "self", proc: str = PROC) -> tuple[Hierarchy, ...]:
    """Those that a process sees: the v1 memory hierarchy before v2, which on such a host has no memory controller."""
    found = []
    for line in _read(f"{proc}/{pid}/mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(" "), after.split(" ")
        if len(fields) < 5 or len(kind) < 3:
            continue
        root, mount = (_ESCAPE.sub(lambda match: chr(int(match[1], 8)), field) for field in fields[3:5])
        if kind[0] == "cgroup2":
            found.append(Hierarchy(2, root, mount))
        elif kind[0] == "cgroup" and "memory" in kind[2].split(","):
            found.append(Hierarchy(1, root, mount))
    return tuple(sorted(found, key=lambda hierarchy: hierarchy.version))


def folder_of_pid(pid: int, proc: str = PROC) -> str:
    """The folder of the memory cgroup that a process is in.

    Raises:
        SourceError: there is no such process (``gone``), or its cgroup cannot be seen from here.
    """
    try:
        version, cgroup = _membership(_read(f"{proc}/{pid}/cgroup"))
    except (FileNotFoundError, ProcessLookupError):
        raise SourceError("cgroup", f"there is no process {pid}", "name one that runs", gone=True) from None
    except OSError as error:
        raise SourceError("cgroup", f"process {pid}: {error.strerror}", "run as root or as its user") from None
    for hierarchy in hierarchies(proc=proc):
        folder = hierarchy.folder(cgroup)
        if hierarchy.version == version and folder and _version_of(folder) == version:
            return folder
    for folder in _through_its_own_eyes(pid, version, cgroup, proc):
        if _version_of(folder) == version and str(pid) in _read_if_any(f"{folder}/cgroup.procs").split():
            return folder
    if cgroup == "/":
        what = f"process {pid} is in the root cgroup, which accounts nothing"
        raise SourceError("cgroup", what, "give it a cgroup of its own (systemd-run --scope)")
    raise SourceError(
        "cgroup",
        f"the cgroup {shown(cgroup, 200)} of process {pid} cannot be seen from here",
        "mount the host's /sys/fs/cgroup, or share the process namespace and run as its user or with SYS_PTRACE",
    )


def folder_of_name(name: str, proc: str = PROC) -> str:
    """The folder of a cgroup by its path in the hierarchy, its folder's name, or a container's id in it.

    Raises:
        SourceError: nothing, or more than one, has that name.
    """
    found: list[str] = []
    for hierarchy in hierarchies(proc=proc):
        direct = os.path.join(hierarchy.mount, name)
        if _version_of(direct) is not None:
            return direct
        by_id = len(name) >= _ID_LENGTH and all(digit in "0123456789abcdef" for digit in name)
        for folder, below, _ in os.walk(hierarchy.mount):
            found += [
                os.path.join(folder, one)
                for one in below
                if (one == name or (by_id and name in one)) and _version_of(os.path.join(folder, one)) is not None
            ]
    if len(found) == 1:
        return found[0]
    if not found:
        fix = "give its folder, or its path as /proc/PID/cgroup has it"
        raise SourceError("cgroup", f"no cgroup is called {shown(name, 100)}", fix, gone=True)
    some = ", ".join(sorted(found)[:3])
    raise SourceError("cgroup", f"{len(found)} cgroups are called {shown(name, 100)}", f"give one folder: {some}")


def version_of(folder: str) -> int:
    """1 or 2, by the files in it.

    Raises:
        SourceError: there is no such folder (``gone``), or it is no memory cgroup.
    """
    version = _version_of(folder)
    if version is not None:
        return version
    try:
        os.stat(folder)
    except (FileNotFoundError, NotADirectoryError):
        fix = "give the folder of a cgroup that exists (/proc/PID/cgroup names it)"
        raise SourceError("cgroup", f"there is no folder {shown(folder, 200)}", fix, gone=True) from None
    except OSError as error:
        raise SourceError("cgroup", f"{shown(folder, 200)}: {error.strerror}", "run as root") from None
    raise SourceError(
        "cgroup",
        f"{shown(folder, 200)} has neither {version2.MARK} nor {version1.MARK}",
        "give a cgroup with the memory controller, below the root of its hierarchy",
    )


def _version_of(folder: str) -> int | None:
    for version, mark in ((2, version2.MARK), (1, version1.MARK)):
        if os.access(f"{folder}/{mark}", os.F_OK):
            return version
    return None


def _membership(text: str) -> tuple[int, str]:
    """Version and path of the memory cgroup, from the lines ``id:controllers:path`` of /proc/PID/cgroup."""
    unified = "/"
    for line in text.splitlines():
        number, controllers, path = (*line.split(":", 2), "", "")[:3]
        if "memory" in controllers.split(","):
            return 1, path
        if number == "0":
            unified = path
    return 2, unified


def _through_its_own_eyes(pid: int, version: int, cgroup: str, proc: str) -> Iterator[str]:
    try:
        seen = hierarchies(pid, proc)
    except OSError:
        return
    for hierarchy in seen:
        if hierarchy.version == version:
            root = f"{proc}/{pid}/root"
            yield root + (hierarchy.folder(cgroup) or hierarchy.mount)
            yield root + hierarchy.mount


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read(1 << 20)


def _read_if_any(path: str) -> str:
    try:
        return _read(path)
    except OSError:
        return ""
