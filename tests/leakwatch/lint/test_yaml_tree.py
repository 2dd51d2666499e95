"""YAML is read as PyYAML reads it, with lines, and no text can hang or break the reading."""

import itertools
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from leakwatch.lint.yaml_tree import DEEPEST, Form, Node, YamlError, documents

WORDS = st.text("abc :#-'\"\n|>&*!{}[],?", max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


def plain(node: Node) -> Any:
    """The tree as lists and mappings of texts."""
    if node.form is Form.MAP:
        return {key: plain(value) for key, value in node.entries.items()}
    return [plain(item) for item in node.items] if node.form is Form.LIST else node.text


def as_text(value: Any) -> Any:
    """What PyYAML wrote, with every scalar as its text."""
    if isinstance(value, dict):
        return {as_text(key): as_text(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [as_text(item) for item in value]
    return value


@given(st.lists(VALUES, min_size=1, max_size=3), st.booleans())
def test_the_tree_is_what_pyyaml_composes(values: list[Any], flow: bool) -> None:
    """Mappings, lists and scalars of every document, block or flow, are those of PyYAML's own base loader."""
    text = yaml.safe_dump_all(values, default_flow_style=flow)
    wanted = list(yaml.load_all(text, Loader=yaml.BaseLoader))
    assert [plain(document.root) for document in documents(text)] == wanted


def nodes(node: Node) -> list[Node]:
    """A node and all below it."""
    return [node, *itertools.chain(*(nodes(one) for one in (*node.items, *node.entries.values())))]


@given(VALUES)
def test_lines_lie_in_the_text_and_in_their_parents(value: Any) -> None:
    """Every node begins and ends inside the text, after its key, and around its children."""
    text = yaml.safe_dump(value)
    [document] = documents(text)
    for node in nodes(document.root):
        assert 1 <= node.line <= node.end_line <= text.count("\n") + 1
        assert node.key_line <= node.line
        for child in (*node.items, *node.entries.values()):
            assert node.line <= child.line and child.end_line <= node.end_line


@given(st.text("ab:-[]{}&*!|>#'\"%@`, \n\t?<~01", max_size=60))
def test_no_text_breaks_the_reading(text: str) -> None:
    """Any text is documents, or one error with a line of it."""
    try:
        list(documents(text))
    except YamlError as error:
        assert 1 <= error.line <= text.count("\n") + 2
        assert error.what and "\n" not in error.what


def test_aliases_share_what_they_stand_for() -> None:
    """Ten levels of ten aliases are a hundred nodes, not ten billion."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 40)]
    [document] = documents("\n".join(lines))
    assert document.root["a39"].items[0] is document.root["a39"].items[9]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a: &a [*a]", "refers to itself"),
        ("a: *b", "is nowhere defined"),
        ("[" * 100_000, "nest"),
        ("- " * (DEEPEST + 1) + "x", "nested more than"),
        ("a: [", "no YAML"),
        ("a: b: c", "no YAML"),
        ("\x07", "no YAML"),
    ],
)
def test_what_cannot_be_read_is_one_error(text: str, what: str) -> None:
    """Loops, holes, towers and rubbish are told apart, each in one sentence."""
    with pytest.raises(YamlError, match=what):
        list(documents(text))


def test_what_stands_before_an_error_is_read() -> None:
    """The documents of a stream come one by one."""
    reading = documents("a: 1\n---\nb: [\n")
    assert plain(next(reading).root) == {"a": "1"}
    with pytest.raises(YamlError) as caught:
        next(reading)
    assert caught.value.line >= 3


def test_merges_and_duplicates() -> None:
    """`<<` brings in what is not there, the first of several wins, and a key that stands twice is told with both "
    "lines."""
    text = "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz:\n  <<: [*x, *y]\n  a: 3\nz2: 1\nz2: 2\n"
    [document] = documents(text, first_line=11)
    assert plain(document.root["z"]) == {"a": "3", "b": "1", "c": "2"}
    assert document.duplicates == (("z2", 17, 16),)


def test_json_may_be_indented_with_tabs() -> None:
    """As `jq --tab` writes it."""
    [document] = documents('[\n\t{\n\t\t"Name": "/web"\n\t}\n]\n')
    assert document.root.items[0]["Name"].text == "/web"
    assert document.root.items[0]["Name"].line == 3


def test_asking_for_what_is_not_there_is_no_error() -> None:
    """A path through scalars, lists and nothing ends in nothing."""
    [document] = documents("a: [1]\nb: x\nc:\n")
    root = document.root
    assert not root.at("a", "b", "c") and not root["b"]["c"] and not root["c"] and root["c"].present
    assert root["a"].items[0].number == 1 and root["b"].number is None and root["b"].truth is None
