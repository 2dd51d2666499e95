"""What a TensorFlow Serving says of its models, asked once: what the playbooks ask about."""

import time
from collections.abc import Sequence

from leakwatch.errors import SourceError
from leakwatch.sample.exposition import read_page, types_of
from leakwatch.sample.serving import tf_serving
from leakwatch.sample.serving.model_status import VersionStatus, read_status
from leakwatch.sample.serving.page import Page
from leakwatch.sample.serving.reading import Reading
from playbooks.types import ModelVersion, ServerState

METRICS_PATH = "/monitoring/prometheus/metrics"
"""The default of ``prometheus_config.path`` (config/monitoring_config.proto)."""

STATES_SECONDS = 20.0
"""A server with a thousand models answers for all of them in a few seconds."""


def server_state_of(url: str, models: Sequence[str] = ()) -> ServerState:
    """The state of a server; one that refuses the connection takes none, which is an answer.

    Args:
        url: of its REST port. Every question about a model counts in its ``request_count``.
        models: to be asked for; where none is named, those that its metrics page knows. There is no list of all models.

    Raises:
        SourceError: the URL is none, the server hangs or is slow, or it is no TensorFlow Serving.
    """
    page = Page("tf_serving", url)
    try:
        metrics = _metrics(page)
        named = tuple(models) or (tuple(sorted(metrics.models)) if metrics else ())
        told = _states_of(page, named)
    except SourceError as error:
        if isinstance(error.__cause__, ConnectionRefusedError):
            return ServerState(answers=False)
        raise
    finally:
        page.close()
    failed = metrics.values.get("model_loads_failed_total") if metrics else None
    known = bool(named)
    return ServerState(
        kind="tf_serving" if known else None,
        answers=True,
        versions=tuple(
            ModelVersion(one.model, str(one.version), one.state.value, one.error or "")
            for versions in told.values()
            for one in reversed(versions)
        )
        if known
        else None,
        models_missing=tuple(model for model, versions in told.items() if not versions) if known else None,
        load_failures=None if failed is None else int(failed),
    )


def _states_of(page: Page, models: Sequence[str]) -> dict[str, tuple[VersionStatus, ...]]:
    """What it says of each; not to ask the rest would make a failed version look like none."""
    ends_at = time.monotonic() + STATES_SECONDS
    told: dict[str, tuple[VersionStatus, ...]] = {}
    for model in models:
        if time.monotonic() > ends_at:
            what = f"{len(told)} of {len(models)} models' states took {STATES_SECONDS:g} s"
            raise SourceError("tf_serving", what, "check whether the server hangs")
        told[model] = read_status(page, model)
    return told


def _metrics(page: Page) -> Reading | None:
    """What the metrics page holds; None where it is not switched on."""
    status, body = page.read(METRICS_PATH)
    if status != 200:
        return None
    return tf_serving.read(read_page(body, tf_serving.WANTED), types_of(body))
