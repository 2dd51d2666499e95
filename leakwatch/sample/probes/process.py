"""What /proc/PID tells of a process, as text for a person: proc(5) has the meaning of each file.

Every function takes a pid and returns the content of one evidence part; it raises OSError where it may not be read.
"""

import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from leakwatch.masking import masked_arguments, masked_environment
from leakwatch.sample.kernel_folder import KernelFolder
from leakwatch.sample.processes.mappings import MAPPING, MAPS_BYTES, is_arena
from leakwatch.sample.processes.start import arguments_of, environment_of

LARGEST = 40
"""So many mappings are listed."""

_DIGITS = re.compile(r"\d+")


def smaps_rollup(pid: int) -> bytes:
    """Resident, proportional and private memory of the whole process (Linux 4.14)."""
    return _text(pid, "smaps_rollup")


def status(pid: int) -> bytes:
    """Memory by kind, threads, signals, capabilities."""
    return _text(pid, "status")


def limits(pid: int) -> bytes:
    """Resource limits in force."""
    return _text(pid, "limits")


def environment(pid: int) -> bytes:
    """The variables that it was started with, a line each, secrets masked."""
    variables = masked_environment(environment_of(pid))
    return "".join(f"{name}={value}\n" for name, value in sorted(variables.items())).encode()


def command_line(pid: int) -> bytes:
    """The words that it was started with, a line each, secrets masked."""
    return "".join(f"{word}\n" for word in masked_arguments(arguments_of(pid))).encode()


def threads(pid: int) -> bytes:
    """How many threads have which name (numbers in it as #) and state: a pool that grows shows here."""
    names: Counter[str] = Counter()
    states: Counter[str] = Counter()
    folder = KernelFolder(f"/proc/{pid}/task")
    try:
        for thread in os.listdir(folder.path):
            stat = folder.text_if_any(f"{thread}/stat")
            if stat:
                names[_DIGITS.sub("#", stat.partition("(")[2].rpartition(")")[0])] += 1
                states[stat.rpartition(")")[2].split()[0]] += 1
    finally:
        folder.close()
    lines = [f"{sum(names.values())} threads; by state: {_counted(states)}", ""]
    return "\n".join([*lines, *(f"{count:6d} {name}" for name, count in names.most_common())]).encode() + b"\n"


def open_files(pid: int) -> bytes:
    """How many open files there are of each kind, and the files and devices by name."""
    kinds: Counter[str] = Counter()
    names: Counter[str] = Counter()
    for descriptor in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{descriptor}")
        except OSError:
            continue
        kind = target.partition(":")[0] if not target.startswith("/") else "file"
        kinds[kind] += 1
        if kind == "file":
            names[target] += 1
    lines = [f"{sum(kinds.values())} open; {_counted(kinds)}", ""]
    return "\n".join([*lines, *(f"{count:6d} {name!r}" for name, count in names.most_common(500))]).encode() + b"\n"


def largest_mappings(pid: int) -> bytes:
    """The mappings that hold most memory, what all of a file's hold together, and glibc's arenas."""
    folder = KernelFolder(f"/proc/{pid}")
    try:
        mappings = list(_mappings(folder.text("smaps", MAPS_BYTES)))
    finally:
        folder.close()
    together: defaultdict[str, int] = defaultdict(int)
    for _, _, name, resident in mappings:
        together[name or "[anonymous]"] += resident
    arenas = [mapping for mapping in mappings if is_arena(mapping[0], mapping[1], mapping[2])]
    held = sum(resident for *_, resident in arenas)
    lines = [f"{len(arenas)} heaps of glibc's arenas (reserved in 64 MiB) hold {_mib(held)}", "", "by name:"]
    lines += [f"{_mib(size)} {name!r}" for name, size in sorted(together.items(), key=lambda item: -item[1])[:LARGEST]]
    lines += ["", "the largest single mappings:"]
    largest = sorted(mappings, key=lambda mapping: -mapping[3])[:LARGEST]
    lines += [f"{_mib(size)} {start:016x} {rights} {name or '[anonymous]'!r}" for start, rights, name, size in largest]
    return "\n".join(lines).encode() + b"\n"


def _mappings(smaps: str) -> Iterator[tuple[int, str, str, int]]:
    """Start, rights, name and resident bytes."""
    known: tuple[int, str, str] | None = None
    for line in smaps.splitlines():
        if match := MAPPING.match(line):
            known = int(match[1], 16), match[3], match[4]
        elif line.startswith("Rss:") and known is not None:
            yield *known, int(line.split()[1]) * 1024


def _text(pid: int, name: str) -> bytes:
    folder = KernelFolder(f"/proc/{pid}")
    try:
        return folder.text(name).encode()
    finally:
        folder.close()


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.most_common())


def _mib(size_bytes: int) -> str:
    return f"{size_bytes / 2**20:9.1f} MiB"
