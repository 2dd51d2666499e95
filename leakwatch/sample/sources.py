"""Which source reads what the settings name: the one place where places and adapters meet.

An adapter is imported when a target needs it: an agent that reads cgroup files pays for no client's.
"""

from leakwatch.ports import History, Source
from leakwatch.sample.cgroups.source import CgroupSource, folder_finder
from leakwatch.sample.processes.find import pid_of_name, this_process
from leakwatch.sample.processes.source import ProcessSource
from leakwatch.settings import (
    CgroupPlace,
    DockerPlace,
    KubernetesPlace,
    PidPlace,
    Place,
    ProcessPlace,
    PrometheusPlace,
    TargetSettings,
)
from leakwatch.trace import Sample


def sources_of(target: TargetSettings) -> tuple[Source, ...]:
    """The source of its memory, and those of its model server's page and of its GPUs where the settings name them."""
    memory = source_of(target)
    if target.serving is None:
        return (memory,)
    from leakwatch.sample.serving.gpu import GpuSource
    from leakwatch.sample.serving.source import ServingSource

    gpus = target.serving.gpu_metrics_url
    return memory, ServingSource(target.serving), *(() if gpus is None else (GpuSource(gpus),))


def history_of(target: TargetSettings) -> History | None:
    """The past of a target's memory, where its source has one."""
    if not isinstance(target.place, PrometheusPlace):
        return None
    from leakwatch.sample.prometheus_server import PrometheusSource

    return PrometheusSource(target.place)


def source_of(target: TargetSettings) -> Source:
    """The source of a target's memory; nothing is opened, asked or imported before its first `read`.

    The target's own limit stands in its samples wherever the source sees none.
    """
    source = _source_at(target.place)
    return source if target.limit_bytes is None else _WithLimit(source, target.limit_bytes)


def _source_at(place: Place) -> Source:
    match place:
        case CgroupPlace(cgroup):
            return CgroupSource(folder_finder(cgroup))
        case PidPlace(pid):
            return ProcessSource(this_process(pid))
        case ProcessPlace(process):
            return ProcessSource(lambda: pid_of_name(process))
        case DockerPlace(docker):
            from leakwatch.sample.docker_engine import DockerSource

            return DockerSource(docker)
        case PrometheusPlace():
            from leakwatch.sample.prometheus_server import PrometheusSource

            return PrometheusSource(place)
        case KubernetesPlace():
            from leakwatch.sample.pods.source import KubernetesSource

            return KubernetesSource(place)


class _WithLimit:
    """A source whose limit the settings state."""

    def __init__(self, source: Source, limit_bytes: int) -> None:
        self._source, self._limit_bytes = source, limit_bytes
        self.close = source.close

    @property
    def name(self) -> str:
        return self._source.name

    @property
    def pid(self) -> int | None:
        return getattr(self._source, "pid", None)

    @property
    def blind_to(self) -> tuple[str, ...]:
        return self._source.blind_to

    def read(self, now_seconds: float) -> Sample:
        sample = self._source.read(now_seconds)
        if sample.values.get("limit_bytes"):
            return sample
        return Sample(sample.time_seconds, {**sample.values, "limit_bytes": self._limit_bytes}, sample.life)
