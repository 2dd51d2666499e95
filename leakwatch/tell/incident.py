"""What happened to a target in one cycle, and what is remembered of its incident between two messages. Values only."""

import json
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from detectors.types import LiveVerdict
from leakwatch.ports import Action, Outcome
from playbooks.types import Diagnosis

NOTHING = "nothing done"
KEPT_LINES = 20
"""An incident remembers so many of its lines; the older ones were told already, or are counted."""


@dataclass(frozen=True, slots=True)
class News:
    """What one cycle brought for one target; whatever did not happen is left out.

    Attributes:
        verdict: what the live detector holds true; give it whenever there is one, since messages speak of it.
        limit_bytes: the memory limit; None where none is known.
        diagnosis: cause and steps; None where no tree was walked.
        action, outcome: what was decided; with ``dry_run`` what would have been. Without an outcome it is only planned.
        deciding: nobody knows yet what is to be done: an opening waits a moment for it, so that its first line says it.
        held: why an action that fits was not taken, as a clause: "cooldown until 14:05Z".
        approval: the command that lets the action go ahead, where it waits for a person.
        verified: a sentence that says that the target is well again after an action; it resolves the incident.
        escalate: a sentence that says why a person has to look now.
        gone: a clause that says why there is nothing left to be wrong: it has long been gone, or is no longer watched.
            It resolves the incident.
        began, ended: conditions as (name, sentence): a name begins once and ends once.
        lines: what else is worth a line of an open incident (a restart); without one it is not told.
        alarms: what opens an incident by itself although it is over already: an OOM kill.
    """

    verdict: LiveVerdict | None = None
    limit_bytes: float | None = None
    diagnosis: Diagnosis | None = None
    action: Action | None = None
    outcome: Outcome | None = None
    deciding: bool = False
    held: str | None = None
    approval: str | None = None
    verified: str | None = None
    escalate: str | None = None
    gone: str | None = None
    began: tuple[tuple[str, str], ...] = ()
    ended: tuple[tuple[str, str], ...] = ()
    lines: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IncidentState:
    """The incident of one target: enough to say each thing once. All fields are plain, so that it is kept as JSON.

    Attributes:
        key: of the open incident, or of the last one; None before the first.
        number: messages of this incident so far.
        opened_at, closed_at: Unix seconds; it is open while the second is None and the first is not.
        leak: whether a leak is part of it (still).
        conditions: names of those that hold.
        about: the first line's middle part as last known: "anon grows 12.1 MiB/h ..., 3 h 20 min left to 16 GiB".
        grew: the same of its leak, as it was last true.
        pace: how fast that was, looking back: "anon grew 12.1 MiB/h (11.6 to 12.7)".
        did: the first line's last part: "nothing done (dry run): would restart".
        deed, deed_at: the last action that was carried out, in the same words, and when, also before it was reopened.
        lines: those not told yet.
        severity: as last told.
        told_at: when the last message came to be.
        told_low, told_high: slope interval as last told, bytes per second; None where none was.
        told_left: seconds to the limit as last told.
        updates: told so far; each makes the wait for the next longer.
        withheld: lines that waited and were dropped for newer ones; the next message tells how many.
        clear_at: since when nothing is wrong any more; None while something is.
        reopened: how often the incident came back after it was resolved.
        acts: actions that were carried out.
        verified, verified_at: what the verification of an action said, and when, while a condition keeps the incident
            open; None otherwise.
        alarm: the last alarm, while it waits to be told.
        planned: the action of a dry run, or that waits for approval, that was told already, so that it is told once.
        escalated: the reason that was told last; None where none was.
    """

    target: str
    key: str | None = None
    number: int = 0
    opened_at: float | None = None
    closed_at: float | None = None
    leak: bool = False
    conditions: tuple[str, ...] = ()
    about: str = ""
    grew: str = ""
    pace: str = ""
    did: str = NOTHING
    deed: str | None = None
    deed_at: float | None = None
    lines: tuple[str, ...] = ()
    severity: str = "info"
    told_at: float | None = None
    told_low: float | None = None
    told_high: float | None = None
    told_left: float | None = None
    updates: int = 0
    withheld: int = 0
    clear_at: float | None = None
    reopened: int = 0
    acts: int = 0
    verified: str | None = None
    verified_at: float | None = None
    alarm: str | None = None
    planned: str | None = None
    escalated: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether something is wrong, or was a moment ago."""
        return self.opened_at is not None and self.closed_at is None

    def with_lines(self, lines: tuple[str, ...]) -> "IncidentState":
        """These lines after those that wait already; the oldest are only counted where there are too many."""
        waiting = (*self.lines, *lines)
        over = max(0, len(waiting) - KEPT_LINES)
        return replace(self, lines=waiting[over:], withheld=self.withheld + over) if lines else self


@dataclass(frozen=True, slots=True)
class Pace:
    """How often one incident may speak.

    Attributes:
        update_seconds: least time between two updates; each update told doubles it.
        most_update_seconds: up to this.
        settle_seconds: how long a target must be well before its incident is resolved by itself; each time that it
            comes back makes that four times as long.
        most_decide_seconds: how long an opening waits for what is decided.
        most_settle_seconds: up to this; within this time after its end the same incident goes on.
    """

    update_seconds: float = 600.0
    most_update_seconds: float = 6 * 3600.0
    settle_seconds: float = 300.0
    most_settle_seconds: float = 6 * 3600.0
    most_decide_seconds: float = 10.0


def as_json(state: IncidentState) -> str:
    """One line of JSON."""
    return json.dumps(asdict(state), allow_nan=False)


def from_json(text: str) -> IncidentState:
    """What `as_json` wrote, by this version or another: fields that are not known are left out.

    Raises:
        ValueError: it is no such JSON.
    """
    data: Any = json.loads(text)
    if not isinstance(data, dict) or not isinstance(data.get("target"), str):
        raise ValueError("no incident: a JSON object with a target is wanted")
    names = {field.name for field in fields(IncidentState)}
    known: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items() if k in names}
    return IncidentState(**known)
