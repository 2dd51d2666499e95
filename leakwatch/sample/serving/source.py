"""A model server's page as a source of samples."""

from collections.abc import Callable, Container, Iterable, Mapping
from types import MappingProxyType

from leakwatch.errors import SourceError
from leakwatch.sample.exposition import PageSample, read_page, types_of
from leakwatch.sample.serving import prometheus_client, tf_serving, torchserve, triton
from leakwatch.sample.serving.loading import Loading
from leakwatch.sample.serving.page import Page
from leakwatch.sample.serving.reading import Reading, between
from leakwatch.settings import ServingKind, ServingSettings
from leakwatch.trace import Sample

Reader = Callable[[Iterable[PageSample], frozenset[str]], Reading]

READERS: Mapping[ServingKind, tuple[Container[str], Reader]] = MappingProxyType(
    {
        ServingKind.TF_SERVING: (tf_serving.WANTED, tf_serving.read),
        ServingKind.TRITON: (triton.WANTED, triton.read),
        ServingKind.TORCHSERVE: (torchserve.WANTED, torchserve.read),
        ServingKind.PROMETHEUS_CLIENT: (prometheus_client.WANTED, prometheus_client.read),
    }
)
"""Which names of a page are read, and what is made of them."""

HOW_TO_SWITCH_ON = {
    ServingKind.TF_SERVING: "start it with --rest_api_port and with --monitoring_config_file naming a file that holds "
    "prometheus_config { enable: true }",
    ServingKind.TRITON: "start it with --allow-metrics=true; its page is on port 8002",
    ServingKind.TORCHSERVE: "set metrics_mode=prometheus in config.properties; its page is on port 8082",
    ServingKind.PROMETHEUS_CLIENT: "check the path of the page",
}
"""What makes the page appear, for the message where it is not there."""


class ServingSource:
    """Requests, loads, latency, queue and batches of a model server, and the memory of its GPUs where it tells.

    Needs the page's address. Cannot see the container's memory: no such page tells it.
    """

    blind_to = ("the memory of the container: no model server's page tells it",)

    def __init__(self, settings: ServingSettings) -> None:
        self.name: str = settings.kind.value
        self._kind = settings.kind
        self._wanted, self._reader = READERS[settings.kind]
        self._page = Page(self.name, settings.metrics_url)
        self._loading = Loading(settings) if settings.kind is ServingKind.TF_SERVING else None
        self._before: Reading | None = None

    def read(self, now_seconds: float) -> Sample:
        """What the page tells now, and what it tells of the time since the last look.

        Raises:
            SourceError: no page, or one that is none of this server's.
        """
        body = self._body()
        types = types_of(body)
        reading = self._reader(read_page(body, self._wanted), types)
        if not reading.values and not types:
            what = f"{self._page.shown} is no page of metrics"
            raise SourceError(self.name, what, HOW_TO_SWITCH_ON[self._kind])
        columns = between(self._before, reading)
        self._before = reading
        columns["page_bytes"] = float(len(body))
        loading = self._loading.count(columns, now_seconds) if self._loading is not None else None
        if loading is not None:
            columns["models_loading"] = loading
        return Sample(now_seconds, columns)

    def close(self) -> None:
        """Close the connections."""
        self._page.close()
        if self._loading is not None:
            self._loading.close()

    def _body(self) -> bytes:
        status, body = self._page.read()
        if status != 200:
            fix = HOW_TO_SWITCH_ON[self._kind] if status == 404 else "check what answers there"
            raise SourceError(self.name, f"{self._page.shown} answers {status}", fix)
        return body
