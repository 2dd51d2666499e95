"""One model of a TF Serving is unloaded and loaded again, by its polled config or by gRPC.

The model answers nothing meanwhile, and the others are left alone.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from leakwatch.act.file_lock import FileLock
from leakwatch.act.model_status import ModelStatus
from leakwatch.act.polled_config import NAME, PolledConfig
from leakwatch.act.reachable import answers
from leakwatch.act.wording import duration
from leakwatch.errors import ActError
from leakwatch.ports import Action, Clock, Outcome, Standing
from leakwatch.settings import ServingSettings
from playbooks.types import Action as Remedy

_NEVER = frozenset({"life", "uptime", "replicas", "disruption_budget", "rollout", "drain"})
_UNLOAD_SECONDS, _LOAD_SECONDS = 180.0, 600.0
_GONE = frozenset({"END"})  # unloaded, or failed to load; an old version stays listed so for ever

log = logging.getLogger(__name__)


class Way(Protocol):
    """How a model is unloaded, and how all are loaded again. Each raises `leakwatch.errors.ActError`."""

    @property
    def hint(self) -> str:
        """What to look at where the server did not do it."""

    def check(self, model: str) -> None:
        """Whether it could be done; touches nothing."""

    def unload(self, model: str, within_seconds: float) -> None:
        """The server is asked to unload the model, and no other."""

    def restore(self, within_seconds: float) -> None:
        """The server is asked to load it again; does nothing where nothing was unloaded by us."""


class ModelReloader:
    """Reloads one model; what an earlier agent left unloaded is loaded first.

    Args:
        mark: a file of ours, for the gRPC reload; where it is there, a model is missing by our doing.
        unload_seconds, load_seconds: how long the server may take, its wait between two polls included.
    """

    name = NAME

    def __init__(
        self,
        serving: ServingSettings,
        clock: Clock,
        mark: Path,
        unload_seconds: float = _UNLOAD_SECONDS,
        load_seconds: float = _LOAD_SECONDS,
    ) -> None:
        if serving.model_config_file is None:
            raise ValueError("a model can be reloaded only where the model config is known")
        self._status, self._clock, config = ModelStatus(serving, clock), clock, Path(serving.model_config_file)
        self._folder = config.parent
        self._way: Way = PolledConfig(config)
        if serving.grpc_address is not None:
            from leakwatch.act.grpc_reload import GrpcReload

            self._way = GrpcReload(serving.grpc_address, config, mark, self._status)
        self._unload_seconds, self._load_seconds = unload_seconds, load_seconds
        try:
            self._way.restore(unload_seconds)
        except ActError as error:  # said again when it is to be used
            log.warning("a model may still be unloaded: %s", error)

    def remedies(self) -> frozenset[Remedy]:
        """The reload of one model."""
        return frozenset({Remedy.RELOAD_MODEL})

    def lease(self) -> FileLock:
        """The config's folder is claimed: of agents that see it only one reloads."""
        return FileLock(NAME, self._folder)

    def standing(self, now_seconds: float) -> Standing:
        """Whether the server answers."""
        return Standing(None, None, answers(self._status.base), not_applicable=_NEVER)

    def carry_out(self, action: Action, held: Callable[[], bool]) -> Outcome:
        """The model is unloaded, waited for, loaded again, and waited for until it serves."""
        model, began = action.model or "", self._clock.steady()
        try:
            self._way.restore(self._unload_seconds)
            self._way.check(model)
        except ActError as error:
            return Outcome(False, f"{error}; nothing was touched", self._clock.steady() - began)
        if action.dry_run:
            return Outcome(False, f"dry run: the model {model!r} would be unloaded and loaded again", 0.0)
        why = self._not_unloaded(model)
        if why is not None:
            return Outcome(False, why, self._clock.steady() - began)
        if not self._status.wait(model, lambda states: "AVAILABLE" in states, self._load_seconds):
            what = f"the model {model!r} was unloaded, and did not load again within {duration(self._load_seconds)}"
            raise ActError(NAME, what, "read the server's log")
        took = self._clock.steady() - began
        return Outcome(True, f"the model {model!r} was unloaded and loaded again in {duration(took)}", took)

    def _not_unloaded(self, model: str) -> str | None:
        """Unloads it, and asks for it again whatever happens; None where it was gone in between."""
        why = None
        try:
            self._way.unload(model, self._unload_seconds)
            if not self._status.wait(model, lambda states: states <= _GONE, self._unload_seconds):
                why = f"it was not unloaded within {duration(self._unload_seconds)}; {self._way.hint}"
        except ActError as error:
            why = str(error)
        finally:
            self._way.restore(self._load_seconds)
        return why and f"the model {model!r} was not reloaded, and its config is whole again: {why}"
