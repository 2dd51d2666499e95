"""What one cycle brought for one target, in the form in which it is told. Pure."""

import shlex
from collections.abc import Sequence

from detectors.types import LiveVerdict
from leakwatch.act.decision import Decision, Happening, Ruling, What
from leakwatch.agent.target_state import Pending
from leakwatch.ports import Action, Outcome
from leakwatch.tell.incident import News
from playbooks.types import Diagnosis


def news_of(
    verdict: LiveVerdict | None,
    limit_bytes: float | None,
    diagnosis: Diagnosis | None,
    pending: Pending,
    decision: Decision | None,
    happened: Sequence[Happening],
    *,
    deciding: bool = False,
    gone: str | None = None,
) -> News:
    """Everything together; what did not happen is left out. ``deciding``: the decision is not there yet."""
    action, outcome, verified, escalate = _came_of_it(happened)
    held = approval = None
    if decision is not None:
        against = [reason for reason in decision.against if reason.gate != "approval"]
        if decision.ruling in (Ruling.WOULD_ACT, Ruling.ACT):
            action = action or decision.action
        elif decision.ruling is Ruling.ASK:
            action = action or decision.action
            approval = f"leakwatch act approve {shlex.quote(decision.case.target)}"
        elif decision.ruling is Ruling.WAIT and against and not any(reason.gate == "under_way" for reason in against):
            held = against[0].sentence
        elif decision.ruling is Ruling.ESCALATE:
            escalate = escalate or "; ".join(reason.sentence for reason in against[:2]) or "no gate opens in time"
    told = (What.BEGUN, What.EVIDENCE, What.HELD, What.NOT_HELPED, What.UNFINISHED, What.TROUBLE)
    return News(
        verdict=verdict,
        limit_bytes=limit_bytes,
        diagnosis=diagnosis,
        action=action,
        outcome=outcome,
        deciding=deciding,
        held=held,
        approval=approval,
        verified=verified,
        escalate=escalate,
        gone=gone,
        began=pending.began,
        ended=pending.ended,
        lines=(*pending.lines, *(one.sentence for one in happened if one.what in told)),
        alarms=pending.alarms,
    )


def _came_of_it(happened: Sequence[Happening]) -> tuple[Action | None, Outcome | None, str | None, str | None]:
    """The last action with its outcome, if it has one yet, what verified it, and why a person has to look.

    What happened is a better reason than what was decided because of it.
    """
    action = outcome = verified = escalate = None
    for one in happened:
        if one.what is What.BEGUN or (one.what in (What.DONE, What.FAILED) and one.outcome is not None):
            action, outcome = one.action or (one.decision.action if one.decision else None), one.outcome
        if one.what is What.HELPED:
            verified = one.sentence
        if one.page and one.what is not What.FAILED and (one.what is not What.DECIDED or escalate is None):
            escalate = one.sentence
    return action, outcome, verified, escalate
