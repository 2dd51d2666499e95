"""A chunk of a server's containers: floors first, then the full series of those that could leak."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from leakwatch.errors import LeakwatchError, SourceError
from leakwatch.ports import Labelled
from leakwatch.sample.prometheus_fleet.asking import Asker, Entry
from leakwatch.sample.prometheus_fleet.prefilter import Floors, chosen, query
from leakwatch.sample.prometheus_fleet.server import NAME, Server
from leakwatch.trace import FloatArray, Target, Trace

KEY = ("cluster", "namespace", "pod", "container")
COLUMNS = {"container_memory_rss": "anon_bytes", "container_memory_working_set_bytes": "working_set_bytes"}
LIMITS = ("container_spec_memory_limit_bytes{{{0}}}", 'kube_pod_container_resource_limits{{resource="memory",{0}}}')
REQUESTS = (
    ":tensorflow:serving:request_count",
    "nv_inference_request_success",
    "ts_inference_requests_total",
    "vllm:request_success_total",
    "http_requests_total",
    "http_server_requests_seconds_count",
)
"""Counters of requests, a pod's added up; a pod that has several is counted by the first of these."""

LARGEST_LIMIT_BYTES = 2.0**60
"""cAdvisor of old writes the largest number that the kernel knows where there is no limit."""

Key = tuple[str, ...]
Points = tuple[FloatArray, FloatArray]


@dataclass(frozen=True, slots=True)
class PrometheusChunk:
    """Some containers of a server and the time that is asked for; see `leakwatch.ports.Chunk`."""

    number: int
    server: Server
    metric: str
    selector: tuple[str, ...]
    containers: tuple[dict[str, str], ...]
    since: float
    until: float
    step: float
    prefilter: bool

    def read(self) -> Iterator[Labelled | LeakwatchError]:
        """Each container with its labels; an empty trace where the prefilter settled it."""
        try:
            with Asker(self.server) as asker:
                asked = self._asked(asker)
                wanted = [one for one, yes in zip(self.containers, asked, strict=True) if yes]
                traces = self._traces(asker, wanted) if wanted else {}
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            what = f"{self.server.shown}: no answer of Prometheus ({type(error).__name__})"
            yield SourceError(NAME, what, "check the address; a chunk of containers is left out")
            return
        except LeakwatchError as error:
            yield LeakwatchError(f"{error} ({len(self.containers)} containers are left out)")
            return
        for one, yes in zip(self.containers, asked, strict=True):
            if not yes:
                yield dict(one), None
            elif (trace := traces.get(_key(one))) is not None:
                yield dict(one), trace

    def _asked(self, asker: Asker) -> list[bool]:
        if not self.prefilter:
            return [True] * len(self.containers)
        selector = f"{self.metric}{{{','.join((_matchers(self.containers, KEY), *self.selector))}}}"
        told: dict[Key, dict[str, float]] = defaultdict(dict)
        for entry in asker.vector(query(selector, self.until - self.since), self.until):
            told[_key(entry["metric"])][entry["metric"]["floor"]] = float(entry["value"][1])
        floors = [Floors(**told.get(_key(one), {})) for one in self.containers]
        return chosen(floors, [workload_of(one) for one in self.containers])

    def _traces(self, asker: Asker, wanted: Sequence[Mapping[str, str]]) -> dict[Key, Trace]:
        within = ",".join((_matchers(wanted, KEY), *self.selector))
        limits = self._limits(asker, _matchers(wanted, KEY))
        requests = self._requests(asker, wanted)
        names = "|".join(COLUMNS)
        by_column: dict[Key, dict[str, list[Points]]] = defaultdict(lambda: defaultdict(list))
        memory = f'{{__name__=~"{names}",{within}}}'
        for entry in asker.matrix(memory, self.since, self.until, self.step):
            labels = entry["metric"]
            by_column[_key(labels)][COLUMNS[labels["__name__"]]].append(_points(entry))
        traces = {}
        for one in wanted:
            key = _key(one)
            columns = {name: _one_after_the_other(parts) for name, parts in by_column[key].items()}
            if key[:-1] in requests:
                columns["requests_total"] = requests[key[:-1]]
            if by_column[key]:
                traces[key] = _trace(self.server.shown, key, columns, limits.get(key))
        return traces

    def _limits(self, asker: Asker, within: str) -> dict[Key, float]:
        for metric in LIMITS:
            entries = asker.vector(f"max by ({','.join(KEY)}) ({metric.format(within)})", self.until)
            found = {_key(entry["metric"]): float(entry["value"][1]) for entry in entries}
            known = {key: limit for key, limit in found.items() if 0 < limit < LARGEST_LIMIT_BYTES}
            if found:
                return known
        return {}

    def _requests(self, asker: Asker, wanted: Sequence[Mapping[str, str]]) -> dict[Key, Points]:
        names = "|".join(REQUESTS)
        pods = _matchers(wanted, KEY[:-1])
        parts: dict[tuple[Key, str], list[Points]] = defaultdict(list)
        counted = f'sum by ({",".join(KEY[:-1])},__name__) ({{__name__=~"{names}",{pods}}})'
        for entry in asker.matrix(counted, self.since, self.until, self.step):
            parts[_key(entry["metric"])[:-1], entry["metric"].get("__name__", "")].append(_points(entry))
        found: dict[Key, Points] = {}
        for (key, _), points in sorted(parts.items(), key=lambda item: _rank(item[0][1])):
            found.setdefault(key, _one_after_the_other(points))
        return found


def _matchers(of: Sequence[Mapping[str, str]], names: Sequence[str]) -> str:
    """What selects these containers (and, of many namespaces, perhaps some others)."""
    values = {name: sorted({one[name] for one in of if name in one}) for name in names}
    return ",".join(f"{name}=~{quoted('|'.join(map(re.escape, some)))}" for name, some in values.items() if some)


def quoted(value: str) -> str:
    """A value as PromQL writes it."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def workload_of(labels: Mapping[str, str]) -> str | None:
    """The workload whose replicas the prefilter compares; of a bare pod, what its name has before the hashes."""
    name = labels.get("workload") or labels.get("pod", "").rpartition("-")[0].rpartition("-")[0]
    return f"{labels.get('namespace', '')}/{name}/{labels['container']}" if name else None


def _rank(name: str) -> int:
    return REQUESTS.index(name) if name in REQUESTS else len(REQUESTS)


def _key(labels: Mapping[str, str]) -> Key:
    return tuple(labels.get(name, "") for name in KEY)


def _points(entry: Entry) -> Points:
    points = np.array(entry["values"], dtype=np.float64).reshape(-1, 2)
    return points[:, 0], points[:, 1]


def _one_after_the_other(parts: Sequence[Points]) -> Points:
    """Pieces of time, and the series of containers that replaced one another: each counts from its first point on."""
    times, values = np.empty(0), np.empty(0)
    for time, value in sorted(parts, key=lambda part: part[0][0]):
        before = times < time[0]
        times, values = np.concatenate([times[before], time]), np.concatenate([values[before], value])
    return times, values


def _trace(source: str, key: Key, columns: Mapping[str, Points], limit: float | None) -> Trace:
    axis = np.unique(np.concatenate([time for name, (time, _) in columns.items() if name != "requests_total"]))
    arrays = {}
    for name, (time, value) in columns.items():
        array = np.full(len(axis), np.nan)
        seen = np.isin(time, axis)
        array[np.searchsorted(axis, time[seen])] = value[seen]
        arrays[name] = array
    return Trace(Target(source, "/".join(part for part in key if part)), axis, arrays, limit)
