"""From a manifest, a compose file or what docker inspect prints to what the playbooks ask of a deployment."""

import math

from leakwatch.errors import LeakwatchError
from leakwatch.lint.recognise import recognise
from leakwatch.lint.search import Place, read_text
from leakwatch.lint.source_text import SourceText
from leakwatch.lint.subjects import Container, Platform, Server
from playbooks.types import Deployment, ProcessState

_PROGRAMS = {
    Server.TF_SERVING: "tensorflow_model_server",
    Server.TRITON: "tritonserver",
    Server.TORCHSERVE: "torchserve",
}


def deployed(path: str, name: str | None = None) -> tuple[Deployment, ProcessState]:
    """How a container is deployed, and with which flags its server is started; of the process itself nothing is known.

    Args:
        path: a file that holds the container.
        name: of the container; None where the file has one model server, or one container at all.

    Raises:
        LeakwatchError: the file cannot be read, or holds no such container, or several.
    """
    return _states(_container(read_text(Place(path, named=True)), path, name))


def deployed_as(text: str, source: str, name: str | None = None) -> tuple[Deployment, ProcessState]:
    """The same of what an engine or a cluster says; ``source`` is what an error names. Raises LeakwatchError."""
    return _states(_container(SourceText(source, text), source, name))


def _states(container: Container) -> tuple[Deployment, ProcessState]:
    limit, request = container.memory_limit, container.memory_request
    in_kubernetes = container.workload.platform is Platform.KUBERNETES
    deployment = Deployment(
        limit_bytes=math.inf if limit is None else limit.value,
        request_bytes=None if request is None else request.value,
        replicas=container.workload.replicas,
        startup_probe=container.node["startupProbe"].present if in_kubernetes else None,
        liveness_probe=container.node["livenessProbe"].present if in_kubernetes else None,
    )
    if container.server is None:
        return deployment, ProcessState()
    flags = (f"--{flag}={value}" for flag, value in container.values.items())
    return deployment, ProcessState(arguments=(_PROGRAMS[container.server], *flags))


def _container(source: SourceText | None, path: str, name: str | None) -> Container:
    found = recognise(source) if source is not None else None
    if found is not None and found.unreadable is not None:
        line, what = found.unreadable
        raise LeakwatchError(f"{path}:{line}: {what}; mend the file, or leave it out")
    containers = [one for one in found.subjects if isinstance(one, Container) and not one.is_init] if found else []
    if not containers:
        raise LeakwatchError(f"{path}: holds no container; name a manifest, a compose file or docker inspect's output")
    names = ", ".join(one.name for one in containers[:10])
    if name is not None:
        for one in containers:
            if one.name == name:
                return one
        raise LeakwatchError(f"{path}: holds no container {name!r}; it holds {names}")
    servers = [one for one in containers if one.server is not None] or containers
    if len(servers) > 1:
        raise LeakwatchError(f"{path}: holds {len(servers)} containers; name one with --container: {names}")
    return servers[0]
