"""From the text of a file to what rules look at: recognised by content, whatever the file is called."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from leakwatch.lint import compose, docker_inspect, kubernetes, scripts, templates
from leakwatch.lint.configs import config_of
from leakwatch.lint.source_text import SourceText
from leakwatch.lint.subjects import PrometheusRule, ScrapeJob, Template, YamlText
from leakwatch.lint.yaml_tree import Form, Node, YamlError, documents

_YAML_NAMES = (".yaml", ".yml")
_MARKS = (
    ("apiVersion", r"^[ \t]*[\"']?apiVersion[\"']?\s*:", r"^[ \t]*[\"']?kind[\"']?\s*:"),
    ("services:", r"^services:", r"^\s+(?:image|build):"),
    ("expr:", r"^groups:", r"\bexpr:"),
    ("scrape_configs:", r"^scrape_configs:", r"\bjob_name:"),
    ('"', r"\A\s*[\[{]", r"\"(?:HostConfig|apiVersion|services|groups|scrape_configs)\"\s*:"),
)
"""What YAML and JSON of ours hold, all of a row, the quickest to look for first: a folder has many other files."""
_PATTERNS = tuple(
    (word, re.compile(first, re.MULTILINE), re.compile(second, re.MULTILINE)) for word, first, second in _MARKS
)


@dataclass(slots=True)
class Recognised:
    """What a file holds: the parts to look at, and why the rest could not be read (1-based line, what)."""

    subjects: list[object] = field(default_factory=list)
    unreadable: tuple[int, str] | None = None


def recognise(source: SourceText, values: Mapping[str, object] | None = None) -> Recognised:
    """The parts of a file; ``values`` fill in a Helm template."""
    found = Recognised()
    if config := config_of(source):
        found.subjects.append(config)
    elif scripts.is_script(source.text, source.file):
        found.subjects += scripts.objects_of(source)
    elif _looks_like_ours(source) or source.file.lower().endswith(_YAML_NAMES):
        _read_yaml(source, values, found)
    return found


def _looks_like_ours(source: SourceText) -> bool:
    text = source.text
    return any(word in text and first.search(text) and second.search(text) for word, first, second in _PATTERNS)


def _read_yaml(source: SourceText, values: Mapping[str, object] | None, found: Recognised) -> None:
    if templates.is_helm(source.text):
        if values is not None:
            source = replace(source, text=templates.filled(source.text, values))
        line = templates.first_placeholder(source.text)
        if line is not None:
            found.subjects.append(Template(source, source.place(line)))
            return
    try:
        for document in documents(source.text, source.first_line):
            parts = list(_parts(document.root, source))
            found.subjects += parts
            if parts:
                found.subjects.append(YamlText(source, document.duplicates))
    except YamlError as error:
        line = templates.first_placeholder(source.text)
        if line is not None:
            found.subjects.append(Template(source, source.place(line)))
        else:
            found.unreadable = (error.line, error.what)


def _parts(root: Node, source: SourceText) -> Iterator[object]:
    if kubernetes.is_kustomization(root, source.file):
        yield kubernetes.kustomization(root, source)
    elif kubernetes.is_kubernetes(root):
        yield from kubernetes.objects_of(root, source)
        yield from _rules(root["spec"], source)
        for item in (root, *root["items"].items):
            yield from _embedded(item["data"], source)
    elif compose.is_compose(root):
        yield from compose.objects_of(root, source)
        for one in root["configs"].entries.values():
            yield from _embedded(Node(Form.MAP, entries={"content": one["content"]}), source)
    elif docker_inspect.is_inspect(root):
        yield from docker_inspect.objects_of(root, source)
    elif root["groups"].items or root["scrape_configs"].items:
        yield from _rules(root, source)
        for job in root["scrape_configs"].items:
            yield ScrapeJob(source, job)


def _rules(holder: Node, source: SourceText) -> Iterator[PrometheusRule]:
    for group in holder["groups"].items:
        for rule in group["rules"].items:
            if rule["expr"]:
                yield PrometheusRule(source, rule, rule["expr"])


def _embedded(data: Node, source: SourceText) -> Iterator[object]:
    """Configurations inside a ConfigMap, each with the lines of the file that holds it."""
    for key, value in data.entries.items():
        if value.form is not Form.SCALAR or "\n" not in value.text and ":" not in value.text:
            continue
        is_block = value.style == "|"
        first = value.line + 1 if is_block else value.line
        indent = _indent(source, first, value)
        text = replace(source, text=value.text, first_line=first, indent=indent, editable=is_block, key=key)
        if config := config_of(text):
            yield config
        elif re.search(r"^(?:groups|scrape_configs):", value.text, re.MULTILINE):
            try:
                for document in documents(value.text, first):
                    yield from _parts(document.root, text)
            except YamlError:
                continue


def _indent(source: SourceText, first: int, value: Node) -> str:
    """What stands before each line of a block: its first line that is not empty shows it."""
    for number, line in enumerate(value.text.splitlines()):
        if line.strip():
            return source.line(first + number).partition(line)[0]
    return ""
