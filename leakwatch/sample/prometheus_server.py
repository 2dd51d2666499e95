"""A container whose series a Prometheus server has: its memory now, and its past.

Needs: the server's address, and scrapes of cAdvisor (the kubelet's /metrics/cadvisor); of kube-state-metrics too for
restarts and limits. Cannot see: anything between two scrapes (15 s to 60 s), pressure, and which process holds the
memory. Names: https://github.com/google/cadvisor/blob/master/docs/storage/prometheus.md and
https://github.com/kubernetes/kube-state-metrics/blob/main/docs/metrics/workload/pod-metrics.md
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import numpy as np

from leakwatch.errors import SourceError, TraceError
from leakwatch.quantities import shown
from leakwatch.sample.bounded_answers import AnswerTooLargeError, bound_session
from leakwatch.sample.trace_files.labelled import Series, join
from leakwatch.settings import PrometheusPlace
from leakwatch.trace import Sample, Target, Trace

if TYPE_CHECKING:
    from prometheus_api_client import PrometheusConnect

NAME = "prometheus"

T = TypeVar("T")

COLUMNS = {
    "container_memory_working_set_bytes": "working_set_bytes",
    "container_memory_usage_bytes": "usage_bytes",
    "container_memory_rss": "anon_bytes",
    "container_memory_cache": "file_bytes",
    "container_memory_kernel_usage": "kernel_bytes",
    "container_memory_max_usage_bytes": "peak_bytes",
    "container_memory_failcnt": "limit_hits_total",
    "container_oom_events_total": "oom_kills_total",
    "container_spec_memory_limit_bytes": "limit_bytes",
    "container_cpu_usage_seconds_total": "cpu_seconds_total",
    "container_threads": "threads",
    "container_file_descriptors": "open_fds",
    "kube_pod_container_status_restarts_total": "restarts_total",
}
"""Column of a sample by metric; cAdvisor's rss is the cgroup's anonymous memory."""

PAST = (
    "container_memory_working_set_bytes",
    "container_memory_usage_bytes",
    "container_memory_rss",
    "container_memory_cache",
    "container_spec_memory_limit_bytes",
)
"""What is asked of the past."""

STARTED = "container_start_time_seconds"
"""Tells the newest container from the one that it replaced, whose series linger for five minutes."""

QUERY_SECONDS = 4.0
PAST_SECONDS = 30.0
ANSWER_BYTES = 16 * 1024 * 1024
"""Four thousand points of five series are half a MiB."""

MOST_POINTS = 4000
"""Of a series of the past; the detectors reduce them to some hundred. A server refuses more than 11,000."""

USUAL_SCRAPE_SECONDS = 60.0


class PrometheusSource:
    """One container's series; a new container id behind the same name is another life.

    It is a `leakwatch.ports.History` as well.
    """

    name = NAME
    blind_to = (
        "what happens between two scrapes: watch the container itself where a leak may take minutes",
        "memory pressure and kills of the life before: cAdvisor's counters go with the container",
    )

    def __init__(self, place: PrometheusPlace) -> None:
        parts = urlsplit(place.url)
        self._place = place
        self._url = place.url.rstrip("/")
        self._shown = f"{parts.hostname or place.url}:{parts.port}" if parts.port else str(parts.hostname or place.url)
        self._clients: dict[float, PrometheusConnect] = {}

    def read(self, now_seconds: float) -> Sample:
        """The newest values, by the server's own clock.

        Raises:
            SourceError: no answer, or none that is Prometheus's; no such container, or no longer (``gone``).
        """
        query = self._query((*COLUMNS, STARTED))
        vectors = self._ask(QUERY_SECONDS, lambda client: client.custom_query(query), _vector_of)
        self._refuse_several_pods([labels for labels, _ in vectors])
        identity = _newest_id(vectors)
        values = {}
        for labels, value in vectors:
            column = COLUMNS.get(labels.get("__name__", ""))
            if column is not None and math.isfinite(value) and labels.get("id", identity) == identity:
                values[column] = value
        if values.keys().isdisjoint(("working_set_bytes", "usage_bytes", "anon_bytes")):
            raise self._unknown()
        return Sample(now_seconds, values, life=f"{NAME}:{identity}")

    def history(self, since_seconds: float, until_seconds: float) -> Trace:
        """The past between two moments: a sample a scrape, or fewer where that were more than `MOST_POINTS`.

        Raises:
            SourceError: as `read`.
        """
        step = max(self._scrape_seconds(until_seconds), math.ceil((until_seconds - since_seconds) / MOST_POINTS))
        since, until = (datetime.fromtimestamp(at, UTC) for at in (since_seconds, until_seconds))
        query = self._query(PAST)
        series = self._ask(
            PAST_SECONDS, lambda client: client.custom_query_range(query, since, until, f"{step:g}"), _series_of
        )
        self._refuse_several_pods([each.labels for each in series])
        try:
            traces = join(self._shown, _one_after_the_other(series))
        except TraceError as error:
            raise SourceError(NAME, str(error), "check what it scrapes") from None
        if not traces or not len(traces[0].time_seconds):
            raise self._unknown()
        return replace(traces[0], target=Target(self._shown, self._place.container))

    def pods(self) -> list[tuple[str | None, str]]:
        """Namespace and name of every pod that has the container now.

        Raises:
            SourceError: as `read`.
        """
        query = f"count by (namespace, pod) ({self._query(PAST[:1])})"
        found = self._ask(QUERY_SECONDS, lambda client: client.custom_query(query), _vector_of)
        return [(labels.get("namespace"), labels["pod"]) for labels, _ in found if labels.get("pod")]

    def _scrape_seconds(self, until_seconds: float) -> float:
        """How far apart its points are; asked finer than that, a range repeats them."""
        query = f"{self._query(PAST[:1])}[15m]"
        at = {"time": until_seconds}
        series = self._ask(QUERY_SECONDS, lambda client: client.custom_query(query, params=at), _series_of)
        steps = np.concatenate([np.diff(each.time_seconds) for each in series] or [np.empty(0)])
        return max(1.0, round(float(np.median(steps)))) if steps.size else USUAL_SCRAPE_SECONDS

    def close(self) -> None:
        """Close the connections; the next read opens others."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def _query(self, metrics: Iterable[str]) -> str:
        wanted = {"container": self._place.container, "pod": self._place.pod, "namespace": self._place.namespace}
        labels = [f"{label}={_quoted(value)}" for label, value in wanted.items() if value is not None]
        return "{" + ",".join([f'__name__=~"{"|".join(metrics)}"', *labels]) + "}"

    def _ask(
        self, seconds: float, question: "Callable[[PrometheusConnect], Any]", read: "Callable[[Any], T]"
    ) -> "list[T]":
        """Every entry of the answer, read; whatever is wrong with it is one `SourceError`."""
        import requests
        from prometheus_api_client.exceptions import PrometheusApiClientException

        try:
            return [read(entry) for entry in question(self._client(seconds))]
        except PrometheusApiClientException as error:
            what, fix = f"refused the query ({shown(str(error), 160)})", "check the address and the right to ask it"
        except (requests.Timeout, TimeoutError):
            what, fix = f"no whole answer within {seconds:g} s", "check whether it is overloaded"
        except AnswerTooLargeError as error:
            what, fix = str(error), "check that it is Prometheus's address"
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            what, fix = "no connection, or it was cut off", "check the address and whether it runs"
        except (requests.RequestException, OSError, ValueError, LookupError, TypeError, RecursionError) as error:
            what, fix = f"no answer of Prometheus ({type(error).__name__})", "check that it is Prometheus's address"
        self.close()
        raise SourceError(NAME, f"{self._shown}: {what}", fix) from None

    def _client(self, seconds: float) -> "PrometheusConnect":
        import requests
        from prometheus_api_client import PrometheusConnect
        from urllib3.util import Retry

        if seconds not in self._clients:
            session = requests.Session()
            bound_session(session, seconds, ANSWER_BYTES)
            # Trying again is the loop's matter; the client would do it three times while we wait.
            client = PrometheusConnect(self._url, retry=Retry(0, read=False), session=session, timeout=seconds)
            self._clients[seconds] = client
        return self._clients[seconds]

    def _refuse_several_pods(self, labels: Sequence[Mapping[str, str]]) -> None:
        pods = sorted({each["pod"] for each in labels if each.get("pod")})
        if len(pods) > 1:
            what = f"{len(pods)} pods have a container {shown(self._place.container, 60)}"
            raise SourceError(NAME, what, f"name one with pod: {', '.join(shown(pod, 60) for pod in pods[:3])}")

    def _unknown(self) -> SourceError:
        what = f"{self._shown} has no memory of container {shown(self._place.container, 60)}"
        return SourceError(NAME, what, "check its labels there (container, pod, namespace)", gone=True)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _vector_of(entry: Any) -> tuple[dict[str, str], float]:
    """Labels and value of an entry of a vector."""
    return {str(name): str(value) for name, value in entry["metric"].items()}, float(entry["value"][1])


def _series_of(entry: Any) -> Series:
    """An entry of a matrix."""
    points = np.array(entry["values"], dtype=np.float64).reshape(-1, 2)
    labels = {str(name): str(value) for name, value in entry["metric"].items()}
    return Series(labels.pop("__name__", ""), labels, points[:, 0], points[:, 1], np.ones(len(points), dtype=np.int64))


def _newest_id(vectors: Sequence[tuple[Mapping[str, str], float]]) -> str:
    """The id of the container that was started last; empty where no series has one."""
    started: dict[str, float] = {}
    for labels, value in vectors:
        if "id" in labels:
            at = value if labels.get("__name__") == STARTED else 0.0
            started[labels["id"]] = max(at, started.get(labels["id"], 0.0))
    return max(started, key=lambda identity: (started[identity], identity), default="")


def _one_after_the_other(series: Sequence[Series]) -> list[Series]:
    """One series for each metric: where a container was replaced, the new one's points from its first on."""
    metrics: dict[str, list[Series]] = {}
    for each in sorted(series, key=lambda each: each.time_seconds[:1].sum()):
        metrics.setdefault(each.metric, []).append(each)
    joined = []
    for metric, lives in metrics.items():
        times, values = np.empty(0), np.empty(0)
        for life in lives:
            before = times < life.time_seconds[:1].sum()
            times = np.concatenate([times[before], life.time_seconds])
            values = np.concatenate([values[before], life.values])
        joined.append(Series(metric, {}, times, values, np.ones(len(times), dtype=np.int64)))
    return joined
