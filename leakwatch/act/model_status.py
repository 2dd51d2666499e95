"""What a TF Serving says of its models, by its REST API and its page; asking costs it a request each, and is counted.

There is no list of all models: names come from the model config, and from the requests that the page counts.
"""

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from urllib.parse import quote, urlsplit

from leakwatch.ports import Clock
from leakwatch.settings import ServingSettings

_LOOK_EVERY_SECONDS, _ASK_SECONDS = 0.5, 4.0
_ANSWER_BYTES, _PAGE_BYTES = 1024 * 1024, 32 * 1024 * 1024
_NAMED = re.compile(rb'^:tensorflow:serving:request_count\{model_name="((?:\\.|[^"\\])*)"', re.MULTILINE)


class ModelStatus:
    """The states of models, by name."""

    def __init__(self, serving: ServingSettings, clock: Clock) -> None:
        parts = urlsplit(serving.metrics_url)
        self.base = (serving.status_url or f"{parts.scheme}://{parts.netloc}").rstrip("/")
        self._page, self._clock = serving.metrics_url, clock

    def states(self, model: str) -> frozenset[str] | None:
        """The states of its versions (empty: the server knows no such model); None where it does not answer."""
        url = f"{self.base}/v1/models/{quote(model, safe='')}"
        try:
            with urllib.request.urlopen(url, timeout=_ASK_SECONDS) as answer:
                status = json.loads(answer.read(_ANSWER_BYTES))
            return frozenset(str(version["state"]) for version in status["model_version_status"])
        except urllib.error.HTTPError as error:
            return frozenset() if error.code == 404 else None
        except (OSError, ValueError, LookupError, TypeError):
            return None

    def asked_for(self) -> frozenset[str] | None:
        """Names of all models that requests were made to, also of ones that were never there; None: no answer."""
        try:
            with urllib.request.urlopen(self._page, timeout=_ASK_SECONDS) as answer:
                page = answer.read(_PAGE_BYTES)
        except (OSError, ValueError):
            return None
        found = (re.sub(rb"\\(.)", rb"\1", name[1]).decode(errors="replace") for name in _NAMED.finditer(page))
        return frozenset(filter(None, found))

    def wait(self, model: str, holds: Callable[[frozenset[str]], bool], seconds: float) -> bool:
        """Whether its states come to that in time; a server that does not answer may yet."""
        end = self._clock.steady() + seconds
        while True:
            states = self.states(model)
            if states is not None and holds(states):
                return True
            if self._clock.steady() >= end:
                return False
            time.sleep(_LOOK_EVERY_SECONDS)
