"""Who carries out what for a target: the one place that joins settings to backends, each imported when needed."""

from pathlib import Path
from urllib.parse import quote

from leakwatch.act.holder import holder_of
from leakwatch.ports import Clock, Restarter
from leakwatch.settings import (
    ActSettings,
    Backend,
    CgroupPlace,
    DockerPlace,
    KubernetesPlace,
    PidPlace,
    ProcessPlace,
    PrometheusPlace,
    ServingKind,
    TargetSettings,
)


def restarters(target: TargetSettings, settings: ActSettings, clock: Clock, state_dir: Path) -> tuple[Restarter, ...]:
    """The backends of a target, the cheapest first; none where the target cannot be acted on that way.

    With ``backend: auto`` the target's place decides. A TF Serving whose model config is known can have a model
    reloaded beside that; ``backend: tf_serving`` allows nothing else. ``state_dir`` keeps what a killed agent must not
    forget.
    """
    reloaders = _reloaders(target, clock, state_dir)
    if settings.backend is Backend.TF_SERVING:
        return reloaders
    return (*reloaders, *_of_place(target, settings, clock, state_dir))


def _reloaders(target: TargetSettings, clock: Clock, state_dir: Path) -> tuple[Restarter, ...]:
    serving = target.serving
    if serving is None or serving.kind is not ServingKind.TF_SERVING or serving.model_config_file is None:
        return ()
    from leakwatch.act.tf_serving import ModelReloader

    mark = state_dir / f"unloaded-{quote(target.name, safe='')[:200]}.json"
    return (ModelReloader(serving, clock, mark),)


def _of_place(target: TargetSettings, settings: ActSettings, clock: Clock, state_dir: Path) -> tuple[Restarter, ...]:
    place, backend = target.place, settings.backend
    server_url = target.serving.metrics_url if target.serving else None
    if isinstance(place, DockerPlace) and backend in (Backend.AUTO, Backend.DOCKER):
        from leakwatch.act.docker import DockerRestarter

        longest, holder = _longest_seconds(settings), holder_of(state_dir)
        return (DockerRestarter(place.docker, clock, None, server_url, longest, holder),)
    if isinstance(place, ProcessPlace | PidPlace | CgroupPlace) and backend in (Backend.AUTO, Backend.PROCESS):
        from leakwatch.act.process import ProcessRestarter

        return (ProcessRestarter(place, clock, server_url),)
    pods = _pods(place)
    if pods is not None and backend in (Backend.AUTO, Backend.KUBERNETES):
        from leakwatch.act.kubernetes import PodRestarter

        return (PodRestarter(pods, clock, holder=holder_of(state_dir)),)
    return ()


def _longest_seconds(settings: ActSettings) -> float:
    """From the claim until the new life is ready, with a minute for the engine and the machine."""
    parts = (settings.evidence.time_seconds, settings.drain_seconds, settings.stop_timeout_seconds)
    return sum(parts) + settings.verify_seconds + 60.0


def _pods(place: object) -> KubernetesPlace | None:
    """Series of a Prometheus server name a pod as well."""
    if isinstance(place, PrometheusPlace) and place.pod is not None and place.namespace is not None:
        return KubernetesPlace(place.namespace, place.container, pod=place.pod)
    return place if isinstance(place, KubernetesPlace) else None
