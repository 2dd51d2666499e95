"""A memory cgroup of one's own under the v1 hierarchy, and what it says (kernel document cgroup-v1/memory.rst)."""

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

HIERARCHY = Path("/sys/fs/cgroup/memory")


@contextlib.contextmanager
def made(limit_bytes: int) -> Iterator[Path]:
    """A new cgroup with a limit; it is removed at the end, once the processes in it are gone. Needs root."""
    folder = HIERARCHY / f"leakwatch-recording-{os.getpid()}-{time.monotonic_ns()}"
    folder.mkdir()
    try:
        (folder / "memory.limit_in_bytes").write_text(str(limit_bytes))
        yield folder
    finally:
        # a killed process leaves its cgroup a moment after it has been waited for
        deadline = time.monotonic() + 10
        while (folder / "cgroup.procs").read_text() and time.monotonic() < deadline:
            time.sleep(0.05)
        folder.rmdir()


def enter(folder: Path | None, command: Sequence[str]) -> list[str]:
    """The command line that moves itself into the cgroup before it becomes the command, so all of it is charged."""
    if folder is None:
        return list(command)
    return ["sh", "-c", 'echo $$ > "$0" && exec "$@"', str(folder / "cgroup.procs"), *command]


def memory(folder: Path) -> dict[str, object]:
    """The contract's memory columns in bytes; the working set is the usage without the inactive file pages."""
    stat = {name: int(value) for name, value in map(str.split, (folder / "memory.stat").read_text().splitlines())}
    usage = int((folder / "memory.usage_in_bytes").read_text())
    return {
        "usage_bytes": usage,
        "working_set_bytes": max(0, usage - stat["total_inactive_file"]),
        "anon_bytes": stat["total_rss"],
        "file_bytes": stat["total_cache"],
        "limit_bytes": int((folder / "memory.limit_in_bytes").read_text()),
    }
