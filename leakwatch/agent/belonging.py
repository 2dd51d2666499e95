"""Whether a memory event in a log is a target's own. Pure."""

import re
from dataclasses import dataclass

from detectors.types import Incident

_HEX = re.compile(r"[0-9a-f]{12,64}")
_UID = re.compile(r"[0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}")
_LEAST_ID = 12


@dataclass(frozen=True, slots=True)
class Identity:
    """What is known of one life of a target.

    Attributes:
        pid: its process; None where that is unknown.
        cgroup: path of its cgroup, from the hierarchy's root or through a mount; None where it is unknown.
        ids: ids of container and pod, as they stand in paths and names.
    """

    pid: int | None = None
    cgroup: str | None = None
    ids: frozenset[str] = frozenset()


def ids_in(*texts: str | None) -> frozenset[str]:
    """Container ids and pod uids (with dashes) in paths and names; an id may be cut to 12 digits."""
    found: set[str] = set()
    for text in texts:
        uids = _UID.findall(text or "")
        found.update(uid.replace("_", "-") for uid in uids)
        found.update(_HEX.findall(_UID.sub(" ", text or "")))
    return frozenset(found)


def belongs(incident: Incident, identities: tuple[Identity, ...], *, own_log: bool) -> bool:
    """Whether the incident is of one of these lives of a target.

    In a log that is the target's own, everything is that does not name another container; in the kernel's, only what
    names its cgroup, its id or its process.
    """
    named = ids_in(incident.container_id, incident.pod_uid, incident.cgroup)
    for one in identities:
        if any(_same_id(a, b) for a in named for b in one.ids):
            return True
        if incident.pid is not None and incident.pid == one.pid:
            return True
        if incident.cgroup is not None and one.cgroup is not None and _same_cgroup(incident.cgroup, one.cgroup):
            return True
    return own_log and (not named or not any(one.ids for one in identities))


def _same_id(one: str, other: str) -> bool:
    length = min(len(one), len(other))
    return length >= _LEAST_ID and one[:length] == other[:length]


def _same_cgroup(told: str, ours: str) -> bool:
    """The kernel names a cgroup from the hierarchy's root; ours may begin at a mount, or be seen from inside."""
    told, ours = told.rstrip("/"), ours.rstrip("/")
    return len(told) > 1 and (ours == told or ours.endswith(told))
