"""Which containers a server knows, with the labels that they are grouped by, cut into chunks."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from leakwatch.errors import LeakwatchError
from leakwatch.sample.datasets.chunks import Dataset
from leakwatch.sample.prometheus_fleet.asking import Asker, Entry
from leakwatch.sample.prometheus_fleet.chunk import PrometheusChunk, quoted
from leakwatch.sample.prometheus_fleet.server import Server

CONTAINERS_A_CHUNK = 100
MEMORY = ("container_memory_rss", "container_memory_working_set_bytes")
"""The first that the server has is what containers are found by; rss is the anonymous memory of the cgroup."""

PLACE = ("cluster", "namespace", "pod")
_MATCHER = re.compile(r"\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^,\"{}]*))\s*")
_HASH_OF_A_REPLICA_SET = re.compile(r"(.+)-[a-z0-9]{6,10}")

Key = tuple[str, ...]


def matchers(selector: str) -> tuple[str, ...]:
    """``app=serving,pod=~"a.*"`` as PromQL matchers, quoted.

    Raises:
        ValueError: it is none.
    """
    found, rest = [], selector.strip().removeprefix("{").removesuffix("}")
    while rest.strip():
        match = _MATCHER.match(rest)
        if match is None or (rest[match.end() :] and rest[match.end()] != ","):
            raise ValueError(f'{selector!r} is no selector; write for example cluster=eu,pod=~"serving-.*"')
        name, relation, in_quotes, plain = match.groups()
        value = quoted(plain.strip()) if in_quotes is None else f'"{in_quotes}"'
        found.append(f"{name}{relation}{value}")
        rest = rest[match.end() + 1 :]
    return tuple(found)


def survey(
    server: Server,
    namespaces: Sequence[str],
    selector: Sequence[str],
    since: float,
    until: float,
    step: float,
    *,
    prefilter: bool,
) -> Dataset:
    """Find the containers that live at ``until`` by one instant query, and their images and nodes by two more.

    Args:
        selector: PromQL matchers, see `matchers`.
        step: seconds between the points that are asked for.

    Raises:
        LeakwatchError: the server does not answer, or has no memory of such containers.
    """
    common = [*selector, *(["namespace=~" + quoted(_any_of(namespaces))] if namespaces else [])]
    with Asker(server) as asker:
        metric, found = _containers(asker, common, until)
        if not found:
            what = f"prometheus: {server.shown} has no memory of such containers"
            raise LeakwatchError(f"{what}; check -n and -l, and that it scrapes cAdvisor")
        pods = _told(asker, "kube_pod_info", (*PLACE, "node", "created_by_kind", "created_by_name"), namespaces, until)
        images = _told(asker, "kube_pod_container_info", (*PLACE, "container", "image"), namespaces, until)
    labels = [_labels(one, pods, images) for one in found]
    labels.sort(
        key=lambda one: [one.get(name, "") for name in ("cluster", "namespace", "workload", "pod", "container")]
    )
    return Dataset(
        chunks=tuple(
            PrometheusChunk(number, server, metric, tuple(selector), tuple(part), since, until, step, prefilter)
            for number, part in enumerate(_parts(labels))
        ),
        containers=len(labels),
        start_seconds=since,
        end_seconds=until,
        unreadable=(),
        fingerprint=_fingerprint(server, selector, labels, step, prefilter),
    )


def _containers(asker: Asker, common: Sequence[str], until: float) -> tuple[str, list[dict[str, str]]]:
    by = ",".join((*PLACE, "container", "image", "node", "kubernetes_io_hostname"))
    for metric in MEMORY:
        selector = "{" + ",".join(('container!=""', 'container!="POD"', *common)) + "}"
        entries = asker.vector(f"max by ({by}) ({metric}{selector})", until)
        if entries:
            return metric, list(_each_once(_labels_of(entry) for entry in entries))
    return MEMORY[0], []


def _told(asker: Asker, metric: str, by: Sequence[str], namespaces: Sequence[str], until: float) -> dict[Key, Entry]:
    """What kube-state-metrics tells, by cluster, namespace, pod (and container); nothing where it is not scraped."""
    within = "{namespace=~" + quoted(_any_of(namespaces)) + "}" if namespaces else ""
    names = [name for name in (*PLACE, "container") if name in by]
    entries = asker.vector(f"max by ({','.join(by)}) ({metric}{within})", until)
    return {tuple(one.get(name, "") for name in names): one for one in map(_labels_of, entries)}


def _labels_of(entry: Entry) -> dict[str, str]:
    return {str(name): str(value) for name, value in entry["metric"].items() if value}


def _each_once(found: Iterable[dict[str, str]]) -> Iterator[dict[str, str]]:
    """A container that was replaced a moment ago has two series."""
    seen: set[Key] = set()
    for one in found:
        key = tuple(one.get(name, "") for name in (*PLACE, "container"))
        if key not in seen:
            seen.add(key)
            yield one


def _labels(one: Mapping[str, str], pods: Mapping[Key, Entry], images: Mapping[Key, Entry]) -> dict[str, str]:
    place = tuple(one.get(name, "") for name in PLACE)
    pod = pods.get(place) or pods.get(("", *place[1:])) or {}
    image = images.get((*place, one["container"])) or images.get(("", *place[1:], one["container"])) or {}
    told = {
        **{name: one.get(name) for name in (*PLACE, "container")},
        "image": image.get("image") or one.get("image"),
        "node": pod.get("node") or one.get("node") or one.get("kubernetes_io_hostname"),
        "workload": _workload(pod.get("created_by_kind"), pod.get("created_by_name")),
    }
    return {name: value for name, value in told.items() if value}


def _workload(kind: str | None, name: str | None) -> str | None:
    """A ReplicaSet's Deployment is its name without the hash; a bare pod's maker is no workload."""
    if kind is None or name is None or name == "<none>":
        return None
    match = _HASH_OF_A_REPLICA_SET.fullmatch(name) if kind == "ReplicaSet" else None
    return match.group(1) if match else name


def _parts(labels: Sequence[dict[str, str]]) -> Iterator[list[dict[str, str]]]:
    """Replicas of a workload stay together where they fit: the prefilter compares them."""
    workloads: dict[Key, list[dict[str, str]]] = defaultdict(list)
    for one in labels:
        pod = one.get("pod", "")
        name = one.get("workload") or pod.rpartition("-")[0].rpartition("-")[0] or pod
        workloads[one.get("cluster", ""), one.get("namespace", ""), name].append(one)
    part: list[dict[str, str]] = []
    for members in workloads.values():
        if part and len(part) + len(members) > CONTAINERS_A_CHUNK:
            yield part
            part = []
        for one in members:
            part.append(one)
            if len(part) == CONTAINERS_A_CHUNK:
                yield part
                part = []
    if part:
        yield part


def _any_of(names: Sequence[str]) -> str:
    return "|".join(re.escape(name) for name in names)


def _fingerprint(
    server: Server, selector: Sequence[str], labels: Sequence[dict[str, str]], step: float, prefilter: bool
) -> str:
    text = repr((server.url, server.tenant, tuple(selector), [sorted(one.items()) for one in labels], step, prefilter))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]
