"""Memory events and incidents as JSON Lines (contracts.md section 3): one object a line, pure ASCII.

The published schema is docs/schemas/logs.schema.json. Unknown is ``null``; NaN and Infinity never appear.
"""

import json
import math
import re
from typing import Any

from detectors.types import Incident, OomEvent

Json = dict[str, Any]
_HALF_PAIRS = re.compile("[\ud800-\udc7f\udd00-\udfff]")


def event_as_dict(source: str, event: OomEvent) -> Json:
    """One event: where it stands, what it is, and the fields of its kind."""
    fixed: Json = {
        "source": _clean(source),
        "line": event.line,
        "lines": event.lines,
        "kind": event.kind,
        "at": _clean(event.at),
        "text": _clean(event.text),
        "incident": event.incident,
        "proves_oom": event.proves_oom,
    }
    return fixed | {name: _clean(value) for name, value in event.fields.items() if name not in fixed}


def incident_as_dict(source: str, incident: Incident) -> Json:
    """One incident: what was killed, by which limit, and how we know."""
    return {
        "source": _clean(source),
        "incident": incident.number,
        "scope": incident.scope,
        "victim": _clean(incident.victim),
        "pid": incident.pid,
        "cgroup": _clean(incident.cgroup),
        "pod_uid": _clean(incident.pod_uid),
        "container_id": _clean(incident.container_id),
        "limit_bytes": incident.limit_bytes,
        "usage_bytes": incident.usage_bytes,
        "at": _clean(incident.at),
        "proves_oom": incident.proves_oom,
        "processes": [
            {"name": _clean(name), "pid": pid, "rss_bytes": rss_bytes} for name, pid, rss_bytes in incident.processes
        ],
        "because": [_clean(sentence) for sentence in incident.because],
        "lines": list(incident.lines),
    }


def as_line(document: Json) -> str:
    """One line of JSON Lines."""
    return json.dumps(document, allow_nan=False) + "\n"


def _clean(value: Any) -> Any:
    """The value as JSON can say it: bytes that were no text become U+FFFD, a number that is none becomes unknown."""
    if isinstance(value, str) and not value.isascii():
        # Halves of a surrogate pair that stand for no byte: JSON in a log can spell them.
        return _HALF_PAIRS.sub("\ufffd", value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list | tuple):
        return [_clean(each) for each in value]
    return value
