"""TensorFlow Serving's status API (GET /v1/models/NAME): which versions serve, load, or ended in an error.

It answers 200 in any state, and lists versions that ended long ago, so that only the states count. Its answers are
counted in ``request_count`` with an empty API, which `tf_serving` leaves out.
"""

import json
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

from leakwatch.errors import SourceError
from leakwatch.sample.serving.page import Page
from leakwatch.settings import ServingSettings


class State(StrEnum):
    """Of a version (apis/get_model_status.proto); END is unloaded, or failed where an error stands with it."""

    UNKNOWN = "UNKNOWN"
    START = "START"
    LOADING = "LOADING"
    AVAILABLE = "AVAILABLE"
    UNLOADING = "UNLOADING"
    END = "END"


@dataclass(frozen=True, slots=True)
class VersionStatus:
    """One version of one model; ``error`` is None unless it failed."""

    model: str
    version: int
    state: State
    error: str | None


def status_page(settings: ServingSettings) -> Page:
    """The REST API beside the metrics page, or where the settings say."""
    base = settings.status_url or settings.metrics_url
    return Page("tf_serving", base)


def read_status(page: Page, model: str) -> tuple[VersionStatus, ...]:
    """The versions of a model, the newest first; empty where the server never knew it.

    Raises:
        SourceError: no answer, or one that is not the status API's.
    """
    status, body = page.read(f"/v1/models/{quote(model, safe='')}")
    if status == 404:
        return ()
    try:
        entries = json.loads(body)["model_version_status"] if status == 200 else None
        versions = tuple(_version(model, entry) for entry in entries or ())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        what = f"{page.shown} is not TensorFlow Serving's status API"
        raise SourceError("tf_serving", what, "set serving.status_url to its REST port") from error
    if entries is None:
        raise SourceError("tf_serving", f"the status of {model!r} answers {status}", "check the server's log")
    return tuple(sorted(versions, key=lambda one: -one.version))


def _version(model: str, entry: dict[str, object]) -> VersionStatus:
    told = entry.get("status")
    code, message = (
        (told.get("error_code", "OK"), told.get("error_message", "")) if isinstance(told, dict) else ("OK", "")
    )
    state = str(entry.get("state", "UNKNOWN"))
    return VersionStatus(
        model,
        int(str(entry["version"])),
        State(state) if state in State.__members__ else State.UNKNOWN,
        None if code in ("OK", "", None) else f"{code}: {message}",
    )
