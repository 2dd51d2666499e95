"""What a Docker engine tells of a container beside its numbers."""

import json
from typing import Any

from leakwatch.errors import SourceError
from leakwatch.masking import masked_arguments, masked_environment, masked_text
from leakwatch.sample.docker_engine import connect, failure_of, pid_if_here

LAST_LINES = 2000


def described(container: str, url: str | None = None) -> bytes:
    """State, limits and settings (``docker inspect``), secrets masked. Raises SourceError."""
    answer = _inspected(container, url)
    config = answer.get("Config") or {}
    variables = dict(pair.partition("=")[::2] for pair in config.get("Env") or ())
    config["Env"] = [f"{name}={value}" for name, value in masked_environment(variables).items()]
    for words in ("Cmd", "Entrypoint"):
        config[words] = list(masked_arguments(config.get(words) or ()))
    answer["Args"] = list(masked_arguments(answer.get("Args") or ()))
    answer["Config"] = config
    return json.dumps(answer, indent=1).encode()


def last_logs(container: str, url: str | None = None) -> bytes:
    """The last lines that it wrote, with their times, secrets masked. Raises SourceError."""
    import docker
    import requests

    try:
        with connect(url) as client:
            lines = client.logs(container, tail=LAST_LINES, timestamps=True, stdout=True, stderr=True)
    except (docker.errors.DockerException, requests.RequestException, OSError) as error:
        raise failure_of(error) from None
    return masked_text(lines.decode(errors="replace")).encode()


def pid_of_container(container: str, url: str | None = None) -> int:
    """Its first process, by its number on the engine's host.

    Raises:
        SourceError: no such container, it does not run (``gone``), or its host is another than ours.
    """
    answer = _inspected(container, url)
    if not answer["State"].get("Pid"):
        raise SourceError("docker", "the container does not run", "start it", gone=True)
    pid = pid_if_here(answer)
    if pid is None:
        raise SourceError("docker", "its processes cannot be seen from here", "run on the engine's host (pid: host)")
    return pid


def _inspected(container: str, url: str | None) -> dict[str, Any]:
    import docker
    import requests

    try:
        with connect(url) as client:
            return dict(client.inspect_container(container))
    except (docker.errors.DockerException, requests.RequestException, OSError) as error:
        raise failure_of(error) from None
