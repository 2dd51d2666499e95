"""A container whose series a Prometheus server has: its memory now, and its past.

Needs: the server's address, and scrapes of cAdvisor (the kubelet's /metrics/cadvisor); of kube-state-metrics too for
restarts and limits. Cannot see: anything between two scrapes (15 s to 60 s), pressure, and which process holds the
memory. Names: https://github.com/google/cadvisor/blob/master/docs/storage/prometheus.md and
https://github.com/kubernetes/kube-state-metrics/blob/main/docs/metrics/workload/pod-metrics.md
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
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

PAST = tuple(metric for metric in COLUMNS if metric.startswith(("container_memory_w", "container_memory_u"))) + (
    "container_memory_rss",
    "container_memory_cache",
    "container_spec_memory_limit_bytes",
)
"""What is asked of the past."""

QUERY_SECONDS = 4.0
PAST_SECONDS = 30.0
ANSWER_BYTES = 64 * 1024 * 1024
"""Eleven thousand points of five series are 2 MiB."""

MOST_POINTS = 10_000
"""A server refuses a range of more than 11,000 points a series."""

SHORTEST_STEP_SECONDS = 15.0
"""The usual shortest time between two scrapes."""


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
        vectors = self._ask(QUERY_SECONDS, lambda client: client.custom_query(self._query(COLUMNS)))
        series = [(dict(vector["metric"]), _number(vector["value"][1])) for vector in vectors]
        identity = self._one_container([labels for labels, _ in series])
        values = {}
        for labels, value in series:
            column = COLUMNS.get(labels.get("__name__", ""))
            if column is not None and value is not None and labels.get("id", identity) == identity:
                values[column] = value
        if values.keys().isdisjoint(("working_set_bytes", "usage_bytes", "anon_bytes")):
            raise self._unknown()
        return Sample(now_seconds, values, life=f"{NAME}:{identity}")

    def history(self, since_seconds: float, until_seconds: float) -> Trace:
        """The past between two moments, at most `MOST_POINTS` samples, on the scrapes' own grid or a coarser one.

        Raises:
            SourceError: as `read`.
        """
        step = max(SHORTEST_STEP_SECONDS, math.ceil((until_seconds - since_seconds) / MOST_POINTS))
        since, until = (datetime.fromtimestamp(at, UTC) for at in (since_seconds, until_seconds))
        ask = self._query(PAST)
        matrix = self._ask(PAST_SECONDS, lambda client: client.custom_query_range(ask, since, until, str(step)))
        series = [_series_of(entry) for entry in matrix]
        self._one_container([each.labels for each in series])
        try:
            traces = join(self._shown, list(_one_after_the_other(series)))
        except TraceError as error:
            raise SourceError(NAME, str(error), "query cAdvisor's metrics") from None
        if not traces:
            raise self._unknown()
        longest = max(traces, key=lambda trace: len(trace.time_seconds))
        return Trace(
            Target(self._shown, self._place.container),
            longest.time_seconds,
            longest.columns,
            longest.limit_bytes or None,
            notes=longest.notes,
        )

    def close(self) -> None:
        """Close the connections; the next read opens others."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def _query(self, metrics: Iterable[str]) -> str:
        wanted = {"container": self._place.container, "pod": self._place.pod, "namespace": self._place.namespace}
        labels = [f"{label}={_quoted(value)}" for label, value in wanted.items() if value is not None]
        return "{" + ",".join([f'__name__=~"{"|".join(metrics)}"', *labels]) + "}"

    def _ask(self, seconds: float, question: Any) -> Sequence[Any]:
        import requests
        from prometheus_api_client import PrometheusApiClientException, PrometheusConnect

        if seconds not in self._clients:
            # Trying again is the loop's matter; the client would do it three times while we wait.
            client = PrometheusConnect(self._url, retry=requests.adapters.Retry(0), timeout=int(seconds))
            bound_session(client._session, seconds, ANSWER_BYTES)
            self._clients[seconds] = client
        try:
            answer = question(self._clients[seconds])
            if isinstance(answer, list):
                return answer
            what, fix = "the answer holds no result", "check that it is Prometheus's address"
        except PrometheusApiClientException as error:
            what, fix = f"refused the query ({shown(str(error), 160)})", "check the address and the right to ask it"
        except (requests.ConnectionError, ConnectionRefusedError):
            what, fix = "no connection", "check the address and whether it runs"
        except (requests.Timeout, TimeoutError):
            what, fix = f"no whole answer within {seconds:g} s", "check whether it is overloaded"
        except AnswerTooLargeError as error:
            what, fix = str(error), "check that it is Prometheus's address"
        except (requests.RequestException, OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            what, fix = f"no answer of Prometheus ({type(error).__name__})", "check that it is Prometheus's address"
        self.close()
        raise SourceError(NAME, f"{self._shown}: {what}", fix)

    def _one_container(self, labels: Sequence[Mapping[str, str]]) -> str:
        """The id of the newest container of the one pod that is meant."""
        pods = sorted({each["pod"] for each in labels if each.get("pod")})
        if len(pods) > 1:
            what = f"{len(pods)} pods have a container {shown(self._place.container, 60)}"
            raise SourceError(NAME, what, f"name one with pod: {', '.join(shown(pod, 60) for pod in pods[:3])}")
        if not labels:
            raise self._unknown()
        return next((each["id"] for each in labels if each.get("id")), pods[0] if pods else "")

    def _unknown(self) -> SourceError:
        what = f"{self._shown} has no memory of container {shown(self._place.container, 60)}"
        return SourceError(NAME, what, "check its labels there (container, pod, namespace)", gone=True)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _number(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None
