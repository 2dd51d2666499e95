"""All that one run looks at, and who belongs to whom: containers to their configurations, budgets to workloads."""

import os
import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from leakwatch.lint.configurations import BatchingConfig, Field, ModelConfig, MonitoringConfig
from leakwatch.lint.quantity import kubernetes_quantity
from leakwatch.lint.subjects import Container, ContainerPatch, ModelFolder, PrometheusRule, Resource, Server, Workload
from leakwatch.lint.yaml_tree import Node

T = TypeVar("T")
Configuration = TypeVar("Configuration", ModelConfig, BatchingConfig, MonitoringConfig)
MODEL_SIZE_ANNOTATION = "leakwatch/model-size"
"""On a pod: what one version of its largest model takes, where the model does not lie on this disk."""

_FILE_FLAGS: dict[type, str] = {
    ModelConfig: "model_config_file",
    BatchingConfig: "batching_parameters_file",
    MonitoringConfig: "monitoring_config_file",
}


@dataclass(frozen=True, slots=True)
class Served:
    """A model that a server is told to serve; ``folder`` None where it does not lie on this disk."""

    name: str
    base_path: str
    policy: Field | None
    folder: ModelFolder | None


@dataclass(frozen=True, eq=False)
class Project:
    """Everything in one run.

    Attributes:
        subjects: in the order of files and lines.
        model_size_bytes: of one version, as the caller knows it.
    """

    subjects: tuple[object, ...]
    model_size_bytes: float | None = None
    folders: Mapping[str, ModelFolder] = field(default_factory=dict)

    def every(self, kind: type[T]) -> tuple[T, ...]:
        """The subjects of one type."""
        return tuple(self._by_type.get(kind, ()))

    @cached_property
    def _by_type(self) -> dict[type, list[Any]]:
        found: dict[type, list[Any]] = {}
        for subject in self.subjects:
            found.setdefault(type(subject), []).append(subject)
        return found

    @cached_property
    def _containers(self) -> dict[int, list[Container]]:
        found: dict[int, list[Container]] = {}
        for container in self.every(Container):
            found.setdefault(id(container.workload), []).append(container)
        return found

    @cached_property
    def _resources(self) -> dict[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for resource in self.every(Resource):
            found.setdefault(resource.kind, []).append(resource)
        return found

    @cached_property
    def _called(self) -> dict[tuple[type, str], ModelConfig | BatchingConfig | MonitoringConfig]:
        """Configurations by what their file, or their key in a ConfigMap, is called; the first of a name."""
        found: dict[tuple[type, str], ModelConfig | BatchingConfig | MonitoringConfig] = {}
        for one in self.subjects:
            if isinstance(one, ModelConfig | BatchingConfig | MonitoringConfig):
                for name in (os.path.basename(one.source.file), one.source.key):
                    found.setdefault((type(one), name), one)
        return found

    @cached_property
    def _readers(self) -> dict[int, Container]:
        """The first server that reads a configuration, by the configuration's id."""
        found: dict[int, Container] = {}
        for server in self._servers:
            for kind in _FILE_FLAGS:
                configuration: object = self.configuration(server, kind)
                if configuration is not None:
                    found.setdefault(id(configuration), server)
        return found

    @cached_property
    def _workloads(self) -> dict[tuple[str, str], list[Workload]]:
        found: dict[tuple[str, str], list[Workload]] = {}
        for workload in self.every(Workload):
            found.setdefault((workload.kind, workload.name), []).append(workload)
        return found

    @cached_property
    def _servers(self) -> tuple[Container, ...]:
        return tuple(one for one in self.every(Container) if one.server is Server.TF_SERVING)

    @cached_property
    def recorded(self) -> frozenset[str]:
        """The names that recording rules give."""
        return frozenset(rule.node["record"].text for rule in self.every(PrometheusRule))

    def containers(self, workload: Workload) -> tuple[Container, ...]:
        """The containers of a workload."""
        return tuple(self._containers.get(id(workload), ()))

    def server(self, workload: Workload) -> Container | None:
        """The model server in a workload, None where it has none."""
        return next((one for one in self.containers(workload) if one.server and not one.is_init), None)

    def resources(self, *kinds: str) -> tuple[Resource, ...]:
        """The objects of these kinds."""
        return tuple(one for kind in kinds for one in self._resources.get(kind, ()))

    def named(self, kind: str, name: str, namespace: str) -> Workload | None:
        """A workload by kind and name, in that namespace where both say one."""
        return next((w for w in self._workloads.get((kind, name), ()) if same_namespace(w.namespace, namespace)), None)

    def selected(self, selector: Node, namespace: str) -> tuple[Workload, ...]:
        """The workloads whose pods a ``matchLabels`` selector takes; one that is empty or says more takes none."""
        labels = {key: value.text for key, value in selector["matchLabels"].entries.items()}
        if not labels or selector["matchExpressions"]:
            return ()
        return tuple(
            workload
            for workload in self.every(Workload)
            if same_namespace(workload.namespace, namespace) and labels.items() <= workload.labels.items()
        )

    def patched(self, container: Container, *path: str) -> bool:
        """Whether a patch in the same run says something under a path of a container."""
        of = container.workload
        return any(
            patch.node.at(*path)
            for patch in self._patches.get((of.kind, of.name, container.name), ())
            if same_namespace(patch.workload.namespace, of.namespace)
        )

    def retagged(self, image: str) -> bool:
        """Whether a kustomization in the same run gives an image its tag or digest."""
        name = re.split(r"[:@](?!.*/)", image)[0]
        return any(
            one["name"].text == name and (one["newTag"] or one["digest"])
            for kustomization in self.resources("Kustomization")
            for one in kustomization.node["images"].items
        )

    @cached_property
    def _patches(self) -> dict[tuple[str, str, str], list[ContainerPatch]]:
        found: dict[tuple[str, str, str], list[ContainerPatch]] = {}
        for patch in self.every(ContainerPatch):
            found.setdefault((patch.workload.kind, patch.workload.name, patch.name), []).append(patch)
        return found

    def replicas(self, workload: Workload) -> int | None:
        """How many at least: the autoscaler's minimum, or as written, or one; None where pods have no number."""
        for scaler in self.resources("HorizontalPodAutoscaler"):
            if targets(scaler.node.at("spec", "scaleTargetRef"), workload, scaler.namespace):
                return int(scaler.node.at("spec", "minReplicas").number or 1)
        if workload.replicas is not None:
            return workload.replicas
        return 1 if workload.kind in ("Deployment", "StatefulSet", "ReplicaSet") else None

    def configuration(self, container: Container, kind: type[Configuration]) -> Configuration | None:
        """The configuration that a server's flag names, found among the files by its name, or as the only one."""
        path = container.values.get(_FILE_FLAGS[kind])
        if not path:
            return None
        one = self._called.get((kind, posixpath.basename(path)))
        if one is None:
            every = self.every(kind)
            alone = len(every) == 1 and sum(_FILE_FLAGS[kind] in server.values for server in self._servers) == 1
            one = every[0] if alone else None
        return one if isinstance(one, kind) else None

    def server_with(self, configuration: ModelConfig | BatchingConfig | MonitoringConfig) -> Container | None:
        """The server that reads a configuration; None where none of those seen does."""
        return self._readers.get(id(configuration))

    def served(self, container: Container) -> tuple[Served, ...]:
        """The models that a TF Serving container is told to serve."""
        if container.server is not Server.TF_SERVING:
            return ()
        if "model_config_file" not in container.values:
            base, name = container.values.get("model_base_path", ""), container.values.get("model_name", "")
            return (Served(name, base, None, self.folder(container, base)),)
        config = self.configuration(container, ModelConfig)
        return tuple(self._served(container, model) for model in models_of(config)) if config else ()

    def _served(self, container: Container, model: Field) -> Served:
        base = model.word("base_path") or ""
        policy = next(iter(model.all("model_version_policy")), None)
        return Served(model.word("name") or "", base, policy, self.folder(container, base))

    def folder(self, container: Container, base_path: str) -> ModelFolder | None:
        """Where a base path inside a container lies on this disk: through its mounts, or by its last name."""
        base = posixpath.normpath(base_path) if base_path.startswith("/") else ""
        for mount in sorted(container.mounts, key=lambda mount: -len(mount.path)):
            inside = posixpath.normpath(mount.path) if mount.path else ""
            if inside and mount.host_path and (base == inside or base.startswith(inside.rstrip("/") + "/")):
                path = os.path.normpath(os.path.join(mount.host_path, posixpath.relpath(base, inside)))
                if path in self.folders:
                    return self.folders[path]
        name = posixpath.basename(base)
        same = [one for one in self.folders.values() if name and os.path.basename(os.path.abspath(one.path)) == name]
        return same[0] if len(same) == 1 else None

    def version_bytes(self, container: Container, served: Served) -> float | None:
        """What the newest version of a model takes on disk, or as the caller or an annotation says."""
        folder = served.folder
        if folder is not None and folder.versions:
            return float(folder.versions[max(folder.versions, key=int)])
        if self.model_size_bytes is not None:
            return self.model_size_bytes
        noted = container.workload.annotations.get(MODEL_SIZE_ANNOTATION)
        return kubernetes_quantity(noted.text.removesuffix("B")) if noted is not None else None


def models_of(config: ModelConfig) -> tuple[Field, ...]:
    """The ``config`` entries of a model configuration."""
    return tuple(model for models in config.root.all("model_config_list") for model in models.all("config"))


def targets(reference: Node, workload: Workload, namespace: str) -> bool:
    """Whether a ``scaleTargetRef`` or ``targetRef`` names a workload."""
    same = reference["kind"].text == workload.kind and reference["name"].text == workload.name
    return same and bool(workload.name) and same_namespace(workload.namespace, namespace)


def same_namespace(one: str, other: str) -> bool:
    """Whether two objects may share a namespace: one that is not written is wherever it is applied."""
    return not one or not other or one == other


def found_folders(paths: Iterable[str]) -> dict[str, ModelFolder]:
    """Model folders by their normal path."""
    from leakwatch.lint.model_folders import base_path_of, model_folder

    bases = dict.fromkeys(os.path.normpath(base_path_of(path)) for path in paths)
    return {base: model_folder(base) for base in bases}
