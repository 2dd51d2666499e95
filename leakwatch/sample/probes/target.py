"""The probes of a target: what can be taken depends on where it is."""

import os
import threading
import time
from collections.abc import Callable

from leakwatch.errors import SourceError
from leakwatch.masking import masked_text
from leakwatch.ports import Probe
from leakwatch.sample.cgroups.find import folder_of_pid
from leakwatch.sample.cgroups.members import largest_in
from leakwatch.sample.cgroups.source import folder_finder
from leakwatch.sample.log_files.chunks import read_log
from leakwatch.sample.pods.source import KubernetesSource
from leakwatch.sample.probes import container, docker, heap, pods, process, server
from leakwatch.sample.probes.probe import BoundedProbe
from leakwatch.sample.processes.find import pid_of_name
from leakwatch.settings import (
    CgroupPlace,
    DockerPlace,
    KubernetesPlace,
    PidPlace,
    Place,
    ProcessPlace,
    PrometheusPlace,
    ServingKind,
    ServingSettings,
    TargetSettings,
)

KMSG = "kmsg"
_FOUND_SECONDS = 5.0
"""All probes of one bundle ask for the same process; it is looked for once."""


def probes_of(target: TargetSettings) -> tuple[Probe, ...]:
    """Every kind of evidence of a target; each finds the process of the moment when it is collected."""
    probes: list[Probe] = [*_of_server(target.serving), *_of_logs(target.logs)]
    if isinstance(target.place, KubernetesPlace):
        return (*_of_pod(target.place), *probes)
    if isinstance(target.place, PrometheusPlace):  # its processes are not here; pages and logs that are named can be
        return tuple(probes)
    find = _Remembered(lambda: pid_of(target.place))
    of_process: tuple[tuple[str, Callable[[int], bytes]], ...] = (
        ("status.txt", process.status),
        ("smaps_rollup.txt", process.smaps_rollup),
        ("largest_mappings.txt", process.largest_mappings),
        ("threads.txt", process.threads),
        ("open_files.txt", process.open_files),
        ("limits.txt", process.limits),
        ("environment.txt", process.environment),
        ("command_line.txt", process.command_line),
        ("cgroup.txt", lambda pid: container.cgroup_files(folder_of_pid(pid))),
    )
    probes += [BoundedProbe(name, _of_found(take, find)) for name, take in of_process]
    probes.append(BoundedProbe("host_memory.txt", lambda seconds: container.host_memory()))
    probes.append(BoundedProbe("heap_profile", lambda seconds: heap.heap_profile(find(), seconds), heap.DUMP_BYTES))
    probes.append(BoundedProbe("stacks.txt", lambda seconds: heap.stacks(find(), seconds)))
    if isinstance(target.place, DockerPlace):
        probes.append(BoundedProbe("container.json", _taken(docker.described, target.place.docker)))
        probes.append(BoundedProbe("container.log", _taken(docker.last_logs, target.place.docker)))
    return tuple(probes)


def pid_of(place: Place) -> int:
    """The process that a place means: of a cgroup or container the one with the most memory.

    Raises:
        SourceError: there is none (``gone``), or it cannot be seen from here.
    """
    match place:
        case PidPlace(pid):
            return pid
        case ProcessPlace(name):
            return pid_of_name(name)
        case DockerPlace(name):
            return largest_in(folder_of_pid(docker.pid_of_container(name)))
        case CgroupPlace(cgroup):
            return largest_in(folder_finder(cgroup)())
        case _:
            raise SourceError("process", "its processes are not on this host", "run beside it, as a sidecar")


def _of_found(take: Callable[[int], bytes], find: Callable[[], int]) -> Callable[[float], bytes]:
    return lambda seconds: take(find())


def _taken(take: Callable[[str], bytes], what: str) -> Callable[[float], bytes]:
    return lambda seconds: take(what)


def _of_pod(place: KubernetesPlace) -> list[Probe]:
    return [
        BoundedProbe("pod.json", lambda seconds: pods.described(KubernetesSource(place))),
        BoundedProbe("container.log", lambda seconds: pods.last_logs(KubernetesSource(place))),
        BoundedProbe("container_previous.log", lambda seconds: pods.last_logs(KubernetesSource(place), previous=True)),
    ]


def _of_server(serving: ServingSettings | None) -> list[Probe]:
    if serving is None:
        return []
    probes: list[Probe] = [BoundedProbe("metrics_page.txt", lambda seconds: server.metrics_page(serving))]
    if serving.kind is ServingKind.TF_SERVING:
        probes.append(BoundedProbe("model_status.json", lambda seconds: server.model_status(serving)))
    return probes


def _of_logs(logs: tuple[str, ...]) -> list[Probe]:
    probes: list[Probe] = []
    for number, path in enumerate(logs, 1):
        if path == KMSG:
            probes.append(BoundedProbe("kernel.log", lambda seconds: _kernel_messages()))
        else:
            name = f"log_{number}_{os.path.basename(path) or 'log'}"
            probes.append(BoundedProbe(name, _taken(container.last_lines, path)))
    return probes


def _kernel_messages() -> bytes:
    text = b"".join(read_log("/dev/kmsg"))[-container.LAST_BYTES :]
    return masked_text(text.decode(errors="replace")).encode()


class _Remembered:
    """A search whose result stands for some seconds, also for threads that ask at the same time."""

    def __init__(self, find: Callable[[], int]) -> None:
        self._find, self._lock = find, threading.Lock()
        self._found: tuple[float, int] | None = None

    def __call__(self) -> int:
        with self._lock:
            if self._found is None or time.monotonic() - self._found[0] > _FOUND_SECONDS:
                self._found = time.monotonic(), self._find()
            return self._found[1]
