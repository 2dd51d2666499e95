"""Secrets: read from a file or the environment at each use, so that a rotated one is taken; never part of a message."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

MOST_BYTES = 65_536


class SecretError(Exception):
    """The secret cannot be had; the message names its file or variable, and nothing of its value."""


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret is: in ``file``, or else in the environment's ``variable``."""

    file: str | None
    variable: str
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    @property
    def is_given(self) -> bool:
        """Whether somebody said where it is; it may still be unreadable."""
        return self.file is not None or bool(self.environment.get(self.variable))

    def value(self) -> str:
        """The secret without the white space around it.

        Raises:
            SecretError: the file cannot be read or is no text, or nothing is in it.
        """
        if self.file is None:
            found = self.environment.get(self.variable, "").strip()
            if not found:
                raise SecretError(f"the variable {self.variable} is not set; set it, or name a file in the settings")
            return found
        try:
            with Path(self.file).open("rb") as file:
                found = file.read(MOST_BYTES).decode().strip()
        except OSError as error:
            raise SecretError(f"{self.file}: {error.strerror}; check the path and who may read it") from None
        except UnicodeDecodeError:
            raise SecretError(f"{self.file}: is no UTF-8 text; write the secret alone into it") from None
        if not found:
            raise SecretError(f"{self.file}: is empty; write the secret into it")
        return found
