"""Memory limits and requests, and what the models need of them."""

from collections.abc import Iterator

from leakwatch.findings import Severity
from leakwatch.lint.project import MODEL_SIZE_ANNOTATION, Project, Served, same_namespace
from leakwatch.lint.quantity import docker_bytes, kubernetes_quantity
from leakwatch.lint.rule import Hit, Rule
from leakwatch.lint.subjects import Container, Platform
from leakwatch.lint.wording import listed, number, size

LEAST_BYTES = 6 * 2**20
"""Docker refuses less; a process of any server needs more."""
_LOW_REQUEST = 0.25
_NOT_LIMITED = ("Job", "CronJob")


def no_memory_limit(container: Container, project: Project) -> Iterator[Hit]:
    """A long-running container whose memory nothing bounds; those of a pod that are no model servers together."""
    if not _is_unlimited(container, project):
        return
    names = [container.name]
    if container.server is None:
        others = [one for one in project.containers(container.workload) if one.server is None]
        names = [one.name for one in others if _is_unlimited(one, project)]
        if container.name != names[0]:
            return
    several = len(names) > 1
    who = f"containers {listed(names)} have" if several else f"{container.said} has"
    request = container.memory_request
    asked = f" (it asks for {size(request.value)})" if request is not None and not several else ""
    hint = "; leakwatch plan proposes one" if container.server else ""
    in_pod = container.workload.platform is Platform.KUBERNETES
    line = container.resources.where if container.resources and in_pod and not several else container.line
    yield Hit(
        line,
        f"{who} no memory limit{asked}: a leak takes the whole node, and the kernel may kill another first{hint}",
        severity=None if container.server else Severity.WARNING,
    )


def _is_unlimited(container: Container, project: Project) -> bool:
    platform = container.workload.platform
    if container.is_init or container.workload.kind in _NOT_LIMITED or container.memory_limit is not None:
        return False
    if not container.image and platform is not Platform.COMPOSE or platform is Platform.SCRIPT and not container.server:
        return False
    if container.workload.pod.at("resources", "limits", "memory"):  # of the pod as a whole, since Kubernetes 1.34
        return False
    if container.resources.at("limits", "memory") or project.patched(container, "resources", "limits", "memory"):
        return False
    return not _limited_by_default(container, project)


def _limited_by_default(container: Container, project: Project) -> bool:
    for limits in project.resources("LimitRange"):
        if same_namespace(limits.namespace, container.workload.namespace) and any(
            one.at("default", "memory") for one in limits.node.at("spec", "limits").items
        ):
            return True
    return False


def limit_unit(container: Container, project: Project) -> Iterator[Hit]:
    """A limit or request that is a few bytes, because its unit is another's."""
    if container.workload.platform not in (Platform.KUBERNETES, Platform.COMPOSE):
        return
    for amount in (container.memory_limit, container.memory_request):
        if amount is None or amount.value >= LEAST_BYTES or amount.value == 0:
            continue
        text, meant = amount.node.text.strip(), ""
        if container.workload.platform is Platform.KUBERNETES and text.endswith("m"):
            meant = f"{text[:-1]}Mi"
        elif text.isdigit():
            meant = f"{text}Mi" if container.workload.platform is Platform.KUBERNETES else f"{text}m"
        hint = f"; {meant} is meant, perhaps" if meant else ""
        yield Hit(
            amount.node.line,
            f"memory: {text} is {number(amount.value)} bytes{hint}",
            container.source.replaced(amount.node.line, text, meant) if meant else (),
        )


def bad_quantity(container: Container, project: Project) -> Iterator[Hit]:
    """A size that its platform cannot read."""
    kubernetes = container.workload.platform is Platform.KUBERNETES
    if not kubernetes and container.workload.platform is not Platform.COMPOSE:
        return
    reads = kubernetes_quantity if kubernetes else docker_bytes
    where = [("limits", "memory"), ("requests", "memory")] if kubernetes else []
    nodes = [container.resources.at(*path) for path in where]
    nodes += [] if kubernetes else [container.node[key] for key in ("mem_limit", "mem_reservation", "shm_size")]
    nodes += [] if kubernetes else [container.node.at("deploy", "resources", "limits", "memory")]
    for node in nodes:
        if node and node.text and "$" not in node.text and reads(node.text) is None:
            right = node.text.strip().removesuffix("B").removesuffix("b") if kubernetes else ""
            mended = right if right and reads(right) is not None else ""
            hint = (
                f"; write {mended}" if mended else "; write for example 8Gi" if kubernetes else "; write for example 8g"
            )
            edits = container.source.replaced(node.line, node.text, mended) if mended else ()
            yield Hit(node.line, f"{node.text!r} is no size that {container.workload.platform} reads{hint}", edits)


def request_over_limit(container: Container, project: Project) -> Iterator[Hit]:
    """More asked for than allowed."""
    limit, request = container.memory_limit, container.memory_request
    if limit is not None and request is not None and request.value > limit.value:
        says = f"request of {size(request.value)} is over the limit of {size(limit.value)}"
        yield Hit(request.node.line, f"{container.said}: the memory {says}, and is refused")


def request_far_below_limit(container: Container, project: Project) -> Iterator[Hit]:
    """A server that grows to its limit on a node that was filled by its request."""
    limit, request = container.memory_limit, container.memory_request
    if (
        container.server is None
        or limit is None
        or request is None
        or not 0 < request.value < _LOW_REQUEST * limit.value
    ):
        return
    yield Hit(
        request.node.line,
        f"{container.said} asks for {size(request.value)} and may take {size(limit.value)}, "
        f"{number(limit.value / request.value)} times as much: its memory does not fall with the load, so under node "
        "pressure it is among the first evicted",
    )


def limit_under_two_models(container: Container, project: Project) -> Iterator[Hit]:
    """A limit that a version swap in place goes over."""
    limit = container.memory_limit
    sized = [(one, project.version_bytes(container, one)) for one in project.served(container)]
    known = [(one, bytes_) for one, bytes_ in sized if bytes_]
    if limit is None or not known or not _swaps(container):
        return
    steady = sum(_resident_bytes(one, bytes_) for one, bytes_ in known)
    largest, most = max(known, key=lambda pair: pair[1])
    needed = steady + most
    if limit.value >= needed:
        return
    parts = listed([f"{one.name or 'the model'} {size(bytes_)}" for one, bytes_ in known[:4]])
    yield Hit(
        limit.node.line,
        f"limit {size(limit.value)} holds no swap of {largest.name!r}: the new version loads before the old one goes, "
        f"so at least {size(needed)} are resident ({parts}), without activations and allocator headroom",
    )


def _resident_bytes(served: Served, version_bytes: float) -> float:
    """What the versions of a model take that are loaded when nothing is being swapped."""
    on_disk = served.folder.versions if served.folder is not None else {}
    sizes = [float(on_disk[name]) for name in sorted(on_disk, key=int, reverse=True)]
    latest, specific = (served.policy.all(name) if served.policy else () for name in ("latest", "specific"))
    if served.policy is not None and served.policy.all("all"):
        return sum(sizes) or version_bytes
    if specific and specific[0].all("versions"):
        chosen = [one.value or "" for one in specific[0].all("versions")]
        return sum(float(on_disk.get(name, version_bytes)) for name in chosen)
    word = latest[0].word("num_versions") if latest else None
    count = max(1, int(word)) if word and word.isdigit() and len(word) < 10 else 1
    return sum(sizes[:count]) if sizes else count * version_bytes


def _swaps(container: Container) -> bool:
    """Whether the server looks for new versions while it runs."""
    return container.values.get("file_system_poll_wait_seconds", "1") not in ("0", "-1") or bool(
        container.values.get("model_config_file_poll_wait_seconds", "0").lstrip("0")
    )


RULES = (
    Rule(
        "no-memory-limit",
        Severity.ERROR,
        "no memory limit (a warning where the container is no model server)",
        "Without a limit a leak ends as the node's OOM kill, whose victim may be another pod, and no time to the limit "
        "can be told.",
        "docs.kubernetes.io: resource management for pods; kernel: cgroup-v2 memory.max",
        Container,
        no_memory_limit,
    ),
    Rule(
        "memory-unit",
        Severity.ERROR,
        "a memory size of a few bytes",
        "To Kubernetes 512m is half a byte (m is a thousandth) and 4096 is 4 KiB; to Docker a bare number is bytes.",
        "docs.kubernetes.io: quantity; docs.docker.com: compose byte values",
        Container,
        limit_unit,
    ),
    Rule(
        "memory-size-unreadable",
        Severity.ERROR,
        "a memory size that the platform refuses",
        "Kubernetes knows Mi and Gi, not MB and GiB; a size that cannot be read stops the deployment.",
        "docs.kubernetes.io: quantity; docs.docker.com: compose byte values",
        Container,
        bad_quantity,
    ),
    Rule(
        "request-over-limit",
        Severity.ERROR,
        "the memory request is over the limit",
        "The API server and Docker refuse it.",
        "docs.kubernetes.io: resource management for pods",
        Container,
        request_over_limit,
    ),
    Rule(
        "request-far-below-limit",
        Severity.NOTE,
        "a model server that asks for less than a quarter of its limit",
        "The scheduler fills the node by requests; what is over its request is evicted first, and oom_score_adj falls "
        "with the request.",
        "docs.kubernetes.io: node-pressure eviction",
        Container,
        request_far_below_limit,
    ),
    Rule(
        "limit-under-two-models",
        Severity.ERROR,
        "the limit does not hold two versions of a model",
        "TF Serving loads the new version before it unloads the old one, and no flag changes that; a limit under twice "
        "the model dies within seconds of the next version. The model's size is that on this disk, of --model-size, or "
        f"of the annotation {MODEL_SIZE_ANNOTATION}.",
        "tensorflow/serving#2017; model_servers/server_core.cc (AvailabilityPreservingPolicy)",
        Container,
        limit_under_two_models,
    ),
)
