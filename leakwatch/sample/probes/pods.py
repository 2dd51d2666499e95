"""What a cluster tells of a container beside its numbers: the pod, and the last lines of this life and the one before.

Needs the right to get pods and pods/log in the namespace.
"""

import json
from typing import Any
from urllib.parse import quote

from leakwatch.errors import SourceError
from leakwatch.masking import masked_arguments, masked_environment, masked_text
from leakwatch.sample.pods.api import NAME, NotAllowedError
from leakwatch.sample.pods.source import KubernetesSource

LAST_LINES = 2000


def described(source: KubernetesSource) -> bytes:
    """The pod with its state (``kubectl get pod -o json``), secrets masked. Raises SourceError."""
    try:
        pod = dict(source.pod())
    finally:
        source.close()
    dropped = ("managedFields", "annotations")  # long, and the last applied configuration is the whole pod again
    pod["metadata"] = {key: value for key, value in pod["metadata"].items() if key not in dropped}
    for kind in ("containers", "initContainers", "ephemeralContainers"):
        for one in pod["spec"].get(kind) or ():
            _mask(one)
    return json.dumps(pod, indent=1).encode()


def last_logs(source: KubernetesSource, *, previous: bool = False) -> bytes:
    """The last lines that the container wrote, with their times, secrets masked; of its life before with ``previous``.

    Raises:
        SourceError: no right, no such pod, or no life before.
    """
    try:
        meta = source.pod()["metadata"]
        path = f"/api/v1/namespaces/{quote(meta['namespace'], safe='')}/pods/{quote(meta['name'], safe='')}/log"
        query = {"container": source.container, "tailLines": str(LAST_LINES), "timestamps": "true"}
        lines = source.api.get_bytes(path, query | ({"previous": "true"} if previous else {}))
    except NotAllowedError as refusal:
        raise SourceError(NAME, f"the log: {refusal}", "grant the right to get pods/log") from None
    finally:
        source.close()
    return masked_text(lines.decode(errors="replace")).encode()


def _mask(container: dict[str, Any]) -> None:
    """Values of variables; those that come from Secrets are only named in a pod."""
    for variable in container.get("env") or ():
        if "value" in variable:
            variable["value"] = masked_environment({variable["name"]: variable["value"]})[variable["name"]]
    for words in ("command", "args"):
        if words in container:
            container[words] = list(masked_arguments(container[words]))
