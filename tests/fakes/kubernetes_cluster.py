"""A fake cluster: its objects, its controllers, and who may ask for what."""

import time
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.kubernetes_controllers import Controllers
from tests.fakes.kubernetes_kubelet import is_leaving, is_ready
from tests.fakes.kubernetes_store import PODS, RESOURCES, Object, Store

Rule = tuple[str, str, str]
"""API group, resource (``pods``, ``pods/eviction``) and verb; ``*`` is any."""

EVERYTHING: tuple[Rule, ...] = (("*", "*", "*"),)


@dataclass
class Cluster:
    """``accounts`` holds a name and rules for each token; ``pages`` is whatever else is to be served, by path.

    ``logs`` is by namespace, pod and container (``serving (previous)``: of the life before).
    """

    store: Store = field(default_factory=Store)
    accounts: dict[str, tuple[str, tuple[Rule, ...]]] = field(default_factory=lambda: {"admin": ("admin", EVERYTHING)})
    pages: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    logs: dict[tuple[str, str, str], str] = field(default_factory=dict)
    without_resize: bool = False

    def __post_init__(self) -> None:
        self.controllers = Controllers(self.store)
        self.kubelet = self.controllers.kubelet

    def create(self, plural: str, namespace: str, obj: Object, group: str = "", version: str = "v1") -> Object:
        """Puts an object there without asking who may."""
        return self.store.create(RESOURCES[group, version, plural], namespace, obj)

    def add_deployment(self, namespace: str, name: str, replicas: int, **container: Any) -> Object:
        """A deployment with one container ``serving``; its pods follow by themselves."""
        labels = {"app": name}
        spec = {"name": "serving", "image": "tensorflow/serving:2.19.1", **container}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [spec]}}
        wanted = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
        obj = {"metadata": {"name": name, "labels": labels}, "spec": wanted}
        return self.create("deployments", namespace, obj, group="apps")

    def add_budget(self, namespace: str, name: str, app: str, **spec: Any) -> Object:
        """A disruption budget for the pods of an app: ``minAvailable=2`` or ``maxUnavailable=1``."""
        budget = {"metadata": {"name": name}, "spec": {"selector": {"matchLabels": {"app": app}}, **spec}}
        return self.create("poddisruptionbudgets", namespace, budget, group="policy")

    def add_node(self, name: str, memory: str = "64Gi") -> Object:
        """A node; pods made later are on the first one."""
        room = {"memory": memory, "cpu": "16"}
        return self.create("nodes", "", {"metadata": {"name": name}, "status": {"capacity": room, "allocatable": room}})

    def ready_pods(self, namespace: str, labels: str = "") -> list[Object]:
        """Pods that serve and stay."""
        pods = self.store.find(PODS, namespace, labels)
        return [pod for pod in pods if is_ready(pod) and not is_leaving(pod)]

    def wait_for(self, condition: Any, deadline_seconds: float = 30.0) -> Any:
        """The first true value of a function of no arguments; AssertionError after the deadline."""
        end = time.monotonic() + deadline_seconds
        while not (value := condition()):
            assert time.monotonic() < end, "the fake cluster did not get there in time"
            with self.store.changed:
                self.store.changed.wait(0.05)
        return value
