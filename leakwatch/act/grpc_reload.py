"""A model is unloaded and loaded by TF Serving's ModelService, which takes a whole new config at each call.

What a new config leaves out is unloaded. So both calls carry every model of the config file, and nothing is done where
the server serves other models than that file names. Needs the extra ``grpc``, and the file to read; not to write.
https://github.com/tensorflow/serving/blob/master/tensorflow_serving/apis/model_service.proto
"""

import importlib.util
import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from leakwatch.act.model_config import less_model, parsed
from leakwatch.act.model_status import ModelStatus
from leakwatch.act.polled_config import NAME
from leakwatch.act.reachable import answers
from leakwatch.errors import ActError
from leakwatch.quantities import shown
from leakwatch.serving_messages import PACKAGE, message_class

METHOD = f"/{PACKAGE}.ModelService/HandleReloadConfigRequest"
_OPTIONS = (("grpc.enable_http_proxy", 0),)  # the server is beside us; a proxy of the environment is not meant for it
_AGAIN_SECONDS, _TRIES_WITHIN_SECONDS = 1.0, 60.0
_MOST_NAMES = 1000
_SURELY_NOT = ("INVALID_ARGUMENT", "NOT_FOUND", "PERMISSION_DENIED", "UNAUTHENTICATED", "UNIMPLEMENTED")
"""Answers of a server that has changed nothing; of any other, nobody knows."""


class GrpcReload:
    """The ModelService of one server.

    Args:
        address: host and port.
        config_file: the model config that the server was started with.
        mark: a file of ours that is there while a model may be missing, so that a later agent puts it back.
    """

    hint = "is its --model_config_file polled as well, so that the server put it back?"

    def __init__(self, address: str, config_file: Path, mark: Path, status: ModelStatus) -> None:
        self._address, self._config_file, self._mark, self._status = address, config_file, mark, status

    def check(self, model: str) -> None:
        """Whether the model could be taken out; touches nothing, raises ActError where not."""
        if importlib.util.find_spec("grpc") is None:
            raise ActError(NAME, "the package grpcio is not installed", "install leakwatch-agent[grpc]")
        if not answers(f"http://{self._address}"):
            raise ActError(NAME, f"nothing listens at {self._address}", "see serving.grpc_address, and --port there")
        config = self._config()
        self._less(config, model)
        self._unloads_nothing_else(config)
        for other in config.model_config_list.config:
            if other.name != model and not self._is_served(other.name):
                raise self._unlike("does not serve", other.name, "load")

    def unload(self, model: str, within_seconds: float) -> None:
        """All models but one; raises ActError."""
        config = self._config()
        fewer = self._less(config, model)
        self._mark_down(model)
        try:
            self._call(fewer, within_seconds)
        except _RefusedError:
            self._mark.unlink(missing_ok=True)
            raise

    def restore(self, within_seconds: float = _TRIES_WITHIN_SECONDS) -> None:
        """All models again, where one may be missing by our doing; tried again while the server does not answer.

        Raises:
            ActError: it was not taken; the mark stays.
        """
        model = self._marked_down()
        if model is None:
            return
        config, end = self._config(), time.monotonic() + within_seconds
        while True:
            try:
                self._unloads_nothing_else(config)
                self._call(config, max(end - time.monotonic(), _AGAIN_SECONDS))
                break
            except _RefusedError:
                raise
            except ActError:
                if time.monotonic() + _AGAIN_SECONDS >= end:
                    raise
                time.sleep(_AGAIN_SECONDS)
        self._mark.unlink(missing_ok=True)

    # -----------------------------------------------------------------------------------------------------------------
    # Inside
    # -----------------------------------------------------------------------------------------------------------------

    def _config(self) -> Any:
        try:
            return parsed(self._config_file.read_bytes())
        except OSError as error:
            fix = "serving.model_config_file has to be the file that the server was started with"
            raise ActError(NAME, f"{self._config_file}: {error.strerror or error}", fix) from error
        except ValueError as error:
            raise ActError(NAME, f"{self._config_file}: {error}", "reload the model by hand") from error

    def _less(self, config: Any, model: str) -> Any:
        try:
            return less_model(config, model)
        except ValueError as error:
            raise ActError(NAME, f"{self._config_file}: {error}", "reload the model by hand") from error

    def _unloads_nothing_else(self, config: Any) -> None:
        """Raises ActError where the server serves what the file does not name, or nobody knows."""
        asked_for = self._status.asked_for()
        if asked_for is None or len(asked_for) > _MOST_NAMES:
            why = "its page does not answer" if asked_for is None else f"its page names more than {_MOST_NAMES}"
            raise ActError(NAME, f"which models are served is unknown: {why}", "see serving.metrics_url")
        for name in sorted(asked_for - {one.name for one in config.model_config_list.config}):
            if self._is_served(name):
                raise self._unlike("serves", name, "unload")

    def _is_served(self, model: str) -> bool:
        states = self._status.states(model)
        if states is None:
            raise ActError(NAME, f"the state of the model {shown(model, 80)} is unknown", "see serving.status_url")
        return "AVAILABLE" in states

    def _unlike(self, serves: str, model: str, would: str) -> ActError:
        what = f"the server {serves} {shown(model, 80)}, unlike {self._config_file}: a reload would {would} it"
        return ActError(NAME, what, "name the config that the server has")

    def _call(self, config: Any, within_seconds: float) -> None:
        import grpc

        request = message_class("ReloadConfigRequest")(config=config)
        try:
            with grpc.insecure_channel(self._address, options=_OPTIONS) as channel:
                call = channel.unary_unary(
                    METHOD,
                    request_serializer=type(request).SerializeToString,
                    response_deserializer=message_class("ReloadConfigResponse").FromString,
                )
                status = call(request, timeout=within_seconds).status
        except grpc.RpcError as error:
            code, said = error.code().name, str(error.details() or "")
            raise _error_of(self._address, code, said) from None
        if status.error_code:
            codes = {number: code.name for code in grpc.StatusCode for number in code.value[:1]}
            raise _error_of(self._address, codes.get(status.error_code, str(status.error_code)), status.error_message)

    def _mark_down(self, model: str) -> None:
        try:
            self._mark.parent.mkdir(parents=True, exist_ok=True)
            unfinished = self._mark.with_suffix(".new")
            unfinished.write_text(json.dumps({"model": model}))
            unfinished.replace(self._mark)
        except OSError as error:
            raise ActError(
                NAME, f"{self._mark}: {error.strerror or error}", "make room; nothing was touched"
            ) from error

    def _marked_down(self) -> str | None:
        with suppress(OSError, ValueError, LookupError, TypeError):
            return str(json.loads(self._mark.read_text())["model"])
        return None


class _RefusedError(ActError):
    """The server said no, and has changed nothing."""


def _error_of(address: str, code: str, said: str) -> ActError:
    kind = _RefusedError if code in _SURELY_NOT else ActError
    fix = {
        "UNIMPLEMENTED": "serving.grpc_address has to be the gRPC port of a TF Serving",
        "UNAVAILABLE": "see that the server runs, and serving.grpc_address",
    }.get(code, "read the server's log")
    return kind(NAME, f"{address} answers {code}{f': {shown(said, 200)}' if said else ''}", fix)
