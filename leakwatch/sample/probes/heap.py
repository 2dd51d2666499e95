"""A heap profile and a stack dump, where the process itself was set up for them; nothing is injected or stopped.

gperftools writes a profile on a signal where HEAPPROFILE and HEAPPROFILESIGNAL say so
(https://gperftools.github.io/gperftools/heapprofile.html). jemalloc has no signal: with prof:true and prof_prefix it
writes dumps by itself (https://jemalloc.net/jemalloc.3.html, opt.prof_prefix), of which the newest is taken.
"""

import os
import shutil
import subprocess
import time

from leakwatch.sample.probes.process import status
from leakwatch.sample.processes.start import arguments_of, environment_of

DUMP_BYTES = 16 * 1024 * 1024
_LOOK_SECONDS = 0.1


def heap_profile(pid: int, seconds: float) -> bytes:
    """The newest profile that the process has written, after a signal where it listens to one.

    Raises:
        OSError, ValueError: no profiler is switched on, or nothing was written in time.
    """
    environment = environment_of(pid)
    prefix, signal = environment.get("HEAPPROFILE"), environment.get("HEAPPROFILESIGNAL", "")
    if prefix:
        if signal.isdigit() and catches(pid, int(signal)):
            _, before = _newest(pid, prefix)
            os.kill(pid, int(signal))
            return _read_once_whole(pid, prefix, before, seconds)
        return _read(_newest(pid, prefix)[0])
    options = environment.get("MALLOC_CONF", "") or environment.get("_RJEM_MALLOC_CONF", "")
    settings = dict(option.partition(":")[::2] for option in options.split(","))
    if settings.get("prof") == "true":
        return _read(_newest(pid, settings.get("prof_prefix", "jeprof"))[0])
    raise ValueError("no heap profiler is switched on (MALLOC_CONF=prof:true,..., or HEAPPROFILE)")


def stacks(pid: int, seconds: float) -> bytes:
    """Stacks of a Python process through py-spy, which reads its memory and does not stop it.

    Raises:
        ValueError: it is no Python process, or py-spy is not installed or not allowed.
    """
    if not any("python" in os.path.basename(word) for word in arguments_of(pid)[:1]):
        raise ValueError("it is no Python process")
    program = shutil.which("py-spy")
    if program is None:
        raise ValueError("py-spy is not installed (the extra named profile)")
    command = [program, "dump", "--nonblocking", "--pid", str(pid)]
    done = subprocess.run(command, capture_output=True, timeout=max(0.1, seconds), check=False)
    if done.returncode:
        raise ValueError(f"py-spy: {done.stderr.decode(errors='replace').strip()[:200]}")
    return done.stdout


def catches(pid: int, signal: int) -> bool:
    """Whether the process has a handler for the signal; without one it would be ended by it."""
    for line in status(pid).decode().splitlines():
        if line.startswith("SigCgt:"):
            return bool(int(line.split()[1], 16) >> (signal - 1) & 1) if signal > 0 else False
    return False


def _newest(pid: int, prefix: str) -> tuple[str, float]:
    """The dump that was written last, in the process's own view of the files, and when; an empty name for none."""
    base = prefix if prefix.startswith("/") else os.path.join(os.readlink(f"/proc/{pid}/cwd"), prefix)
    folder, beginning = os.path.split(f"/proc/{pid}/root{base}")
    newest, written = "", 0.0
    for entry in os.scandir(folder):
        if entry.name.startswith(f"{beginning}.") and entry.is_file(follow_symlinks=False):
            at = entry.stat(follow_symlinks=False).st_mtime
            if at > written:
                newest, written = entry.path, at
    return newest, written


def _read_once_whole(pid: int, prefix: str, before: float, seconds: float) -> bytes:
    """The next dump, when its size has stood still for a look."""
    ends_at, size = time.monotonic() + seconds, -1
    while time.monotonic() < ends_at:
        path, written = _newest(pid, prefix)
        if path and written > before and size == (size := os.path.getsize(path)) and size > 0:
            return _read(path)
        time.sleep(_LOOK_SECONDS)
    raise ValueError("the signal was sent, and no profile was written in time")


def _read(path: str) -> bytes:
    if not path:
        raise ValueError("a heap profiler is switched on, and has written nothing yet")
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        return file.read(DUMP_BYTES)
