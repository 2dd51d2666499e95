"""The closed vocabulary: every fact that a tree may ask about, with its type, unit, and how to come by it.

``python -m playbooks.vocabulary`` prints the tables of docs/facts.md.
"""

from collections.abc import Mapping
from types import MappingProxyType

from playbooks.vocabulary.fact_type import FactType, Kind
from playbooks.vocabulary.incidents import INCIDENTS
from playbooks.vocabulary.server import SERVER
from playbooks.vocabulary.surroundings import DEPLOYMENT, PROCESS
from playbooks.vocabulary.trace import TRACE

__all__ = ["FACTS", "SECTIONS", "FactType", "Kind"]

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
