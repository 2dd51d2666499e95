"""The JSON Schema of a playbook, made from the vocabulary and the operators, so that it cannot lag behind them.

``python -m playbooks.schema`` prints docs/schemas/playbook.schema.json. It holds what one node can be; that every
branch leads somewhere, that nothing is left over and that no walk goes in a circle only the loader can tell.
"""

import json
from collections.abc import Iterable
from typing import Any

from playbooks.engine import OPERATORS
from playbooks.types import Action, Branch, Confidence
from playbooks.vocabulary import FACTS, Kind

Json = dict[str, Any]

_TEXT = {"type": "string", "pattern": r"\S"}


def schema() -> Json:
    """The whole schema."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "leakwatch playbook",
        "description": "A decision tree: questions over facts (docs/facts.md), and findings.",
        **_mapping(
            {
                "about": {"$ref": "#/$defs/text", "description": "One sentence, when to use it."},
                "start": {"$ref": "#/$defs/text", "description": "The name of the first question, or of a finding."},
                "questions": _named("#/$defs/question"),
                "findings": _named("#/$defs/finding"),
            }
        ),
        "$defs": {
            "text": _TEXT,
            "question": _mapping(
                {
                    "ask": {"$ref": "#/$defs/text", "description": "A question that yes or no answers."},
                    "when": {"oneOf": list(_conditions())},
                    **{
                        str(branch): {"$ref": "#/$defs/text", "description": "The name of the node that follows."}
                        for branch in Branch
                    },
                }
            ),
            "finding": _mapping(
                {
                    "cause": {"$ref": "#/$defs/text", "description": "One sentence."},
                    "confidence": {"enum": [str(one) for one in Confidence]},
                    "steps": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/step"}},
                },
                {
                    "remedy": {"$ref": "#/$defs/remedy"},
                    "then": {"$ref": "#/$defs/text", "description": "The name of a tree to go on in."},
                },
            )
            | {"not": {"required": ["remedy", "then"]}},
            "step": _mapping(
                {"do": {"$ref": "#/$defs/text"}},
                {"command": {"$ref": "#/$defs/text", "description": "The exact command, flag or setting."}},
            ),
            "remedy": _mapping({"action": {"enum": [str(one) for one in Action]}, "risk": {"$ref": "#/$defs/text"}}),
        },
    }


def as_text() -> str:
    """The document."""
    return json.dumps(schema(), indent=2) + "\n"


def _mapping(required: Json, optional: Json | None = None) -> Json:
    return {
        "type": "object",
        "required": list(required),
        "additionalProperties": False,
        "properties": {**required, **(optional or {})},
    }


def _named(reference: str) -> Json:
    return {"type": "object", "additionalProperties": {"$ref": reference}}


def _conditions() -> Iterable[Json]:
    """What may be compared with what: all numbers alike, all flags alike, each word with its own words."""
    for kind, operand in ((Kind.NUMBER, {"type": "number"}), (Kind.FLAG, {"type": "boolean"})):
        names = [name for name, fact in FACTS.items() if fact.kind is kind]
        operators = [name for name, operator in OPERATORS.items() if kind in operator.kinds]
        yield _mapping({"fact": {"enum": names}, "operator": {"enum": operators}, "operand": operand})
    for name, fact in FACTS.items():
        for operator in (name for name, operator in OPERATORS.items() if fact.words and Kind.WORD in operator.kinds):
            one: Json = {"enum": list(fact.words)}
            several: Json = {"type": "array", "minItems": 1, "items": one}
            words = several if OPERATORS[operator].takes_list else one
            yield _mapping({"fact": {"const": name}, "operator": {"const": operator}, "operand": words})


if __name__ == "__main__":
    print(as_text(), end="")
