"""A person's answer to a question of the ledger that came by a channel, as ``leakwatch act approve`` gives it."""

from pathlib import Path

from leakwatch.errors import ActError
from leakwatch.ports import Clock


def answered(state_dir: Path, clock: Clock, target: str, incident: str, yes: bool, who: str) -> str:
    """What follows from it, in one sentence; an answer to what nobody asks any more does nothing."""
    from leakwatch.act.ledger import Ledger

    try:
        asked = Ledger(state_dir, clock).answer(target, yes, who, incident)
    except ActError as error:
        return f"{who} was too late, or it could not be written down: {error}"
    agreed = f"is approved for an hour by {who}: {asked.reason}" if yes else f"is refused for this incident by {who}"
    return f"{asked.remedy} of {target} {agreed}"
