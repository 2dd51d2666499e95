"""The flags that say which container is looked at, shared by the commands that look at one."""

import functools
from collections.abc import Callable
from typing import Any

import click

from leakwatch.cli.parameters import parsed
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
    scalars,
)

_ONE = "name exactly one of --pid, --process, --cgroup, --docker, --pod, --selector and --prometheus"


def target_flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command decorated so takes the flags below, and is handed ``target`` in their place."""
    return _with_flags(command, needed=True)


def optional_target_flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """The same; ``target`` is None where no flag names one."""
    return _with_flags(command, needed=False)


def _with_flags(command: Callable[..., Any], *, needed: bool) -> Callable[..., Any]:

    @click.option("--pid", type=click.IntRange(1), metavar="PID", help="A process and its children.")
    @click.option("--process", metavar="NAME", help="The process of this command name, whichever it is at the time.")
    @click.option("--cgroup", metavar="DIR", help="A cgroup's folder, v1 or v2.")
    @click.option("--docker", metavar="NAME", help="A container of the Docker engine.")
    @click.option("--pod", metavar="NAME", help="A pod; with -n and -c.")
    @click.option("-l", "--selector", metavar="LABELS", help="The pods with these labels; with -n and -c.")
    @click.option("-n", "--namespace", metavar="NAME", default="default", show_default=True, help="Of the pods.")
    @click.option("-c", "--container", metavar="NAME", help="The container in the pod.")
    @click.option("--prometheus", metavar="URL", callback=parsed(scalars.address), help="A server with its series.")
    @click.option("--limit", metavar="SIZE", callback=parsed(scalars.size), help="Its memory limit where none is seen.")
    @click.option(
        "--serving", type=click.Choice([kind.value for kind in ServingKind]), help="Whose page --metrics-url is."
    )
    @click.option("--metrics-url", metavar="URL", callback=parsed(scalars.address), help="The model server's own page.")
    @functools.wraps(command)
    def with_target(
        pid: int | None,
        process: str | None,
        cgroup: str | None,
        docker: str | None,
        pod: str | None,
        selector: str | None,
        namespace: str,
        container: str | None,
        prometheus: str | None,
        limit: int | None,
        serving: str | None,
        metrics_url: str | None,
        **given: Any,
    ) -> Any:
        places: list[Place] = []
        if pid is not None:
            places.append(PidPlace(pid))
        if process is not None:
            places.append(ProcessPlace(process))
        if cgroup is not None:
            places.append(CgroupPlace(cgroup))
        if docker is not None:
            places.append(DockerPlace(docker))
        if prometheus is not None:
            places.append(PrometheusPlace(prometheus, _container(container), pod))
        elif pod is not None or selector is not None:
            if pod is not None and selector is not None:
                raise click.UsageError("--pod and --selector both say which pods; keep one")
            places.append(KubernetesPlace(namespace, _container(container), selector, pod))
        if not places and not needed:
            return command(target=None, **given)
        if len(places) != 1:
            raise click.UsageError(_ONE)
        if (serving is None) != (metrics_url is None):
            raise click.UsageError("--serving and --metrics-url go together")
        page = ServingSettings(ServingKind(serving), metrics_url) if serving and metrics_url else None
        target = TargetSettings(name_of(places[0]), places[0], page, limit_bytes=limit)
        return command(target=target, **given)

    return with_target


def name_of(place: Place) -> str:
    """What a target without a name is called: by the most telling word of its place."""
    match place:
        case PidPlace(pid):
            return f"pid {pid}"
        case ProcessPlace(process):
            return process
        case CgroupPlace(cgroup):
            return cgroup.rstrip("/").rpartition("/")[2] or cgroup
        case DockerPlace(docker):
            return docker
        case KubernetesPlace() | PrometheusPlace():
            return f"{place.pod}/{place.container}" if place.pod else place.container


def _container(name: str | None) -> str:
    if name is None:
        raise click.UsageError("a pod has several containers; name one with --container")
    return name
