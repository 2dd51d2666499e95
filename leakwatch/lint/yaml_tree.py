"""YAML and JSON as trees whose every node knows its line, made from PyYAML's events without recursion.

Aliases share their node, so that a "billion laughs" costs nothing; what is nested too deep, or refers to itself, is
refused.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

import yaml

_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where PyYAML has it: some ten times faster
DEEPEST = 100
"""Levels of nesting; manifests have some fifteen (a CronJob's probes), dashboards as JSON some thirty."""
_MOST_DUPLICATES = 20
"""Told in a document; more of them are rubbish."""
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE, _FALSE = frozenset({"true", "yes", "on"}), frozenset({"false", "no", "off"})
_JSON_START = re.compile(r"\s*[\[{]")


class YamlError(ValueError):
    """No YAML: what is wrong, and the 1-based line in the text."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line, self.what = line, what


class Form(Enum):
    """What a node is."""

    MISSING = auto()
    SCALAR = auto()
    LIST = auto()
    MAP = auto()


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A value with its place. Asking it for what it does not hold gives `MISSING`, which is false.

    Attributes:
        line, end_line: the lines of the file where it begins and ends; ``key_line``: of the key it stands under.
        column: 0-based, where its key stands (an item of a list: where it itself begins).
        flow: written with brackets, or inside such.
        style: of a scalar: ``|``, ``>``, quotes, or empty for a plain one.
        text: of a scalar, as written; empty for all else.
    """

    form: Form = Form.MISSING
    line: int = 0
    end_line: int = 0
    key_line: int = 0
    column: int = 0
    flow: bool = False
    style: str = ""
    text: str = ""
    items: tuple["Node", ...] = ()
    entries: dict[str, "Node"] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.form is not Form.MISSING and not self.is_null

    def __getitem__(self, key: str) -> "Node":
        return self.entries.get(key, MISSING)

    def at(self, *path: str) -> "Node":
        """The node under these keys."""
        node = self
        for key in path:
            node = node[key]
        return node

    @property
    def is_null(self) -> bool:
        """Nothing, ``~`` or ``null``."""
        return self.form is Form.SCALAR and self.style == "" and self.text in _NULLS

    @property
    def present(self) -> bool:
        """Whether it is written at all, were it null."""
        return self.form is not Form.MISSING

    @property
    def number(self) -> float | None:
        """The scalar as a number, also where it is in quotes."""
        try:
            return float(self.text.replace("_", "")) if len(self.text) < 40 else None
        except ValueError:
            return None

    @property
    def truth(self) -> bool | None:
        """The scalar as yes or no."""
        word = self.text.lower()
        return True if word in _TRUE else False if word in _FALSE else None

    @property
    def where(self) -> int:
        """The line to point at: the key's, where it has one."""
        return self.key_line or self.line


MISSING = Node()


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """One document of a stream: its node, and the keys that stand twice as (key, line, line of the first)."""

    root: Node
    duplicates: tuple[tuple[str, int, int], ...]


@dataclass(slots=True)
class _Open:
    """A list or a mapping that has begun."""

    is_map: bool
    line: int
    column: int
    flow: bool
    anchor: str | None
    key: Node | None = None
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Node] = field(default_factory=dict)


def documents(text: str, first_line: int = 1) -> Iterator[YamlDocument]:
    """The documents of a YAML stream, each as soon as it ends; JSON is YAML.

    Args:
        text: the whole stream.
        first_line: the line of the file on which it begins.

    Raises:
        YamlError: it is no YAML from some line on; what stands before has been given.
    """
    if _JSON_START.match(text):
        text = text.replace("\t", " ")  # JSON may be indented with tabs, which YAML forbids
    try:
        yield from _documents(text, first_line - 1)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlError(first_line + (mark.line if mark else 0), f"no YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise YamlError(first_line, f"no YAML: {' '.join(str(error).split())[:100]}") from None


def _documents(text: str, offset: int) -> Iterator[YamlDocument]:
    stack: list[_Open] = []
    anchors: dict[str, Node | None] = {}
    duplicates: list[tuple[str, int, int]] = []
    root = MISSING
    event: Any
    for event in yaml.parse(text, Loader=_Loader):
        line = event.start_mark.line + 1 + offset
        match event:
            case yaml.DocumentStartEvent():
                anchors, duplicates, root = {}, [], MISSING
                continue
            case yaml.DocumentEndEvent():
                yield YamlDocument(root, tuple(duplicates))
                continue
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                if len(stack) >= DEEPEST:
                    raise YamlError(line, f"nested more than {DEEPEST} levels deep")
                if event.anchor:
                    anchors[event.anchor] = None
                begun: Any = event
                flow = bool(event.flow_style) or bool(stack and stack[-1].flow)
                is_map = isinstance(event, yaml.MappingStartEvent)
                stack.append(_Open(is_map, line, begun.start_mark.column, flow, event.anchor))
                continue
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                done, anchor = _closed(stack.pop(), event, offset)
            case yaml.ScalarEvent():
                done, anchor = _scalar(event, line, offset, bool(stack and stack[-1].flow)), event.anchor
            case yaml.AliasEvent():
                known = anchors.get(event.anchor or "", MISSING)
                if known is None:
                    raise YamlError(line, f"&{event.anchor} refers to itself")
                if known is MISSING:
                    raise YamlError(line, f"*{event.anchor} is nowhere defined")
                done, anchor = known, None
            case _:
                continue
        if anchor:
            anchors[anchor] = done
        if stack:
            _put(stack[-1], done, duplicates)
        else:
            root = done


def _scalar(event: Any, line: int, offset: int, flow: bool) -> Node:
    end = event.end_mark.line + 1 + offset
    if event.style in ("|", ">") and event.end_mark.column == 0:
        end -= 1
    style = event.style or ""
    return Node(Form.SCALAR, line, max(end, line), 0, event.start_mark.column, flow, style, event.value)


def _closed(part: _Open, event: Any, offset: int) -> tuple[Node, str | None]:
    end = event.end_mark.line + 1 + offset
    last = max((child.end_line for child in (*part.items, *part.entries.values())), default=part.line)
    node = Node(
        Form.MAP if part.is_map else Form.LIST,
        part.line,
        end if part.flow else max(last, part.line),
        0,
        part.column,
        part.flow,
        "",
        "",
        tuple(part.items),
        _merged(part.entries) if "<<" in part.entries else part.entries,
    )
    return node, part.anchor


def _put(parent: _Open, child: Node, duplicates: list[tuple[str, int, int]]) -> None:
    if not parent.is_map:
        parent.items.append(child)
    elif parent.key is None:
        parent.key = child
    else:
        key, parent.key = parent.key, None
        known = parent.entries.get(key.text)
        if known is not None and key.text != "<<" and len(duplicates) < _MOST_DUPLICATES:
            duplicates.append((key.text, key.line, known.key_line))
        parent.entries[key.text] = Node(
            child.form,
            child.line,
            child.end_line,
            key.line,
            key.column,
            child.flow,
            child.style,
            child.text,
            child.items,
            child.entries,
        )


def _merged(entries: dict[str, Node]) -> dict[str, Node]:
    """With what ``<<`` brings in; what stands beside it wins, and of several the first."""
    base = entries["<<"]
    merged: dict[str, Node] = {}
    for source in reversed(base.items or (base,)):
        merged.update(source.entries)
    return {**merged, **{key: node for key, node in entries.items() if key != "<<"}}
