"""The mappings of a process (/proc/PID/maps), and which of them are heaps of glibc's arenas."""

import re

from leakwatch.sample.kernel_folder import KernelFolder

MAPS_BYTES = 64 * 1024 * 1024
"""The most that is read: smaps has 700 bytes a mapping, and the kernel allows 65,530 of them unless told otherwise."""

ARENA_BYTES = 64 * 2**20
"""glibc reserves the heaps of its arenas in this size and alignment (HEAP_MAX_SIZE, malloc/arena.c)."""

MAPPING = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \S+ *(.*)$")
"""Start, end, rights and name of a line of maps or smaps."""


def is_arena(start: int, rights: str, name: str) -> bool:
    """Whether a mapping is a heap of a glibc arena: anonymous, private, writable, aligned to 64 MiB."""
    return not name and rights == "rw-p" and start % ARENA_BYTES == 0


def mappings_of(pid: int) -> list[tuple[int, str, str]]:
    """Start, rights and name of each mapping, from /proc/PID/maps; raises OSError."""
    folder = KernelFolder(f"/proc/{pid}")
    try:
        matches = map(MAPPING.match, folder.text("maps", MAPS_BYTES).splitlines())
        return [(int(match[1], 16), match[3], match[4]) for match in matches if match]
    finally:
        folder.close()
