"""The published schema takes what the loader takes, as far as a schema can tell."""

import json
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from playbooks.load import PlaybookError, built_in_names, load
from playbooks.schema import as_text

PUBLISHED = Path(__file__).parents[2] / "docs/schemas/playbook.schema.json"


class Yaml12(yaml.SafeLoader):
    """Reads ``yes`` and ``no`` as words, as editors that check a schema do (YAML 1.2)."""


Yaml12.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":bool") or first in "tTfF"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def tree(name: str) -> Any:
    text = resources.files("playbooks").joinpath("trees", f"{name}.yaml").read_text(encoding="utf-8")
    return yaml.load(text, Yaml12)


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_schema_is_generated() -> None:
    """docs/schemas/playbook.schema.json is what ``python -m playbooks.schema`` prints."""
    assert PUBLISHED.read_text(encoding="utf-8") == as_text()


@pytest.mark.parametrize("name", built_in_names())
def test_every_tree_holds(validator: jsonschema.Draft202012Validator, name: str) -> None:
    """The trees that come with the package follow the schema."""
    validator.validate(tree(name))


def set_in(document: Any, path: list[Any], value: Any) -> Any:
    *way, last = path
    for step in way:
        document = document[step]
    document[last] = value
    return document


QUESTION = ["questions", "leaks"]
FINDING = ["findings", "files_in_memory"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["about"], ""),
        (["more"], "keys"),
        ([*QUESTION, "ask"], 5),
        ([*QUESTION, "when", "fact"], "weather"),
        ([*QUESTION, "when", "operator"], "equals"),
        ([*QUESTION, "when", "operand"], "perhaps"),
        ([*QUESTION, "when", "operand"], True),
        ([*QUESTION, "when"], {"fact": "restarts", "operator": "is", "operand": 1}),
        ([*QUESTION, "when"], {"fact": "restarts", "operator": "at_least", "operand": "one"}),
        ([*QUESTION, "when"], {"fact": "limit_known", "operator": "is", "operand": "yes"}),
        ([*QUESTION, "when"], {"fact": "shape", "operator": "one_of", "operand": []}),
        ([*QUESTION, "when"], {"fact": "shape", "operator": "one_of", "operand": ["upwards"]}),
        ([*FINDING, "confidence"], "sure"),
        ([*FINDING, "steps"], []),
        ([*FINDING, "steps"], [{"say": "x"}]),
        ([*FINDING, "remedy"], {"action": "pray", "risk": "none"}),
        (["findings", "not_a_leak", "remedy"], {"action": "restart", "risk": "none"}),
    ],
)
def test_what_the_schema_refuses_the_loader_refuses(
    validator: jsonschema.Draft202012Validator, path: list[Any], value: Any
) -> None:
    """A mistake in one node is found by both."""
    document = tree("memory_leak")
    set_in(document, path, value)
    assert not validator.is_valid(document)
    with pytest.raises(PlaybookError):
        load("bad", yaml.safe_dump(document))
