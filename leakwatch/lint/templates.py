"""Helm templates: found, and filled in as far as plain values go; whatever needs Helm itself is left standing."""

import json
import re
from collections.abc import Callable, Mapping

_HELM = re.compile(r"\{\{-?\s*(?:[^{}]*\.(?:Values|Release|Chart|Capabilities|Template|Files)\b|include\s|define\s)")
_PLACE = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}")
_VALUE = re.compile(r"(?:toYaml\s+)?(?:\$?\.(?:Values|Release|Chart)\.|\.)[\w.]*|\"[^\"]*\"|include\s.+")
_IGNORED = {"quote", "squote", "int", "int64", "toString", "trim", "toYaml", "toJson", "b64enc"}
_UNKNOWN = object()


def is_helm(text: str) -> bool:
    """Whether a text asks Helm for values; ``{{ $labels.pod }}`` of an alert does not."""
    return _HELM.search(text) is not None


def first_placeholder(text: str) -> int | None:
    """The 1-based line of the first ``{{`` or ``{%``."""
    places = [text.find(mark) for mark in ("{{", "{%")]
    first = min((place for place in places if place >= 0), default=None)
    return None if first is None else text.count("\n", 0, first) + 1


def filled(text: str, values: Mapping[str, object]) -> str:
    """The text with the values put in, line by line, so that lines keep their numbers.

    ``if``, ``else``, ``with`` and ``end`` that hang on a value are followed; ``toYaml`` becomes JSON on the same line,
    which is YAML too; ``include`` on a line of its own (labels mostly) becomes an empty line, otherwise a name. What
    else stands between braces stays.
    """
    scope: Mapping[str, object] = {
        "Values": values,
        "Release": {"Name": "release", "Namespace": "default", "Service": "Helm"},
        "Chart": {"Name": "chart", "AppVersion": "0", "Version": "0"},
    }
    blocks: list[tuple[bool, object]] = []  # whether its lines count, and what the dot is
    lines = []
    for line in text.split("\n"):
        control = _PLACE.fullmatch(line.strip())
        dot = blocks[-1][1] if blocks else scope
        shown = all(counts for counts, _ in blocks)
        if control and (moved := _block(control[1], blocks, scope, dot)) is not None:
            blocks = moved
            lines.append("")
        else:
            lines.append(_PLACE.sub(_replacer(scope, dot, bool(control)), line) if shown else "")
    return "\n".join(lines)


def _block(
    what: str, blocks: list[tuple[bool, object]], scope: Mapping[str, object], dot: object
) -> list[tuple[bool, object]] | None:
    """The blocks after a line of control; None where the line is none, or hangs on something unknown."""
    word, _, rest = what.partition(" ")
    if word in ("if", "with"):
        negated = rest.strip().startswith("not ")
        value = _looked_up(rest.strip().removeprefix("not "), scope, dot)
        if value is _UNKNOWN:
            return None
        return [*blocks, (bool(value) != negated, value if word == "with" else dot)]
    if word == "end" and blocks:
        return blocks[:-1]
    if what == "else" and blocks:
        counts, _ = blocks[-1]
        return [*blocks[:-1], (not counts, dot)]
    return [*blocks] if what.startswith("/*") else None


def _replacer(scope: Mapping[str, object], dot: object, alone: bool) -> Callable[[re.Match[str]], str]:
    def replaced(match: re.Match[str]) -> str:
        first, *pipes = [part.strip() for part in match[1].split("|")]
        value = _looked_up(first, scope, dot)
        for pipe in pipes:
            name, _, argument = pipe.partition(" ")
            if name == "default":
                if value is None or value == "" or value is _UNKNOWN:
                    value = _looked_up(argument.strip(), scope, dot)
            elif name not in _IGNORED | {"nindent", "indent", "trunc", "trimSuffix", "lower", "upper"}:
                value = _UNKNOWN
        if first.startswith("include "):
            return "" if alone else "name"
        if value is _UNKNOWN:
            return match[0]
        if isinstance(value, str) and not first.startswith("toYaml"):
            return json.dumps(value) if {"quote", "squote"} & {*pipes} else value
        return "" if value is None and not first.startswith("toYaml") else json.dumps(value, default=str)

    return replaced


def _looked_up(path: str, scope: Mapping[str, object], dot: object) -> object:
    """A value, a literal, or `_UNKNOWN`; a key that is not there is None, as Helm has it."""
    if _VALUE.fullmatch(path) is None or path.startswith("include"):
        try:
            return json.loads(path)
        except ValueError:
            return _UNKNOWN
    path = path.removeprefix("toYaml").strip()
    if path.startswith('"'):
        return path.strip('"')
    found: object = scope if path.lstrip("$").startswith((".Values.", ".Release.", ".Chart.")) else dot
    for name in filter(None, path.lstrip("$").split(".")):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found
