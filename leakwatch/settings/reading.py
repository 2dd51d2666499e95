"""Settings from flags, the environment and a YAML file, in that order of precedence; every mistake in one report.

The file is composed, not constructed: each value keeps the line it stands on and the text it was written with, so that
``02:00`` is a time of day and ``1e3`` a name wherever `leakwatch.settings.schema` says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from leakwatch.errors import SettingsError
from leakwatch.quantities import shown
from leakwatch.settings.checks import impossible
from leakwatch.settings.composing import compose, is_null, kind_of, read_file
from leakwatch.settings.schema import SETTINGS, Kind, Many, Path, Scalar, Section, dotted, variables
from leakwatch.settings.values import Settings

Override = tuple[str, str]
"""A flag or variable by its name, and its text."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, and where each value that is no default came from (``agent.yaml:12``, ``LEAKWATCH_LISTEN``, a flag)."""

    settings: Settings
    origins: Mapping[Path, str]


def load(path: str | None, environment: Mapping[str, str], flags: Mapping[Path, Override]) -> Loaded:
    """Read the file, if one is named, and put the environment and then the flags over it.

    Args:
        path: of the YAML file; None where everything is said otherwise.
        environment: variables; ``LEAKWATCH_ACT_COOLDOWN`` is ``act.cooldown``.
        flags: by the path of the setting.

    Raises:
        SettingsError: with all mistakes, in the order of their lines.
    """
    return parse(b"" if path is None else read_file(path), path or "settings", environment, flags)


def parse(content: bytes, source: str, environment: Mapping[str, str], flags: Mapping[Path, Override]) -> Loaded:
    """As `load`, of the file's content; ``source`` is what messages call it."""
    over: dict[Path, list[Override]] = {}
    for name, path in variables().items():
        if name in environment:
            over.setdefault(path, []).append((name, environment[name]))
    for path, flag in flags.items():
        over.setdefault(path, []).append(flag)
    reader = _Reader(source, over)
    settings = reader.section(SETTINGS, compose(content, source), ())
    for path, what in impossible(reader.values):
        reader.refuse(path, what)
    if reader.problems or not isinstance(settings, Settings):
        raise SettingsError([text for _, text in sorted(reader.problems, key=lambda problem: problem[0])])
    return Loaded(settings, reader.origins)


_ABSENT, _WRONG = object(), object()
"""In place of a value: nothing was given, or what was given is a mistake that the report has."""


@dataclass(slots=True)
class _Reader:
    """Walks the schema and the file side by side, and gathers values, origins and mistakes."""

    source: str
    over: Mapping[Path, list[Override]]
    problems: list[tuple[int, str]] = field(default_factory=list)
    values: dict[Path, Any] = field(default_factory=dict)
    origins: dict[Path, str] = field(default_factory=dict)
    lines: dict[Path, int] = field(default_factory=dict)

    def read(self, kind: Kind, node: yaml.Node | None, path: Path) -> Any:
        """The value of one setting, `_ABSENT` or `_WRONG`."""
        if node is not None:
            self.lines.setdefault(path, node.start_mark.line + 1)
        given = None if node is None or is_null(node) else node
        if isinstance(kind, Scalar):
            return self.scalar(kind, given, path)
        return self.many(kind, given, path) if isinstance(kind, Many) else self.section(kind, given, path)

    def scalar(self, kind: Scalar, node: yaml.Node | None, path: Path) -> Any:
        """The file's value under those of the environment and the flags; each of them has to be readable."""
        value: Any = _ABSENT
        if isinstance(node, yaml.ScalarNode):
            value = self.parsed(kind, node.value, path)
            self.origins[path] = f"{self.source}:{node.start_mark.line + 1}"
        elif node is not None:
            value = self.refuse(path, f"is {kind_of(node)} where one value is expected")
        for name, text in self.over.get(path, ()):
            value = self.parsed(kind, text, path, name)
            self.origins[path] = name
        if value is not _ABSENT and value is not _WRONG:
            self.values[path] = value
        return value

    def parsed(self, kind: Scalar, text: str, path: Path, name: str | None = None) -> Any:
        """The text's value; ``name`` is the variable or flag that it came by, None for the file."""
        try:
            return kind.parse(text)
        except ValueError as error:
            if name is None:
                return self.refuse(path, str(error))
            self.problems.append((0, f"{name}: {error}"))
            return _WRONG

    def many(self, kind: Many, node: yaml.Node | None, path: Path) -> Any:
        """A tuple of what is in the list."""
        if node is None:
            return _ABSENT
        if not isinstance(node, yaml.SequenceNode):
            return self.refuse(path, f"is {kind_of(node)} where a list is expected; begin each entry with '- '")
        if len(node.value) < kind.least:
            return self.refuse(path, f"is too short; it needs {kind.least} or more")
        found = []
        for place, item in enumerate(node.value):
            value = self.read(kind.of, item, (*path, place))
            if value is _ABSENT:
                value = self.refuse((*path, place), "is empty; fill it in or take it out")
            found.append(value)
        return _WRONG if _WRONG in found else tuple(found)

    def section(self, kind: Section, node: yaml.Node | None, path: Path) -> Any:
        """What the section's ``build`` makes of the keys that are given."""
        if node is not None and not isinstance(node, yaml.MappingNode):
            return self.refuse(path, f"is {kind_of(node)} where keys with values are expected")
        before = len(self.problems)
        nodes = {} if node is None else self.keys(kind, node, path)
        read = {key: self.read(part, nodes.get(key), (*path, key)) for key, part in kind.keys.items()}
        given = {key: value for key, value in read.items() if value is not _ABSENT}
        if kind.optional and not given and node is None:
            return _ABSENT
        for key in kind.required:
            if key not in given:
                self.refuse(path, f"{key} is missing; add it")
        if len(self.problems) > before:
            return _WRONG
        try:
            return kind.build(**{kind.keys[key].field or key: value for key, value in given.items()})
        except ValueError as error:
            return self.refuse(path, str(error))

    def keys(self, kind: Section, node: yaml.MappingNode, path: Path) -> dict[str, yaml.Node]:
        """The values by key; unknown keys and keys given twice are mistakes."""
        found: dict[str, yaml.Node] = {}
        for key_node, value in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else kind_of(key_node)
            line = key_node.start_mark.line + 1
            if key not in kind.keys or not isinstance(key_node, yaml.ScalarNode):
                self.refuse(path, f"unknown key {shown(key)}; {_nearest(key, kind)}", line)
            elif key in found:
                self.refuse((*path, key), f"stands on line {self.lines[*path, key]} already; keep one", line)
            else:
                found[key] = value
                self.lines[*path, key] = line
        return found

    def refuse(self, path: Path, what: str, line: int | None = None) -> object:
        """Put down a mistake, at its own line or at that of the nearest setting around it that the file has."""
        at = path
        while at and at not in self.lines:
            at = at[:-1]
        line = line or self.lines.get(at, 0)
        place = f"{self.source}:{line}" if line else self.source
        self.problems.append((line, f"{place}: {dotted(path)}: {what}" if path else f"{place}: {what}"))
        return _WRONG


def _nearest(key: str, kind: Section) -> str:
    """What may have been meant, or what there is."""
    import difflib  # only for mistakes

    near = difflib.get_close_matches(key, kind.keys, n=1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(kind.keys)}"
