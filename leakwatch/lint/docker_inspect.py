"""What ``docker inspect`` prints: an array with an object for each container."""

from collections.abc import Iterator

from leakwatch.lint.compose import environment_of
from leakwatch.lint.servers import read_command, server_of, unwrapped
from leakwatch.lint.source_text import SourceText
from leakwatch.lint.subjects import Amount, Container, Mount, Platform, Port, Workload
from leakwatch.lint.words import words_of
from leakwatch.lint.yaml_tree import Form, Node


def is_inspect(root: Node) -> bool:
    """Whether a document is the inspection of containers."""
    return root.form is Form.LIST and any(one["HostConfig"] and one["Config"] for one in root.items)


def objects_of(root: Node, source: SourceText) -> Iterator[Workload | Container]:
    """Each container, with a workload of its own."""
    for node in root.items:
        if node["HostConfig"] and node["Config"]:
            name = node["Name"].text.lstrip("/")
            workload = Workload(source, Platform.INSPECT, "docker inspect", name, node=node)
            yield workload
            yield _container(name, node, workload)


def _container(name: str, node: Node, workload: Workload) -> Container:
    config, host = node["Config"], node["HostConfig"]
    environment = environment_of(config["Env"])
    words = unwrapped((*words_of(config["Entrypoint"]), *words_of(config["Cmd"])))
    server = server_of(config["Image"].text, words)
    plain = {key: value.text for key, value in environment.items()}
    overrides = bool(config["Entrypoint"])
    flags, values = read_command(server, words, plain, overrides)
    cpus = host["NanoCpus"].number
    return Container(
        workload.source,
        workload,
        name,
        node,
        config["Image"],
        environment,
        words,
        overrides,
        server,
        flags,
        values,
        _amount(host["Memory"]),
        _amount(host["MemoryReservation"]),
        Amount(cpus / 1e9, host["NanoCpus"]) if cpus else None,
        _swap(host["MemorySwap"]),
        host["Memory"],
        tuple(_mounts(node["Mounts"])),
        tuple(_ports(config["ExposedPorts"])),
    )


def _amount(node: Node) -> Amount | None:
    return Amount(node.number, node) if node.number else None


def _swap(node: Node) -> Amount | None:
    return Amount(float("inf"), node) if node.number == -1 else _amount(node)


def _mounts(node: Node) -> Iterator[Mount]:
    for mount in node.items:
        yield Mount(
            mount["Destination"].text, mount["RW"].truth is False, mount, host_path=mount["Source"].text or None
        )


def _ports(node: Node) -> Iterator[Port]:
    for name, value in node.entries.items():
        number = name.partition("/")[0]
        if number.isdigit():
            yield Port(int(number), "", value)
