"""One model of a TF Serving is unloaded and loaded again, by an edit of the config that it polls.

Needs ``serving.model_config_file`` (a file that we may write, in a folder that the server sees) and a server started
with ``--model_config_file_poll_wait_seconds``. The model answers nothing meanwhile. Reloads by gRPC are not done here.
"""

import json
import os
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, urlsplit

from leakwatch.act.model_config import without_model
from leakwatch.act.reachable import answers
from leakwatch.act.wording import duration
from leakwatch.errors import ActError
from leakwatch.ports import Action, Clock, Outcome, Standing
from leakwatch.settings import ServingSettings
from playbooks.types import Action as Remedy

NAME = "tf_serving"
_NEVER = frozenset({"life", "uptime", "replicas", "disruption_budget", "lease", "rollout", "drain"})
_UNLOAD_SECONDS, _LOAD_SECONDS = 180.0, 600.0
_LOOK_EVERY_SECONDS, _ASK_SECONDS = 0.5, 4.0
_ANSWER_BYTES = 1024 * 1024
_KEPT = ".leakwatch-original"
_GONE = frozenset({"END"})  # unloaded, or failed to load; an old version stays listed so for ever


class ModelReloader:
    """Reloads one model; an edit that an earlier agent left behind is undone first.

    Args:
        unload_seconds, load_seconds: how long the server may take, its wait between two polls included.
    """

    name = NAME

    def __init__(
        self,
        serving: ServingSettings,
        clock: Clock,
        unload_seconds: float = _UNLOAD_SECONDS,
        load_seconds: float = _LOAD_SECONDS,
    ) -> None:
        if serving.model_config_file is None:
            raise ValueError("a model can be reloaded only where the polled config is known")
        parts = urlsplit(serving.metrics_url)
        self._base = (serving.status_url or f"{parts.scheme}://{parts.netloc}").rstrip("/")
        self._path, self._clock = Path(serving.model_config_file), clock
        self._kept = self._path.with_name(self._path.name + _KEPT)
        self._unload_seconds, self._load_seconds = unload_seconds, load_seconds
        with suppress(ActError):  # said when it is to be used
            self.recover()

    def remedies(self) -> frozenset[Remedy]:
        """The reload of one model."""
        return frozenset({Remedy.RELOAD_MODEL})

    def lease(self) -> None:
        """There is none."""

    def standing(self, now_seconds: float) -> Standing:
        """Whether the server answers."""
        return Standing(None, None, answers(self._base), not_applicable=_NEVER)

    def carry_out(self, action: Action, held: Callable[[], bool]) -> Outcome:
        """Take the model out of the config, wait until it is unloaded, put it back, wait until it serves."""
        self.recover()
        model = action.model or ""
        original = self._read()
        try:
            edited = without_model(original, model)
        except ValueError as error:
            raise ActError(NAME, f"{self._path}: {error}", "reload the model by hand") from error
        if action.dry_run:
            return Outcome(False, f"dry run: the model {model!r} would be unloaded and loaded again", 0.0)
        began = self._clock.steady()
        self._write(self._kept, original)
        self._write(self._path, edited)
        try:
            unloaded = self._wait(model, lambda states: states <= _GONE, self._unload_seconds)
        finally:
            self.recover()
        if not unloaded:
            why = f"the model {model!r} was not unloaded within {duration(self._unload_seconds)}; its config is back"
            return Outcome(False, f"{why}; is --model_config_file_poll_wait_seconds set?", self._clock.steady() - began)
        if not self._wait(model, lambda states: "AVAILABLE" in states, self._load_seconds):
            what = f"the model {model!r} was unloaded, and did not load again within {duration(self._load_seconds)}"
            raise ActError(NAME, what, "read the server's log")
        took = self._clock.steady() - began
        return Outcome(True, f"the model {model!r} was unloaded and loaded again in {duration(took)}", took)

    def recover(self) -> None:
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
        if current != original and _is_ours(current, original):
            self._write(self._path, original)
        try:
            self._kept.unlink(missing_ok=True)
        except OSError as error:
            raise self._failed(error) from error

    def _read(self) -> bytes:
        try:
            return self._path.read_bytes()
        except OSError as error:
            raise self._failed(error) from error

    def _write(self, path: Path, content: bytes) -> None:
        """Whole or not at all, with the owner and rights of the config."""
        unfinished = path.with_name(path.name + ".leakwatch-new")
        try:
            if path.is_symlink():
                raise OSError(None, "it is a symbolic link, as in a mounted ConfigMap: change what it is made from")
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

    def _wait(self, model: str, holds: Callable[[frozenset[str]], bool], seconds: float) -> bool:
        """Whether the states of the model's versions come to that in time; a server that does not answer may yet."""
        end = self._clock.steady() + seconds
        while True:
            states = self._states(model)
            if states is not None and holds(states):
                return True
            if self._clock.steady() >= end:
                return False
            time.sleep(_LOOK_EVERY_SECONDS)

    def _states(self, model: str) -> frozenset[str] | None:
        """The states of its versions (empty: the server knows no such model); None where it does not answer."""
        url = f"{self._base}/v1/models/{quote(model, safe='')}"
        try:
            with urllib.request.urlopen(url, timeout=_ASK_SECONDS) as answer:
                status = json.loads(answer.read(_ANSWER_BYTES))
            return frozenset(str(version["state"]) for version in status["model_version_status"])
        except urllib.error.HTTPError as error:
            return frozenset() if error.code == 404 else None
        except (OSError, ValueError, LookupError, TypeError):
            return None


def _is_ours(current: bytes, original: bytes) -> bool:
    """Whether the config is the original with one piece cut out, as our edit leaves it."""
    missing = len(original) - len(current)
    same = next((i for i, (a, b) in enumerate(zip(current, original, strict=False)) if a != b), len(current))
    return missing > 0 and original[same + missing :] == current[same:]
