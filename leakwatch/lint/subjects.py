"""What rules look at: the parts of manifests, compose files and configurations, each with its place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from leakwatch.findings import Edit
from leakwatch.lint.source_text import SourceText
from leakwatch.lint.tf_flags import Flag
from leakwatch.lint.words import Word
from leakwatch.lint.yaml_tree import MISSING, Node


class Server(StrEnum):
    """A model server, by the name that people call it."""

    TF_SERVING = "TF Serving"
    TRITON = "Triton"
    TORCHSERVE = "TorchServe"


class Platform(StrEnum):
    """What runs a container."""

    KUBERNETES = "Kubernetes"
    COMPOSE = "compose"
    INSPECT = "docker inspect"
    SCRIPT = "a shell script"


@dataclass(frozen=True, slots=True, eq=False)
class Workload:
    """What containers run in: a Kubernetes object with a pod, a compose file, an inspected container, a script.

    Attributes:
        kind: ``Deployment``, ``Pod``, ``compose``, ...
        labels, annotations: of its pods.
        replicas: as written; None where it is not.
        node: the object; ``pod``: its pod's spec (MISSING but in Kubernetes).
    """

    source: SourceText
    platform: Platform
    kind: str
    name: str
    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, Node] = field(default_factory=dict)
    replicas: int | None = None
    node: Node = MISSING
    pod: Node = MISSING
    pod_metadata: Node = MISSING


@dataclass(frozen=True, slots=True)
class Amount:
    """Bytes or CPUs, and the node that says so."""

    value: float
    node: Node


@dataclass(frozen=True, slots=True)
class Mount:
    """A volume in a container: ``origin`` is the volume's node (Kubernetes) or the path on the host (None: unknown)."""

    path: str
    read_only: bool
    node: Node
    volume: Node = MISSING
    host_path: str | None = None


@dataclass(frozen=True, slots=True)
class Port:
    """A port that a container says it has, or that is reached in it."""

    number: int
    name: str
    node: Node


@dataclass(frozen=True, slots=True, eq=False)
class Container:
    """One container.

    Attributes:
        node: the mapping that describes it; edits start from there.
        image: MISSING where it is built.
        environment: by name; a value that comes from elsewhere is a mapping.
        words: the whole command line as far as it is given; ``overrides_entrypoint``: the image's own is not run.
        flags: of ``tensorflow_model_server``; ``values``: what it takes from them, the stock entrypoint's included.
        memory_limit, memory_request: bytes; cpu_limit: CPUs; swap_limit: bytes of memory and swap, inf for no bound.
    """

    source: SourceText
    workload: Workload
    name: str
    node: Node
    image: Node
    environment: Mapping[str, Node]
    words: tuple[Word, ...]
    overrides_entrypoint: bool
    server: Server | None
    flags: tuple[Flag, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    memory_limit: Amount | None = None
    memory_request: Amount | None = None
    cpu_limit: Amount | None = None
    swap_limit: Amount | None = None
    resources: Node = MISSING
    mounts: tuple[Mount, ...] = ()
    ports: tuple[Port, ...] = ()
    is_init: bool = False

    @property
    def line(self) -> int:
        """Where it begins."""
        return self.node.where

    @property
    def said(self) -> str:
        """How a sentence names it."""
        return f"{self.server or 'container'} {self.name!r}" if self.name else str(self.server or "container")

    def port(self, flag: str) -> int | None:
        """The port that ``port`` or ``rest_api_port`` opens; None where it is closed, or not a number that we know."""
        text = self.values.get(flag, "0")
        return int(text) if text.isdigit() and int(text) else None

    def knows_port(self, flag: str) -> bool:
        """Whether we know if that port is open: no variable stands in its place."""
        return self.values.get(flag, "0").isdigit()


@dataclass(frozen=True, slots=True, eq=False)
class ContainerPatch:
    """A container without an image: kustomize merges it into the one of that name in the object of the same name."""

    source: SourceText
    workload: Workload
    name: str
    node: Node


@dataclass(frozen=True, slots=True, eq=False)
class Resource:
    """A Kubernetes object without pods: an autoscaler, a disruption budget, a monitor, ..."""

    source: SourceText
    kind: str
    name: str
    namespace: str
    node: Node


@dataclass(frozen=True, slots=True, eq=False)
class YamlText:
    """One YAML document as such."""

    source: SourceText
    duplicates: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A file with template syntax that is not filled in; ``line`` is of the first place."""

    source: SourceText
    line: int


@dataclass(frozen=True, slots=True, eq=False)
class PrometheusRule:
    """One alerting or recording rule; ``node`` is its mapping, ``expression`` the query."""

    source: SourceText
    node: Node
    expression: Node

    @property
    def name(self) -> str:
        """The alert's or the record's name."""
        return self.node["alert"].text or self.node["record"].text

    def line_of(self, text: str) -> int:
        """The line of the expression that holds a text, its first line where none does."""
        lines = range(self.expression.line, self.expression.end_line + 1)
        return next((line for line in lines if text in self.source.line(line)), self.expression.line)

    def replaced(self, old: str, new: str) -> tuple[Edit, ...]:
        """The edit that puts one text of the expression for another."""
        return self.source.replaced(self.line_of(old), old, new)


@dataclass(frozen=True, slots=True, eq=False)
class ScrapeJob:
    """One ``scrape_configs`` entry of a Prometheus configuration."""

    source: SourceText
    node: Node


@dataclass(frozen=True, slots=True, eq=False)
class ModelFolder:
    """A folder with a SavedModel, as it lies on this disk.

    Attributes:
        path: the base path: the folder that holds the versions.
        versions: bytes by the name of the version's folder.
        unversioned: a SavedModel lies in the base path itself.
        unreadable: paths in it that not everybody may read.
        odd: other folders with a SavedModel whose names are no whole numbers.
    """

    source: SourceText
    path: str
    versions: Mapping[str, int]
    unversioned: bool
    unreadable: tuple[str, ...]
    odd: tuple[str, ...]
