"""Text -> Playbook. Every mistake of a bad tree is reported together, each with its line."""

import functools
from collections.abc import Iterable, Mapping
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter
from importlib import resources
from types import MappingProxyType
from typing import TypeVar

import yaml

from playbooks.engine import OPERATORS
from playbooks.reader import Problem, Reader
from playbooks.types import Action, Branch, Condition, Confidence, Finding, Playbook, Question, Remedy, Step
from playbooks.vocabulary import FACTS, unknown_name

Word = TypeVar("Word", bound=StrEnum)


class PlaybookError(Exception):
    """A tree that cannot be used; ``problems`` holds every mistake, in the order of the lines."""

    def __init__(self, name: str, problems: Iterable[Problem]) -> None:
        self.name = name
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        super().__init__("\n".join(f"{name}:{problem.line}: {problem.what}" for problem in self.problems))


@functools.cache
def built_in_names() -> tuple[str, ...]:
    """The names of the trees that come with the package, sorted."""
    files = resources.files("playbooks").joinpath("trees").iterdir()
    return tuple(sorted(file.name.removesuffix(".yaml") for file in files if file.name.endswith(".yaml")))


def built_in_cases(name: str) -> str:
    """The text of the cases of a tree that comes with the package."""
    return resources.files("playbooks").joinpath("cases", f"{name}.yaml").read_text(encoding="utf-8")


@functools.cache
def built_in(name: str) -> Playbook:
    """A tree that comes with the package, parsed once. Raises FileNotFoundError where there is none of that name."""
    text = resources.files("playbooks").joinpath("trees", f"{name}.yaml").read_text(encoding="utf-8")
    return load(name, text)


def missing_trees(trees: Mapping[str, Playbook]) -> dict[str, str]:
    """The trees that findings go on to and that are not among ``trees``, each with a tree that names it."""
    return {
        node.then: name
        for name, playbook in trees.items()
        for node in playbook.nodes.values()
        if isinstance(node, Finding) and node.then is not None and node.then not in trees
    }


def load(name: str, text: str) -> Playbook:
    """Parse a tree.

    Args:
        name: what the tree is called, in the playbook and in messages.
        text: YAML with ``about``, ``start``, ``questions`` and ``findings``, as in ``playbooks/trees``; its schema is
            docs/schemas/playbook.schema.json.

    Raises:
        PlaybookError: with every mistake: no YAML, keys that are missing, unknown or there twice, an unknown fact or
            operator, an operand of the wrong type, a branch that leads nowhere, a node that nothing reaches, a circle.
    """
    reader = Reader()
    root = reader.root(text)
    if root is None:
        raise PlaybookError(name, reader.problems)
    tree = reader.fields(root, "a playbook", ("about", "start", "questions", "findings"))
    about = reader.text(tree.get("about"), "about")
    start = reader.text(tree.get("start"), "start")

    where: dict[str, yaml.Node] = {}  # every name that stands in the file, also of nodes that cannot be used
    nodes: dict[str, Question | Finding] = {}
    links: dict[str, dict[Branch, str]] = {}
    for section in ("questions", "findings"):
        if section not in tree:
            continue
        for node_name, (key, value) in reader.entries(tree[section], section).items():
            if node_name in where:
                reader.note(key, f"{node_name!r} is a question and a finding")
                continue
            where[node_name] = key
            if section == "findings":
                node: Question | Finding | None = _finding(reader, value, f"finding {node_name!r}", name)
            else:
                node, links[node_name] = _question(reader, value, f"question {node_name!r}")
            if node is not None:
                nodes[node_name] = node

    if start is not None and start not in where:
        reader.note(tree["start"], f"start names {start!r}, which is no node of this tree")
    _check_paths(reader, start, where, links)
    if reader.problems or about is None or start is None:
        raise PlaybookError(name, reader.problems)
    return Playbook(name, about, start, MappingProxyType(nodes))


def _question(reader: Reader, node: yaml.Node, what: str) -> tuple[Question | None, dict[Branch, str]]:
    """The question (None where it cannot be used) and where its branches lead, as far as they can be read."""
    fields = reader.fields(node, what, ("ask", "when", *Branch))
    ask = reader.text(fields.get("ask"), f"ask of {what}")
    when = _condition(reader, fields["when"], what) if "when" in fields else None
    links = {}
    for branch in Branch:
        target = reader.text(fields.get(branch), f"{branch} of {what}")
        if target is not None:
            links[branch] = target
    if ask is None or when is None or len(links) < len(Branch):
        return None, links
    return Question(ask, when, links[Branch.YES], links[Branch.NO], links[Branch.UNKNOWN]), links


def _condition(reader: Reader, node: yaml.Node, what: str) -> Condition | None:
    fields = reader.fields(node, f"when of {what}", ("fact", "operator", "operand"))
    fact = reader.text(fields.get("fact"), f"fact of {what}")
    operator = reader.text(fields.get("operator"), f"operator of {what}")
    operand = reader.operand(fields["operand"], f"operand of {what}") if "operand" in fields else None
    if fact is not None and fact not in FACTS:
        reader.note(fields["fact"], f"{what} asks for an {unknown_name(fact)}")
    if operator is not None and operator not in OPERATORS:
        reader.note(fields["operator"], f"{what} has an unknown operator {operator!r}; known: {', '.join(OPERATORS)}")
    if fact is None or operator is None or operand is None or fact not in FACTS or operator not in OPERATORS:
        return None
    meant, comparison = FACTS[fact], OPERATORS[operator]
    if meant.kind not in comparison.kinds:
        reader.note(fields["operator"], f"{what} compares {fact}, a {meant.kind}, by {operator!r}")
    elif not comparison.takes(meant, operand):
        wanted = (
            f"{'a list' if comparison.takes_list else 'one'} of {', '.join(meant.words)}" if meant.words else meant.kind
        )
        reader.note(fields["operand"], f"{what} compares {fact} with {operand!r}; it takes {wanted}")
    return Condition(fact, operator, operand)


def _finding(reader: Reader, node: yaml.Node, what: str, name: str) -> Finding | None:
    fields = reader.fields(node, what, ("cause", "confidence", "steps"), ("remedy", "then"))
    cause = reader.text(fields.get("cause"), f"cause of {what}")
    confidence = _word(reader, fields.get("confidence"), Confidence, f"confidence of {what}")
    steps = (
        [_step(reader, item, what) for item in reader.items(fields["steps"], f"steps of {what}")]
        if "steps" in fields
        else []
    )
    remedy = _remedy(reader, fields["remedy"], what) if "remedy" in fields else None
    then = reader.text(fields.get("then"), f"then of {what}")
    if then == name:
        reader.note(fields["then"], f"{what} goes on to its own tree")
    if remedy is not None and then is not None:
        reader.note(fields["remedy"], f"{what} has a remedy and goes on to {then!r}, which decides on one")
    if cause is None or confidence is None:
        return None
    return Finding(cause, confidence, tuple(step for step in steps if step is not None), remedy, then)


def _step(reader: Reader, node: yaml.Node, what: str) -> Step | None:
    fields = reader.fields(node, f"a step of {what}", ("do",), ("command",))
    do = reader.text(fields.get("do"), f"do in a step of {what}")
    command = reader.text(fields.get("command"), f"command in a step of {what}")
    return None if do is None else Step(do, command)


def _remedy(reader: Reader, node: yaml.Node, what: str) -> Remedy | None:
    fields = reader.fields(node, f"remedy of {what}", ("action", "risk"))
    action = _word(reader, fields.get("action"), Action, f"action of {what}")
    risk = reader.text(fields.get("risk"), f"risk of {what}")
    return None if action is None or risk is None else Remedy(action, risk)


def _word(reader: Reader, node: yaml.Node | None, words: type[Word], what: str) -> Word | None:
    text = reader.text(node, what)
    if node is None or text is None:
        return None
    if text not in list(words):
        reader.note(node, f"{what} is {text!r}; it must be one of {', '.join(words)}")
        return None
    return words(text)


def _check_paths(
    reader: Reader, start: str | None, where: dict[str, yaml.Node], links: dict[str, dict[Branch, str]]
) -> None:
    """Note branches that lead nowhere, nodes that no path from the start reaches, and circles."""
    for name, branches in links.items():
        for branch, target in branches.items():
            if target not in where:
                reader.note(
                    where[name], f"{branch} of question {name!r} names {target!r}, which is no node of this tree"
                )

    reached, ahead = set[str](), [start] if start in where else []
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead.extend(links.get(name, {}).values())
    for name in where:
        if start in where and name not in reached:
            reader.note(where[name], f"nothing leads to {name!r}")

    follows = {name: set(branches.values()) for name, branches in links.items()}
    while circle := _circle(follows):
        reader.note(where[circle[0]], f"the walk goes in a circle: {' -> '.join(circle)}")
        follows[circle[0]].discard(circle[1])  # cut here, so that the next circle shows


def _circle(follows: dict[str, set[str]]) -> list[str]:
    """One circle of nodes, its first name again at the end; empty where there is none."""
    try:
        TopologicalSorter(follows).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))  # the sorter takes what follows for what goes before
    return []
