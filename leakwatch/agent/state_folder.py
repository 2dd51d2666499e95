"""The agent's own folder: made where there is none, and claimed, so that two agents never share one."""

import fcntl
import os
from pathlib import Path
from typing import Self

from leakwatch.errors import SettingsError

LOCK_NAME = "agent.lock"


class StateFolder:
    """A claim on ``state_dir`` that ends with the process, however it ends.

    Raises:
        SettingsError: it cannot be made or written, or another agent has it.
    """

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self._handle: int | None = None
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._handle = os.open(self.path / LOCK_NAME, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise SettingsError([f"state_dir: another agent uses {path}; give each one of its own"]) from None
        except OSError as error:
            self.close()
            raise SettingsError([f"state_dir: {path}: {error.strerror}; name a folder that can be written"]) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the claim up."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
