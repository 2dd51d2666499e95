"""What makes a limit mean something else: swap, memory-backed volumes, an OOM killer that is turned off."""

from collections.abc import Iterator

from leakwatch.findings import Severity
from leakwatch.lint.project import Project
from leakwatch.lint.quantity import docker_bytes, kubernetes_quantity
from leakwatch.lint.rule import Hit, Rule
from leakwatch.lint.subjects import Container, Platform, Resource, Workload
from leakwatch.lint.wording import size

_LARGE_PART = 0.5


def swap(container: Container, project: Project) -> Iterator[Hit]:
    """More swap than none under a memory limit, where somebody says so."""
    limit, total = container.memory_limit, container.swap_limit
    if container.server is None or limit is None:
        return
    if total is not None and total.value > limit.value:
        how_much = (
            "without bound" if total.value == float("inf") else f"{size(total.value - limit.value)} beyond its limit"
        )
        compose = container.workload.platform is Platform.COMPOSE
        edits = container.source.replaced(total.node.line, total.node.text, limit.node.text) if compose else ()
        yield Hit(total.node.line, f"{container.said} may swap {how_much}: it slows for hours instead of ending", edits)
    swappiness = container.node["mem_swappiness"]
    if swappiness.number:
        yield Hit(
            swappiness.line,
            f"{container.said}: mem_swappiness {swappiness.text} moves the model's pages to disk while there is memory",
        )


def memory_volume(workload: Workload, project: Project) -> Iterator[Hit]:
    """A volume in memory that has no bound, or a large part of the limit."""
    for volume in workload.pod["volumes"].items:
        empty = volume["emptyDir"]
        if empty["medium"].text != "Memory":
            continue
        name, bound = volume["name"].text, kubernetes_quantity(empty["sizeLimit"].text)
        users = [
            c for c in project.containers(workload) if any(m.volume is volume for m in c.mounts) and c.memory_limit
        ]
        limits = [c.memory_limit.value for c in users if c.memory_limit is not None]
        if bound is None:
            of = f" of {size(min(limits))}" if limits else ""
            yield Hit(
                empty.where,
                f"volume {name!r} lies in memory without a sizeLimit: its files count against the limit{of}",
            )
        elif limits and bound > _LARGE_PART * min(limits):
            yield Hit(
                empty["sizeLimit"].line,
                f"volume {name!r} may take {size(bound)} of the limit of {size(min(limits))}: its files count against "
                "it",
            )


def shared_memory(container: Container, project: Project) -> Iterator[Hit]:
    """tmpfs and /dev/shm in compose that may take a large part of the limit."""
    limit, shm = container.memory_limit, container.node["shm_size"]
    held = docker_bytes(shm.text)
    if limit is not None and held is not None and held > _LARGE_PART * limit.value:
        yield Hit(shm.line, f"shm_size {size(held)} counts against the limit of {size(limit.value)} as it fills")
    tmpfs = container.node["tmpfs"]
    for item in tmpfs.items or ((tmpfs,) if tmpfs.text else ()):
        if container.server is not None and "size=" not in item.text:
            of = f" of {size(limit.value)}" if limit is not None else ""
            yield Hit(item.line, f"tmpfs {item.text!r} has no size=: its files count against the memory limit{of}")


def oom_killer_off(container: Container, project: Project) -> Iterator[Hit]:
    """A container that hangs at its limit, or that the kernel may not choose."""
    host = container.node["HostConfig"]
    for key, node in (
        ("oom_kill_disable", container.node["oom_kill_disable"]),
        ("OomKillDisable", host["OomKillDisable"]),
    ):
        if node.truth is True:
            edits = container.source.replaced(node.line, "true", "false") if key == "oom_kill_disable" else ()
            yield Hit(
                node.line, f"{container.said}: {key} makes it hang at its limit instead of being restarted", edits
            )
    for node in (container.node["oom_score_adj"], host["OomScoreAdj"]):
        if node.number is not None and node.number <= -999:
            yield Hit(
                node.line, f"{container.said}: an oom_score_adj of {node.text} makes the kernel kill its neighbours"
            )


def kubelet_swap(resource: Resource, project: Project) -> Iterator[Hit]:
    """Nodes that swap."""
    behaviour = resource.node.at("memorySwap", "swapBehavior")
    if resource.kind != "KubeletConfiguration":
        return
    if behaviour.text in ("LimitedSwap", "UnlimitedSwap"):
        yield Hit(
            behaviour.line,
            f"swapBehavior {behaviour.text}: a leak hides in swap and slows every request before anything is killed",
        )


RULES = (
    Rule(
        "swap",
        Severity.WARNING,
        "a model server that may swap",
        "With swap beyond the limit a leak shows as latency, not as a kill, and the limit is not where it ends. Docker "
        "takes memswap_limit as memory and swap together; equal to mem_limit means none.",
        "docs.docker.com: resource constraints, --memory-swap details",
        Container,
        swap,
    ),
    Rule(
        "memory-volume",
        Severity.WARNING,
        "files in memory that eat the limit",
        "emptyDir with medium Memory is charged to the container that writes it: it grows as shmem, looks like a leak "
        "and is killed like one.",
        "docs.kubernetes.io: volumes, emptyDir; kernel: cgroup-v2 shmem",
        Workload,
        memory_volume,
    ),
    Rule(
        "shared-memory-size",
        Severity.WARNING,
        "tmpfs or /dev/shm that eats the limit",
        "What is written to tmpfs and /dev/shm is charged to the container as shmem.",
        "kernel: cgroup-v2 shmem; docs.docker.com: compose shm_size, tmpfs",
        Container,
        shared_memory,
    ),
    Rule(
        "oom-killer-off",
        Severity.ERROR,
        "the OOM killer is turned off",
        "A container that cannot be killed stops at its limit for ever, or makes the kernel kill others.",
        "docs.docker.com: resource constraints, --oom-kill-disable; kernel: cgroup-v1 memory.oom_control",
        Container,
        oom_killer_off,
    ),
    Rule(
        "kubelet-swap",
        Severity.WARNING,
        "the kubelet lets pods swap",
        "Swapped memory is missing from the working set: a leak shows late, and latency goes first.",
        "docs.kubernetes.io: swap memory management",
        Resource,
        kubelet_swap,
    ),
)
