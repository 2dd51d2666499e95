"""Decisions on their way to the Events of their pods; imported where the settings ask for those."""

import shlex
from collections.abc import Callable

from leakwatch.act.decision import Decision, Ruling
from leakwatch.ports import Clock
from leakwatch.settings import Settings
from leakwatch.tell.channels import pods_of
from leakwatch.tell.decision_events import Decided, DecisionEvents


def decisions_to_pods(settings: Settings, clock: Clock) -> tuple[Callable[[Decision], None], Callable[[], None]]:
    """What hears of each decision, and what ends it."""
    events = DecisionEvents(pods_of(settings.targets), clock)

    def hear(decision: Decision) -> None:
        one = decided_of(decision)
        if one is not None:
            events.decided(one)

    return hear, events.close


def decided_of(decision: Decision) -> Decided | None:
    """A decision as an Event of its pod; None where nothing leaks, about which there is nothing to decide."""
    closed, target = decision.against, decision.case.target
    gates = {reason.gate for reason in closed}
    if "leak" in gates:
        return None
    action, ruling = decision.action, decision.ruling
    what = f"{action.remedy} of {target} by {decision.backend}" if action else f"nothing is done to {target}"
    why = "; ".join(reason.sentence for reason in closed[:2]) + (f"; {len(closed) - 2} more" if closed[2:] else "")
    reason, said = {
        Ruling.ACT: ("Decided", f"{what}: {action.reason if action else why}"),
        Ruling.WOULD_ACT: ("DryRun", f"dry run, nothing is touched: {what}: {action.reason if action else why}"),
        Ruling.ASK: ("AwaitsApproval", f"{what} waits for a person: leakwatch act approve {shlex.quote(target)}"),
        Ruling.ESCALATE: ("Escalated", f"a person has to act, {what} cannot be done in time: {why}"),
    }.get(
        ruling, ("Silenced" if "silence" in gates else "Held", f"{what} is held: {why}" if action else f"{what}: {why}")
    )
    same = f"{ruling} {action.remedy if action else None} {' '.join(sorted(gates))}"
    urgent = ruling in (Ruling.ASK, Ruling.ESCALATE)
    return Decided(target, same, f"MemoryAction{reason}", said, decision.at_seconds, urgent)
