"""The closed vocabulary: every fact that a tree may ask about, with its type, unit, and how to come by it.

``python -m playbooks.vocabulary`` prints the tables of docs/facts.md.
"""

import difflib
from collections.abc import Mapping
from types import MappingProxyType

from playbooks.vocabulary.fact_type import FactType, Kind
from playbooks.vocabulary.incidents import INCIDENTS
from playbooks.vocabulary.server import SERVER
from playbooks.vocabulary.surroundings import DEPLOYMENT, PROCESS
from playbooks.vocabulary.trace import TRACE

__all__ = ["FACTS", "SECTIONS", "FactType", "Kind", "unknown_name"]

SECTIONS: Mapping[str, Mapping[str, FactType]] = MappingProxyType(
    {
        "The trace and its verdict": TRACE,
        "How it ended": INCIDENTS,
        "The server's pages": SERVER,
        "The process": PROCESS,
        "The deployment": DEPLOYMENT,
    }
)
"""The facts by where they come from."""

FACTS: Mapping[str, FactType] = MappingProxyType(
    {name: fact for section in SECTIONS.values() for name, fact in section.items()}
)


def unknown_name(name: str) -> str:
    """What to say about a name that is no fact's: the nearest one that is."""
    near = difflib.get_close_matches(name, FACTS, n=1)
    meant = f"; is {near[0]!r} meant?" if near else ";"
    return f"unknown fact {name!r}{meant} docs/facts.md lists them"
