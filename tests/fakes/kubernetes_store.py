"""The objects of a fake API server: uid, resourceVersion, generation, selectors, conflicts, a history to watch."""

import copy
import itertools
import re
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Object = dict[str, Any]
HISTORY = 5000


@dataclass(frozen=True)
class Resource:
    """One kind of object: where it is found, and what it is called."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    unconditional_update: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version


RESOURCES = {
    (one.group, one.version, one.plural): one
    for one in (
        Resource("", "v1", "namespaces", "Namespace", namespaced=False),
        Resource("", "v1", "nodes", "Node", namespaced=False),
        Resource("", "v1", "pods", "Pod"),
        Resource("", "v1", "events", "Event"),
        Resource("", "v1", "configmaps", "ConfigMap"),
        Resource("apps", "v1", "deployments", "Deployment"),
        Resource("apps", "v1", "replicasets", "ReplicaSet"),
        Resource("apps", "v1", "statefulsets", "StatefulSet"),
        Resource("apps", "v1", "daemonsets", "DaemonSet"),
        Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", unconditional_update=False),
        Resource("coordination.k8s.io", "v1", "leases", "Lease", unconditional_update=False),
    )
}
PODS, DEPLOYMENTS, REPLICASETS = (
    RESOURCES["", "v1", "pods"],
    RESOURCES["apps", "v1", "deployments"],
    RESOURCES["apps", "v1", "replicasets"],
)
STATEFULSETS = RESOURCES["apps", "v1", "statefulsets"]
EVENTS = RESOURCES["", "v1", "events"]
BUDGETS, NODES = RESOURCES["policy", "v1", "poddisruptionbudgets"], RESOURCES["", "v1", "nodes"]


@dataclass
class RefusedError(Exception):
    """What the server answers instead: an HTTP status, and a Status object with its reason and causes."""

    status: int
    reason: str
    message: str
    causes: list[Object] = field(default_factory=list)
    retry_after_seconds: int | None = None

    def body(self) -> Object:
        details: Object = {"causes": self.causes} if self.causes else {}
        if self.retry_after_seconds is not None:
            details["retryAfterSeconds"] = self.retry_after_seconds
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "details": details,
            "code": self.status,
        }


def not_found(resource: Resource, name: str) -> RefusedError:
    where = f"{resource.plural}.{resource.group}" if resource.group else resource.plural
    return RefusedError(404, "NotFound", f'{where} "{name}" not found')


def rfc3339(when: datetime | None = None) -> str:
    return (when or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")


def labels_match(selector: str | None, labels: dict[str, str]) -> bool:
    """``a=b,c!=d,e in (f,g),!h,i``, as the API server reads it."""
    for term in re.split(r",(?![^(]*\))", selector or ""):
        term = term.strip()
        if not term:
            continue
        if match := re.fullmatch(r"(\S+)\s+(in|notin)\s+\(([^)]*)\)", term):
            key, operator, values = match.groups()
            holds = (labels.get(key) in [value.strip() for value in values.split(",")]) == (operator == "in")
        elif match := re.fullmatch(r"([^!=\s]+)\s*(==|=|!=)\s*(\S*)", term):
            key, operator, value = match.groups()
            holds = (labels.get(key) == value) == (operator != "!=")
        else:
            holds = (term.lstrip("!") in labels) != term.startswith("!")
        if not holds:
            return False
    return True


def selector_text(selector: Object | None) -> str:
    """A label selector object as text; None selects nothing, an empty one everything."""
    if selector is None:
        return "nothing=,!nothing"
    terms = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    words = {"In": "in", "NotIn": "notin"}
    for one in selector.get("matchExpressions") or []:
        if one["operator"] in words:
            terms.append(f"{one['key']} {words[one['operator']]} ({','.join(one['values'])})")
        else:
            terms.append(one["key"] if one["operator"] == "Exists" else f"!{one['key']}")
    return ",".join(terms)


def fields_match(selector: str | None, obj: Object) -> bool:
    """``metadata.name=x,status.phase!=Running``."""
    for term in filter(None, (selector or "").split(",")):
        path, operator, value = re.fullmatch(r"([^!=]+)(==|=|!=)(.*)", term.strip()).groups()  # type: ignore[union-attr]
        found: Any = obj
        for part in path.split("."):
            found = (found or {}).get(part)
        if ((found or "") == value) == (operator == "!="):
            return False
    return True


class Store:
    """All objects, under one lock that is told of every change."""

    def __init__(self) -> None:
        self.changed = threading.Condition(threading.RLock())
        self.version = 1000
        self.history: list[tuple[int, str, Resource, Object]] = []
        self._objects: dict[tuple[Resource, str, str], Object] = {}
        self._numbers = itertools.count(1)

    def get(self, resource: Resource, namespace: str, name: str) -> Object:
        with self.changed:
            found = self._objects.get((resource, namespace, name))
            if found is None:
                raise not_found(resource, name)
            return copy.deepcopy(found)

    def find(
        self, resource: Resource, namespace: str | None = None, labels: str | None = None, fields: str | None = None
    ) -> list[Object]:
        with self.changed:
            return [
                copy.deepcopy(obj)
                for (kind, where, _), obj in sorted(self._objects.items(), key=lambda one: one[0][1:])
                if kind is resource and (namespace is None or where == namespace) and matches(obj, labels, fields)
            ]

    def create(self, resource: Resource, namespace: str, given: Object) -> Object:
        with self.changed:
            obj = copy.deepcopy(given)
            meta = obj.setdefault("metadata", {})
            if not meta.get("name"):
                if not meta.get("generateName"):
                    raise RefusedError(
                        422, "Invalid", "metadata.name: Required value: name or generateName is required"
                    )
                meta["name"] = f"{meta['generateName']}{next(self._numbers):05x}"
            if (resource, namespace, meta["name"]) in self._objects:
                raise RefusedError(409, "AlreadyExists", f'{resource.plural} "{meta["name"]}" already exists')
            if meta.get("resourceVersion"):
                raise RefusedError(400, "BadRequest", "resourceVersion should not be set on objects to be created")
            meta |= {"uid": str(uuid.uuid4()), "creationTimestamp": rfc3339(), "generation": 1}
            if resource.namespaced:
                meta["namespace"] = namespace
            obj |= {"apiVersion": resource.api_version, "kind": resource.kind}
            return self._put("ADDED", resource, namespace, obj)

    def replace(self, resource: Resource, namespace: str, name: str, given: Object) -> Object:
        """An update as PUT makes it: refused where the object has moved on since it was read."""
        with self.changed:
            old, obj = self.get(resource, namespace, name), copy.deepcopy(given)
            meta = obj.setdefault("metadata", {})
            version = meta.get("resourceVersion")
            if not version and not resource.unconditional_update:
                raise RefusedError(
                    422, "Invalid", "metadata.resourceVersion: Invalid value: 0x0: must be specified for an update"
                )
            if version and version != old["metadata"]["resourceVersion"]:
                raise RefusedError(
                    409,
                    "Conflict",
                    f'Operation cannot be fulfilled on {resource.plural} "{name}": the object has been modified; '
                    "please apply your changes to the latest version and try again",
                )
            if meta.get("uid") not in (None, old["metadata"]["uid"]):
                raise RefusedError(409, "Conflict", f"Precondition failed: UID in precondition: {meta['uid']}")
            kept = ("uid", "creationTimestamp", "namespace", "generation", "deletionTimestamp")
            meta |= {key: old["metadata"][key] for key in kept if key in old["metadata"]}
            meta["name"] = name
            if obj.get("spec") != old.get("spec"):
                meta["generation"] += 1
            obj |= {"apiVersion": resource.api_version, "kind": resource.kind}
            if {**obj, "metadata": {**meta, "resourceVersion": ""}} == {
                **old,
                "metadata": {**old["metadata"], "resourceVersion": ""},
            }:
                return old  # an update that changes nothing makes no new version
            return self._put("MODIFIED", resource, namespace, obj)

    def change(self, resource: Resource, namespace: str, name: str, edit: Callable[[Object], object]) -> Object:
        """An update by the server itself: read, edit, write, under the lock."""
        with self.changed:
            obj = self.get(resource, namespace, name)
            edit(obj)
            return self.replace(resource, namespace, name, obj)

    def mark_leaving(self, resource: Resource, namespace: str, name: str, at: str) -> None:
        """Graceful deletion has begun; clients cannot write this themselves."""
        with self.changed:
            obj = self.get(resource, namespace, name)
            obj["metadata"] |= {"deletionTimestamp": at, "deletionGracePeriodSeconds": 30}
            self._put("MODIFIED", resource, namespace, obj)

    def remove(self, resource: Resource, namespace: str, name: str) -> Object:
        with self.changed:
            obj = self.get(resource, namespace, name)
            del self._objects[resource, namespace, name]
            self.version += 1
            obj["metadata"]["resourceVersion"] = str(self.version)
            self._remember("DELETED", resource, obj)
            return obj

    def since(self, version: int) -> Iterator[tuple[int, str, Resource, Object]]:
        """What happened after a version; 410 where that is forgotten."""
        with self.changed:
            if self.history and version < self.history[0][0] - 1 and len(self.history) >= HISTORY:
                raise RefusedError(410, "Expired", f"too old resource version: {version} ({self.history[0][0]})")
            yield from [entry for entry in self.history if entry[0] > version]

    def _put(self, what: str, resource: Resource, namespace: str, obj: Object) -> Object:
        self.version += 1
        obj["metadata"]["resourceVersion"] = str(self.version)
        self._objects[resource, namespace, obj["metadata"]["name"]] = obj
        self._remember(what, resource, obj)
        return copy.deepcopy(obj)

    def _remember(self, what: str, resource: Resource, obj: Object) -> None:
        self.history.append((self.version, what, resource, copy.deepcopy(obj)))
        del self.history[:-HISTORY]
        self.changed.notify_all()


def matches(obj: Object, labels: str | None, fields: str | None) -> bool:
    return labels_match(labels, obj["metadata"].get("labels") or {}) and fields_match(fields, obj)
