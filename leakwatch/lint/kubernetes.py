"""Kubernetes objects: those with pods as workloads and containers, the others as they are."""

from collections.abc import Iterator

from leakwatch.lint.quantity import kubernetes_quantity
from leakwatch.lint.servers import read_command, server_of, unwrapped
from leakwatch.lint.source_text import SourceText
from leakwatch.lint.subjects import Amount, Container, ContainerPatch, Mount, Platform, Port, Resource, Workload
from leakwatch.lint.words import words_of
from leakwatch.lint.yaml_tree import MISSING, Form, Node

_TEMPLATES = {
    "Pod": (),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "ReplicationController": ("spec", "template"),
    "Job": ("spec", "template"),
    "Rollout": ("spec", "template"),
}
"""Where in an object of a kind the pod stands."""


def is_kubernetes(root: Node) -> bool:
    """Whether a YAML document is a Kubernetes object."""
    return bool(root["apiVersion"].text and root["kind"].text)


def is_kustomization(root: Node, file: str) -> bool:
    """Whether a document is a kustomization, which may leave out its kind."""
    return file.rpartition("/")[2].startswith("kustomization.") and root.form is Form.MAP


def kustomization(root: Node, source: SourceText) -> Resource:
    """A kustomization, whose ``images`` say what tags become."""
    return Resource(source, "Kustomization", "", "", root)


def objects_of(root: Node, source: SourceText) -> Iterator[Workload | Container | ContainerPatch | Resource]:
    """What an object, or each of a List, holds."""
    if root["kind"].text.endswith("List") and root["items"]:
        for item in root["items"].items:
            if is_kubernetes(item) and not item["items"]:
                yield from _object(item, source)
    else:
        yield from _object(root, source)


def _object(root: Node, source: SourceText) -> Iterator[Workload | Container | ContainerPatch | Resource]:
    kind, metadata = root["kind"].text, root["metadata"]
    name, namespace = metadata["name"].text or metadata["generateName"].text, metadata["namespace"].text
    if kind == "InferenceService":
        predictor = root.at("spec", "predictor")
        holder, pod = root, predictor
    elif kind in _TEMPLATES:
        holder = root.at(*_TEMPLATES[kind])
        pod = holder["spec"]
    else:
        yield Resource(source, kind, name, namespace, root)
        return
    replicas = root.at("spec", "replicas").number
    about = holder["metadata"]
    workload = Workload(
        source,
        Platform.KUBERNETES,
        kind,
        name,
        namespace,
        {key: value.text for key, value in about["labels"].entries.items()},
        {**root.at("metadata", "annotations").entries, **about["annotations"].entries},
        int(replicas) if replicas is not None and abs(replicas) < 1e9 else None,
        root,
        pod,
        about,
    )
    yield workload
    for part in ("containers", "initContainers"):
        for node in pod[part].items:
            if node["image"]:
                is_init = part == "initContainers" and node["restartPolicy"].text != "Always"
                yield _container(node, workload, is_init)
            else:  # part of a patch: what it lacks stands elsewhere
                yield ContainerPatch(source, workload, node["name"].text, node)


def _container(node: Node, workload: Workload, is_init: bool) -> Container:
    environment = {
        entry["name"].text: entry["value"] if entry["value"].present else entry["valueFrom"]
        for entry in node["env"].items
        if entry["name"].text
    }
    words = unwrapped((*words_of(node["command"]), *words_of(node["args"])))
    image = node["image"].text
    server = server_of(image, words)
    plain = {name: value.text for name, value in environment.items()}
    overrides = bool(node["command"])
    flags, values = read_command(server, words, plain, overrides)
    resources = node["resources"]
    return Container(
        workload.source,
        workload,
        node["name"].text,
        node,
        node["image"],
        environment,
        words,
        overrides,
        server,
        flags,
        values,
        _amount(resources.at("limits", "memory")),
        _amount(resources.at("requests", "memory")),
        _amount(resources.at("limits", "cpu")),
        None,
        resources,
        tuple(_mounts(node, workload.pod)),
        tuple(_ports(node)),
        is_init,
    )


def _amount(node: Node) -> Amount | None:
    value = kubernetes_quantity(node.text)
    return None if value is None else Amount(value, node)


def _mounts(node: Node, pod: Node) -> Iterator[Mount]:
    volumes = {volume["name"].text: volume for volume in pod["volumes"].items}
    for mount in node["volumeMounts"].items:
        volume = volumes.get(mount["name"].text, MISSING)
        host_path = volume.at("hostPath", "path").text or None
        read_only = mount["readOnly"].truth is True or "configMap" in volume.entries or "secret" in volume.entries
        yield Mount(mount["mountPath"].text, read_only, mount, volume, host_path)


def _ports(node: Node) -> Iterator[Port]:
    for port in node["ports"].items:
        number = port["containerPort"].number
        if number is not None and 0 < number < 65536:
            yield Port(int(number), port["name"].text, port["containerPort"])
