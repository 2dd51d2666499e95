"""The JSON document of ``leakwatch plan``: the proposal with every part and assumption."""

import json
import math
from dataclasses import asdict
from typing import Any

from leakwatch.proposal import Proposal

SCHEMA_VERSION = 1
Json = dict[str, Any]


def as_json(proposal: Proposal) -> str:
    """One document; bytes are whole numbers, unknown is null."""
    return json.dumps(document(proposal), indent=2, allow_nan=False) + "\n"


def document(proposal: Proposal) -> Json:
    """The document as plain dicts."""
    seconds = proposal.seconds_to_limit
    return {
        "schema_version": SCHEMA_VERSION,
        "limit_bytes": proposal.limit_bytes,
        "request_bytes": proposal.request_bytes,
        "request_because": proposal.request_because,
        "parts": [
            {
                "name": part.name,
                "bytes": round(part.value_bytes),
                "arithmetic": part.arithmetic,
                "basis": str(part.basis),
                "source": part.source,
            }
            for part in proposal.parts
        ],
        "assumptions": [{**asdict(one), "basis": str(one.basis)} for one in proposal.assumptions],
        "batching": asdict(proposal.batching) if proposal.batching else None,
        "cost": asdict(proposal.cost) if proposal.cost else None,
        "seconds_to_limit": seconds if seconds is not None and math.isfinite(seconds) else None,
        "notes": list(proposal.notes),
    }
