"""What a fake API server answers: verbs, subresources, evictions, resizes and refusals."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from tests.fakes.kubernetes_cluster import Cluster, Rule
from tests.fakes.kubernetes_kubelet import is_leaving, is_ready, quality_of_service
from tests.fakes.kubernetes_patches import patched
from tests.fakes.kubernetes_store import (
    BUDGETS,
    PODS,
    RESOURCES,
    Object,
    RefusedError,
    Resource,
    labels_match,
    selector_text,
)

VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True)
class Request:
    """One request, in the parts that the server goes by."""

    method: str
    path: str
    query: dict[str, str]
    body: Any = None
    content_type: str = "application/json"
    token: str | None = None


@dataclass
class Place:
    """What a path means."""

    resource: Resource
    namespace: str | None
    name: str | None = None
    subresource: str | None = None

    @property
    def plural(self) -> str:
        return f"{self.resource.plural}/{self.subresource}" if self.subresource else self.resource.plural


def answer(cluster: Cluster, request: Request) -> tuple[int, Any]:
    """Status and body of a request; raises RefusedError."""
    user, rules = _account(cluster, request.token)
    if request.path in cluster.pages:
        return 200, cluster.pages[request.path]
    if request.path == "/version":
        return 200, {"major": "1", "minor": "35", "gitVersion": "v1.35.0"}
    place = place_of(request.path)
    verb = VERBS.get(request.method) or ("get" if place.name else "watch" if "watch" in request.query else "list")
    _authorise(user, rules, place, verb)
    if place.subresource and place.subresource != "status":
        return _subresource(cluster, place, request)
    return _verb(cluster, place, verb, request)


def _account(cluster: Cluster, token: str | None) -> tuple[str, tuple[Rule, ...]]:
    if token not in cluster.accounts:
        raise RefusedError(401, "Unauthorized", "Unauthorized")
    return cluster.accounts[token]


def _authorise(user: str, rules: tuple[Rule, ...], place: Place, verb: str) -> None:
    asked = (place.resource.group, place.plural, verb)
    if any(all(own in ("*", want) for own, want in zip(rule, asked, strict=True)) for rule in rules):
        return
    group = place.resource.group
    where = f' in the namespace "{place.namespace}"' if place.namespace else " at the cluster scope"
    named = f' "{place.name}"' if place.name else ""
    what = f'cannot {verb} resource "{place.plural}" in API group "{group}"{where}'
    full = f"{place.resource.plural}.{group}" if group else place.resource.plural
    raise RefusedError(403, "Forbidden", f'{full}{named} is forbidden: User "{user}" {what}')


def _verb(cluster: Cluster, place: Place, verb: str, request: Request) -> tuple[int, Any]:
    resource, namespace, name = place.resource, place.namespace or "", place.name or ""
    if verb == "list":
        return 200, listed(cluster, place, request.query)
    if verb == "watch":
        return 200, None
    if verb == "get":
        return 200, cluster.store.get(resource, namespace, name)
    if verb == "create":
        return 201, cluster.store.create(resource, namespace, request.body)
    if verb == "update":
        return 200, cluster.store.replace(resource, namespace, name, request.body)
    if verb == "patch":
        with cluster.store.changed:
            old = cluster.store.get(resource, namespace, name)
            return 200, cluster.store.replace(resource, namespace, name, _patched(request, old))
    if resource is PODS:
        cluster.controllers.let_go(cluster.store.get(resource, namespace, name))
        return 200, cluster.store.get(resource, namespace, name)
    return 200, cluster.store.remove(resource, namespace, name)


def _patched(request: Request, old: Object) -> Object:
    try:
        return patched(request.content_type, old, request.body)
    except ValueError as error:
        raise RefusedError(
            415, "UnsupportedMediaType", f"the body of the request was in an unknown format: {error}"
        ) from error


def listed(cluster: Cluster, place: Place, query: dict[str, str]) -> Object:
    with cluster.store.changed:
        found = cluster.store.find(
            place.resource, place.namespace, query.get("labelSelector"), query.get("fieldSelector")
        )
        meta: Object = {"resourceVersion": str(cluster.store.version)}
    start, limit = int(query.get("continue") or 0), int(query.get("limit") or 0)
    page = found[start : start + limit] if limit else found[start:]
    if start + len(page) < len(found):
        meta |= {"continue": str(start + len(page)), "remainingItemCount": len(found) - start - len(page)}
    kind = f"{place.resource.kind}List"
    return {"kind": kind, "apiVersion": place.resource.api_version, "metadata": meta, "items": page}


def _subresource(cluster: Cluster, place: Place, request: Request) -> tuple[int, Any]:
    namespace, name = place.namespace or "", place.name or ""
    if place.plural == "pods/eviction" and request.method == "POST":
        return 201, _evict(cluster, namespace, name, request.body)
    if place.plural == "pods/resize" and request.method in ("PATCH", "PUT") and not cluster.without_resize:
        return 200, _resize(cluster, namespace, name, request)
    if place.plural == "pods/log" and request.method == "GET":
        return 200, ("text/plain", _log(cluster, namespace, name, request.query).encode())
    raise RefusedError(404, "NotFound", "the server could not find the requested resource")


def _evict(cluster: Cluster, namespace: str, name: str, body: Object) -> Object:
    """As the registry of pods does it (kubernetes/pkg/registry/core/pod/storage/eviction.go)."""
    with cluster.store.changed:
        pod = cluster.store.get(PODS, namespace, name)
        wanted = ((body.get("deleteOptions") or {}).get("preconditions") or {}).get("uid")
        if wanted not in (None, pod["metadata"]["uid"]):
            message = (
                f"Precondition failed: UID in precondition: {wanted}, UID in object meta: {pod['metadata']['uid']}"
            )
            raise RefusedError(409, "Conflict", message)
        if pod["status"].get("phase") == "Running" and not is_leaving(pod):
            _ask_budgets(cluster, namespace, pod)
        cluster.controllers.let_go(pod)
        for budget in cluster.store.find(BUDGETS, namespace):
            status = cluster.controllers.budget_status(budget)
            cluster.store.change(
                BUDGETS, namespace, budget["metadata"]["name"], lambda one, s=status: one.update(status=s)
            )
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def _ask_budgets(cluster: Cluster, namespace: str, pod: Object) -> None:
    labels = pod["metadata"].get("labels") or {}
    budgets = cluster.store.find(BUDGETS, namespace)
    budgets = [one for one in budgets if labels_match(selector_text(one["spec"].get("selector")), labels)]
    if len(budgets) > 1:
        message = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        raise RefusedError(500, "InternalError", message)
    for budget in budgets:
        status, meta = budget.get("status") or {}, budget["metadata"]
        message = "Cannot evict pod as it would violate the pod's disruption budget."
        if status.get("observedGeneration") != meta["generation"]:
            cause = f"The disruption budget {meta['name']} is still being processed by the server."
            raise RefusedError(429, "TooManyRequests", message, [{"reason": "DisruptionBudget", "message": cause}], 10)
        if not is_ready(pod) and budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
            continue
        if status["disruptionsAllowed"] == 0:
            needs, has = status["desiredHealthy"], status["currentHealthy"]
            cause = f"The disruption budget {meta['name']} needs {needs} healthy pods and has {has} currently"
            raise RefusedError(429, "TooManyRequests", message, [{"reason": "DisruptionBudget", "message": cause}])


def _resize(cluster: Cluster, namespace: str, name: str, request: Request) -> Object:
    """Resources of containers change, and nothing else; the class of service stays (KEP-1287)."""
    with cluster.store.changed:
        old = cluster.store.get(PODS, namespace, name)
        new = _patched(request, old) if request.method == "PATCH" else request.body
        if quality_of_service(new["spec"]) != quality_of_service(old["spec"]):
            raise RefusedError(
                422, "Invalid", f'Pod "{name}" is invalid: spec: Forbidden: Pod QOS Class may not change'
            )
        bare = [[{k: v for k, v in c.items() if k != "resources"} for c in o["spec"]["containers"]] for o in (old, new)]
        if bare[0] != bare[1]:
            raise RefusedError(
                422, "Invalid", f'Pod "{name}" is invalid: spec: Forbidden: only cpu and memory are mutable'
            )
        return cluster.store.replace(PODS, namespace, name, {**old, "spec": new["spec"]})


def _log(cluster: Cluster, namespace: str, name: str, query: dict[str, str]) -> str:
    pod = cluster.store.get(PODS, namespace, name)
    container = query.get("container") or pod["spec"]["containers"][0]["name"]
    key = f"{container} (previous)" if query.get("previous") == "true" else container
    lines = cluster.logs.get((namespace, name, key), "").splitlines(keepends=True)
    kept = lines[-int(query["tailLines"]) :] if "tailLines" in query else lines
    return "".join(kept)[: int(query.get("limitBytes", 2**30))]


def place_of(path: str) -> Place:
    """What a path names; raises RefusedError for one that names nothing."""
    match = re.fullmatch(r"/(?:api/(v1)|apis/([^/]+)/([^/]+))/(.+)", path)
    if match is None:
        raise RefusedError(404, "NotFound", "the server could not find the requested resource")
    core, group, version, rest = match.groups()
    namespace, parts = None, [unquote(part) for part in rest.split("/")]
    if parts[0] == "namespaces" and len(parts) > 2:
        namespace, parts = parts[1], parts[2:]
    resource = RESOURCES.get((group or "", core or version, parts[0]))
    if resource is None or len(parts) > 3:
        raise RefusedError(404, "NotFound", "the server could not find the requested resource")
    if not resource.namespaced:
        namespace = ""
    return Place(resource, namespace, *parts[1:])
