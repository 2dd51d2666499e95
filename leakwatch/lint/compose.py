"""Compose files: each service is a container of one workload, the file
(https://docs.docker.com/reference/compose-file/services/)."""

import os
import re
from collections.abc import Iterator

from leakwatch.lint.quantity import docker_bytes
from leakwatch.lint.servers import read_command, server_of, unwrapped
from leakwatch.lint.source_text import SourceText
from leakwatch.lint.subjects import Amount, Container, Mount, Platform, Port, Workload
from leakwatch.lint.words import words_of
from leakwatch.lint.yaml_tree import MISSING, Form, Node

_SERVICE_KEYS = frozenset({"image", "build", "extends"})


def is_compose(root: Node) -> bool:
    """Whether a YAML document is a compose file: services that have an image, are built, or extend another."""
    services = root["services"]
    return services.form is Form.MAP and any(_SERVICE_KEYS & set(one.entries) for one in services.entries.values())


def objects_of(root: Node, source: SourceText) -> Iterator[Workload | Container]:
    """The file as a workload, and its services as containers."""
    workload = Workload(source, Platform.COMPOSE, "compose", root["name"].text, node=root)
    yield workload
    for name, node in root["services"].entries.items():
        if node["image"] or node["build"]:
            yield _container(name, node, workload)


def environment_of(node: Node) -> dict[str, Node]:
    """By name: a mapping, or a list of NAME=VALUE whose nodes hold the value alone."""
    if node.form is Form.MAP:
        return dict(node.entries)
    found = {}
    for item in node.items:
        name, _, value = item.text.partition("=")
        if name:
            found[name] = Node(Form.SCALAR, item.line, item.end_line, item.line, item.column, item.flow, "'", value)
    return found


def volumes_of(node: Node, folder: str | None) -> Iterator[Mount]:
    """The mounts of a list of volumes, short or long; a relative path on the host starts from ``folder``."""
    for item in node.items:
        if item.form is Form.MAP:
            source, target, read_only = item["source"].text, item["target"].text, item["read_only"].truth is True
        else:
            source, target, options = _short_volume(item.text)
            read_only = "ro" in options.split(",")
        is_path = source.startswith((".", "/", "~"))
        host_path = os.path.join(folder, os.path.expanduser(source)) if is_path and folder is not None else None
        yield Mount(target, read_only, item, MISSING, host_path)


def _short_volume(text: str) -> tuple[str, str, str]:
    """SOURCE, TARGET and OPTIONS of ``SOURCE:TARGET:OPTIONS``; the colon of a default in ``${X:-y}`` is none."""
    parts = re.split(r":(?![^{]*\})", text)
    if len(parts) == 1:
        return "", parts[0], ""
    return parts[0], parts[1], parts[2] if len(parts) > 2 else ""


def _container(name: str, node: Node, workload: Workload) -> Container:
    environment = environment_of(node["environment"])
    words = unwrapped((*words_of(node["entrypoint"]), *words_of(node["command"])))
    server = server_of(node["image"].text, words)
    plain = {key: value.text for key, value in environment.items()}
    overrides = bool(node["entrypoint"]) or bool(words) and words[0].text.endswith("tensorflow_model_server")
    flags, values = read_command(server, words, plain, overrides)
    limits, reservations = (node.at("deploy", "resources", part) for part in ("limits", "reservations"))
    cpus = limits["cpus"] or node["cpus"]
    memory_limit = _amount(limits["memory"]) or _amount(node["mem_limit"])
    return Container(
        workload.source,
        workload,
        name,
        node,
        node["image"],
        environment,
        words,
        overrides,
        server,
        flags,
        values,
        memory_limit,
        _amount(reservations["memory"]) or _amount(node["mem_reservation"]),
        Amount(cpus.number, cpus) if cpus.number else None,
        _swap(node["memswap_limit"]),
        node["deploy"],
        tuple(volumes_of(node["volumes"], workload.source.folder)),
        tuple(_ports(node)),
    )


def _amount(node: Node) -> Amount | None:
    value = docker_bytes(node.text)
    return Amount(value, node) if value else None


def _swap(node: Node) -> Amount | None:
    if node.text.strip() == "-1":
        return Amount(float("inf"), node)
    return _amount(node)


def _ports(node: Node) -> Iterator[Port]:
    for item in (*node["ports"].items, *node["expose"].items):
        target = item["target"].text if item.form is Form.MAP else item.text.partition("/")[0].rpartition(":")[2]
        if target.isdigit():
            yield Port(int(target), "", item)
