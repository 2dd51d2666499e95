"""A claim that two agents on one machine cannot hold at once, and that ends with the agent: flock(2).

What is locked is the thing itself that is acted on, so that agents need no folder in common: the folder of a model
config, or a process by its pidfd, which is one and the same file to everyone who sees the process, whatever the
namespace (Linux 6.9 on; before that all pidfds are one file, and of all agents on a machine one acts at a time).
"""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

from leakwatch.errors import ActError


class FileLock:
    """One lock; `leakwatch.ports.Lease`.

    Args:
        backend: who is told to be in trouble.
        file: a path, or what opens it.
    """

    def __init__(self, backend: str, file: Path | Callable[[], int]) -> None:
        self._backend, self._handle = backend, -1
        self._open = file if callable(file) else lambda: os.open(file, os.O_RDONLY | os.O_CLOEXEC)

    def acquire(self, now_seconds: float) -> bool:
        """Whether it is ours now; raises ActError where the file cannot be opened or locked."""
        handle = -1
        try:
            handle = self._open()
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        except OSError as error:
            if handle >= 0:
                os.close(handle)
            what = f"what is to be acted on cannot be claimed ({error.strerror or error})"
            raise ActError(self._backend, what, "see that it is there") from error
        self._handle = handle
        return True

    def held(self, now_seconds: float) -> bool:
        """Nobody can take it from us."""
        return self._handle >= 0

    def release(self) -> None:
        """Gives it back."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
