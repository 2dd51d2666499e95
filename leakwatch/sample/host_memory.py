"""What the host could still hand out, from /proc/meminfo."""

import os

MEMINFO = "/proc/meminfo"


def host_available_bytes(path: str = MEMINFO) -> float | None:
    """MemAvailable (proc(5)), the host's also in a container; None where it cannot be read."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        head = os.read(file, 512).decode(errors="replace")
    except OSError:
        return None
    finally:
        os.close(file)
    words = head.partition("MemAvailable:")[2].split(maxsplit=1)
    return float(words[0]) * 1024 if words and words[0].isdigit() else None
