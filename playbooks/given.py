"""Text -> facts and cases: what is handed to a tree, read with the same care as the tree itself."""

from dataclasses import dataclass

import yaml

from playbooks.load import PlaybookError
from playbooks.reader import Reader, line_of
from playbooks.types import Branch, Fact
from playbooks.vocabulary import FACTS, unknown_name


@dataclass(frozen=True, slots=True)
class Case:
    """Facts in, path and finding out.

    Attributes:
        name: one clause that says what is the case.
        line: where it stands in its file, counted from 1.
        path: (question, answer) pairs.
        finding: where the path ends.
    """

    name: str
    line: int
    facts: tuple[Fact, ...]
    path: tuple[tuple[str, str], ...]
    finding: str


def read_facts(name: str, text: str) -> tuple[Fact, ...]:
    """Facts of a YAML mapping from names to values; null is a fact that is known to be unknown.

    Raises:
        PlaybookError: with every mistake: a name outside the vocabulary, a value of another type.
    """
    reader = Reader()
    root = reader.root(text)
    facts = _facts(reader, root, "the facts") if root is not None else ()
    if reader.problems:
        raise PlaybookError(name, reader.problems)
    return facts


def read_cases(name: str, text: str) -> tuple[Case, ...]:
    """Cases of a YAML list: ``case``, ``facts``, ``path`` ("question answer" each) and ``finding``.

    Raises:
        PlaybookError: with every mistake.
    """
    reader = Reader()
    root = reader.root(text)
    items = reader.items(root, "the cases") if root is not None else []
    cases = [_case(reader, item) for item in items]
    if reader.problems:
        raise PlaybookError(name, reader.problems)
    return tuple(case for case in cases if case is not None)


def _case(reader: Reader, node: yaml.Node) -> Case | None:
    fields = reader.fields(node, "a case", ("case", "facts", "path", "finding"))
    name = reader.text(fields.get("case"), "case")
    what = f"case {name!r}"
    facts = _facts(reader, fields["facts"], f"facts of {what}") if "facts" in fields else ()
    items = reader.items(fields["path"], f"path of {what}") if "path" in fields else []
    turns = [_turn(reader, item, what) for item in items]
    finding = reader.text(fields.get("finding"), f"finding of {what}")
    if name is None or finding is None:
        return None
    return Case(name, line_of(node), facts, tuple(turn for turn in turns if turn is not None), finding)


def _turn(reader: Reader, node: yaml.Node, what: str) -> tuple[str, str] | None:
    text = reader.text(node, f"a turn of {what}")
    question, _, answer = (text or "").rpartition(" ")
    if text is not None and (not question or answer not in list(Branch)):
        reader.note(node, f"a turn of {what} is {text!r}; it must be a question and yes, no or unknown")
        return None
    return (question, answer) if text is not None else None


def _facts(reader: Reader, node: yaml.Node, what: str) -> tuple[Fact, ...]:
    return tuple(
        fact
        for name, (key, value) in reader.entries(node, what).items()
        for fact in [_fact(reader, name, key, value, what)]
        if fact is not None
    )


def _fact(reader: Reader, name: str, key: yaml.Node, node: yaml.Node, what: str) -> Fact | None:
    if name not in FACTS:
        reader.note(key, f"{what} hold an {unknown_name(name)}")
        return None
    if node.tag == "tag:yaml.org,2002:null":
        return Fact(name, None)
    value, meant = reader.scalar(node, f"{name} in {what}"), FACTS[name]
    if value is not None and not meant.fits(value):
        wanted = f"one of {', '.join(meant.words)}" if meant.words else f"a {meant.kind}"
        reader.note(node, f"{name} in {what} is {value!r}; it must be {wanted}")
        return None
    return None if value is None else Fact(name, value)
