"""YAML read with its lines: every mistake is noted where it stands, and none stops the reading."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import yaml

from playbooks.types import Operand, Value

_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where PyYAML has it: some ten times faster
_scalars = yaml.constructor.SafeConstructor()
_SCALAR_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool")}


DEEPEST = 20
"""More than any tree needs; libyaml composes by recursion, and 100,000 brackets would overrun the stack."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake and its 1-based line."""

    line: int
    what: str


def line_of(node: yaml.Node) -> int:
    """The 1-based line on which a node begins."""
    return int(node.start_mark.line) + 1


def _too_deep(text: str) -> bool:
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            return True
    return False


@dataclass(slots=True)
class Reader:
    """Reads YAML nodes into plain values and notes what is wrong with them.

    Every method returns None (or leaves the key out) where it noted a problem, so that the reading can go on.
    """

    problems: list[Problem] = field(default_factory=list)

    def note(self, node: yaml.Node, what: str) -> None:
        """Note a mistake on the node's line."""
        self.problems.append(Problem(line_of(node), what))

    def root(self, text: str) -> yaml.Node | None:
        """The document's node. A text that is no YAML at all is one problem."""
        try:
            if _too_deep(text):
                self.problems.append(Problem(1, f"not a playbook: nested more than {DEEPEST} levels deep"))
                return None
            node = yaml.compose(text, Loader=_Loader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self.problems.append(Problem(mark.line + 1 if mark else 1, f"not YAML: {error.problem}"))
        except yaml.YAMLError as error:
            self.problems.append(Problem(1, f"not YAML: {' '.join(str(error).split())}"))
        else:
            if node is None:
                self.problems.append(Problem(1, "the file is empty"))
            return node
        return None

    def entries(self, node: yaml.Node, what: str) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """The (key, value) nodes of a mapping, by key; a key that stands there twice is a mistake."""
        if not isinstance(node, yaml.MappingNode):
            self.note(node, f"{what} must be a mapping")
            return {}
        found: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.note(key, f"{what} has a key that is no word")
            elif key.value in found:
                self.note(key, f"{what} has {key.value!r} twice (first on line {line_of(found[key.value][0])})")
            else:
                found[key.value] = (key, value)
        return found

    def fields(
        self, node: yaml.Node, what: str, required: Iterable[str], optional: Iterable[str] = ()
    ) -> dict[str, yaml.Node]:
        """The value nodes of a mapping with fixed keys: a missing or an unknown key is a mistake."""
        required, optional = [str(name) for name in required], [str(name) for name in optional]
        found = self.entries(node, what)
        for name, (key, _) in found.items():
            if name not in required + optional:
                self.note(key, f"{what} has an unknown key {name!r}; it takes {', '.join(required + optional)}")
        if isinstance(node, yaml.MappingNode):
            for name in required:
                if name not in found:
                    self.note(node, f"{what} lacks {name!r}")
        return {name: value for name, (_, value) in found.items()}

    def items(self, node: yaml.Node, what: str) -> list[yaml.Node]:
        """The nodes of a list that is not empty."""
        if isinstance(node, yaml.SequenceNode) and node.value:
            return list(node.value)
        self.note(node, f"{what} must be a list that is not empty")
        return []

    def text(self, node: yaml.Node | None, what: str) -> str | None:
        """A string that is not empty; None for a node that is missing (which was noted before)."""
        if node is None:
            return None
        if isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:str" and node.value.strip():
            return str(node.value)
        bare = isinstance(node, yaml.ScalarNode) and bool(node.value.strip())
        self.note(node, f"{what} must be a text" + (f"; put {node.value} in quotes" if bare else " that is not empty"))
        return None

    def scalar(self, node: yaml.Node, what: str) -> Value | None:
        """A word, a finite number or yes/no."""
        if isinstance(node, yaml.ScalarNode) and node.tag in _SCALAR_TAGS:
            try:
                value: Value = _scalars.construct_object(node)
            except (ValueError, KeyError):
                self.note(node, f"{what} cannot be read as {node.tag.rpartition(':')[2]}")
                return None
            if not isinstance(value, float) or math.isfinite(value):
                return value
        self.note(node, f"{what} must be one word, finite number or true/false")
        return None

    def operand(self, node: yaml.Node, what: str) -> Operand | None:
        """A scalar, or a list of words."""
        if not isinstance(node, yaml.SequenceNode):
            return self.scalar(node, what)
        words = [self.text(item, what) for item in self.items(node, what)]
        return tuple(word for word in words if word is not None) or None
