"""Sizes and processors as Kubernetes and Docker read them: bytes and CPUs, None for what neither would take."""

import math
import re

_KUBERNETES = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)(m|k|[MGTPE]|[KMGTPE]i)?")
_DOCKER = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([bkmgtp]?)i?b?", re.IGNORECASE)
_SUFFIXES = {
    "m": 0.001,
    "k": 1e3,
    **{letter: 1000.0**power for power, letter in enumerate("MGTPE", 2)},
    **{f"{letter}i": 1024.0**power for power, letter in enumerate("KMGTPE", 1)},
}


def kubernetes_quantity(text: str) -> float | None:
    """Bytes or CPUs of ``8Gi``, ``500m``, ``1e9``
    (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/)."""
    match = _KUBERNETES.fullmatch(text.strip()) if len(text) < 40 else None
    if match is None:
        return None
    value = float(match[1]) * _SUFFIXES.get(match[2] or "", 1.0)
    return value if math.isfinite(value) else None


def docker_bytes(text: str) -> float | None:
    """Bytes of ``512m``, ``8g``, ``1.5gb``, all binary; a bare number is bytes
    (https://docs.docker.com/reference/compose-file/extension/#specifying-byte-values)."""
    match = _DOCKER.fullmatch(text.strip()) if len(text) < 40 else None
    if match is None:
        return None
    value = float(match[1]) * 1024.0 ** "bkmgtp".index(match[2].lower() or "b")
    return value if math.isfinite(value) else None
