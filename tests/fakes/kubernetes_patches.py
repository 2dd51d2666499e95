"""Patches as an API server applies them: JSON merge (RFC 7386), strategic merge, and JSON patch (RFC 6902)."""

import copy
from typing import Any

MERGE_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "ports": "containerPort",
    "conditions": "type",
    "ownerReferences": "uid",
    "imagePullSecrets": "name",
    "resizePolicy": "resourceName",
}
"""Lists that strategic merge joins by a key; others are replaced as a whole."""


def patched(content_type: str, old: Any, patch: Any) -> Any:
    """The object after the patch; ValueError for a content type that is no patch."""
    kinds = {
        "application/merge-patch+json": merge,
        "application/strategic-merge-patch+json": strategic,
        "application/json-patch+json": operations,
    }
    kind = kinds.get(content_type.split(";")[0])
    if kind is None:
        raise ValueError(content_type)
    return kind(copy.deepcopy(old), patch)


def merge(old: Any, patch: Any) -> Any:
    """RFC 7386: null removes, objects merge, all else replaces."""
    if not isinstance(patch, dict):
        return patch
    result = old if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def strategic(old: Any, patch: Any, key: str = "") -> Any:
    """As `merge`, but lists of `MERGE_KEYS` are joined element by element."""
    if isinstance(patch, list) and key in MERGE_KEYS:
        return _joined(old or [], patch, MERGE_KEYS[key])
    if not isinstance(patch, dict):
        return patch
    if patch.get("$patch") == "replace":
        return {name: value for name, value in patch.items() if name != "$patch"}
    result = old if isinstance(old, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = strategic(result.get(name), value, name)
    return result


def _joined(old: list[Any], patch: list[Any], by: str) -> list[Any]:
    result = list(old)
    for one in patch:
        place = next((i for i, other in enumerate(result) if other.get(by) == one.get(by)), None)
        if one.get("$patch") == "delete":
            result = [other for other in result if other.get(by) != one.get(by)]
        elif place is None:
            result.append(one)
        else:
            result[place] = strategic(result[place], one)
    return result


def operations(old: Any, patch: list[dict[str, Any]]) -> Any:
    """RFC 6902: add, replace, remove and test."""
    for one in patch:
        *way, last = [part.replace("~1", "/").replace("~0", "~") for part in one["path"].split("/")[1:]]
        at = old
        for part in way:
            at = at[int(part)] if isinstance(at, list) else at[part]
        place = (len(at) if last == "-" else int(last)) if isinstance(at, list) else last
        if one["op"] == "test":
            if at[place] != one["value"]:
                raise KeyError(one["path"])
        elif one["op"] == "remove":
            del at[place]
        elif one["op"] == "add" and isinstance(at, list):
            at.insert(place, one["value"])
        else:
            at[place] = one["value"]
    return old
