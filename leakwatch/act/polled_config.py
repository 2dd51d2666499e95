"""A model is unloaded by an edit of the config that TF Serving polls, and loaded by putting the config back.

Needs a file that we may write, in a folder that the server sees, and a server started with
``--model_config_file_poll_wait_seconds``.
"""

import os
import shutil
from pathlib import Path

from leakwatch.act.model_config import is_less_one_model, without_model
from leakwatch.errors import ActError

NAME = "tf_serving"
_KEPT = ".leakwatch-original"


class PolledConfig:
    """The config file; the original lies beside it while a model is out of it."""

    hint = "is --model_config_file_poll_wait_seconds set?"

    def __init__(self, path: Path) -> None:
        self._path, self._kept = path, path.with_name(path.name + _KEPT)

    def check(self, model: str) -> None:
        """Whether the model could be taken out; touches nothing, raises ActError where not."""
        self._edited(self._read(), model)

    def unload(self, model: str, within_seconds: float) -> None:
        """Take the model out; the server sees it at its next look. Raises ActError."""
        original = self._read()
        edited = self._edited(original, model)
        self._write(self._kept, original)
        self._write(self._path, edited)

    def restore(self, within_seconds: float = 0.0) -> None:
        """Put the config back as it was before our edit, unless somebody else has changed it since.

        Raises:
            ActError: it cannot be written.
        """
        try:
            original = self._kept.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            raise self._failed(error) from error
        current = self._read()
        if current != original and is_less_one_model(current, original):
            self._write(self._path, original)
        try:
            self._kept.unlink(missing_ok=True)
        except OSError as error:
            raise self._failed(error) from error

    def _edited(self, original: bytes, model: str) -> bytes:
        if self._path.is_symlink():
            raise self._failed(OSError(None, "it is a symbolic link, as in a mounted ConfigMap: change its source"))
        try:
            return without_model(original, model)
        except ValueError as error:
            raise ActError(NAME, f"{self._path}: {error}", "reload the model by hand") from error

    def _read(self) -> bytes:
        try:
            return self._path.read_bytes()
        except OSError as error:
            raise self._failed(error) from error

    def _write(self, path: Path, content: bytes) -> None:
        """Whole or not at all, with the owner and rights of the config."""
        unfinished = path.with_name(path.name + ".leakwatch-new")
        try:
            with unfinished.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            shutil.copystat(self._path, unfinished)
            stat = self._path.stat()
            if (stat.st_uid, stat.st_gid) != (os.geteuid(), os.getegid()):
                os.chown(unfinished, stat.st_uid, stat.st_gid)
            unfinished.replace(path)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> ActError:
        fix = "mount the folder that holds it writable (a single mounted file cannot be replaced)"
        return ActError(NAME, f"{self._path}: {error.strerror or error}", fix)
