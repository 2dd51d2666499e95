"""What the model server itself says: its metrics page, and the state of each model version of a TF Serving."""

import json

from leakwatch.sample.exposition import read_page
from leakwatch.sample.serving import tf_serving
from leakwatch.sample.serving.model_status import read_status, status_page
from leakwatch.sample.serving.page import Page
from leakwatch.settings import ServingSettings

MOST_MODELS = 100


def metrics_page(serving: ServingSettings) -> bytes:
    """As it is.

    Raises:
        SourceError, ValueError: it does not answer, or not with a page.
    """
    page = Page(serving.kind, serving.metrics_url)
    try:
        status, body = page.read()
    finally:
        page.close()
    if status != 200:
        raise ValueError(f"{page.shown} answers {status}")
    return body


def model_status(serving: ServingSettings) -> bytes:
    """JSON: of each model that the page knows its versions, newest first; of so many models, by name.

    Raises:
        SourceError, ValueError: the server does not answer.
    """
    models = tf_serving.read(read_page(metrics_page(serving), tf_serving.WANTED), frozenset())
    names, page = sorted(models.models), status_page(serving)
    try:
        told = {name: read_status(page, name) for name in names[:MOST_MODELS]}
    finally:
        page.close()
    versions = {
        name: [{"version": one.version, "state": one.state, "error": one.error} for one in of_model]
        for name, of_model in told.items()
    }
    return json.dumps({"models": versions, "not_asked": len(names) - len(told)}, indent=1).encode()
