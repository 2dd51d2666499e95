"""What one cycle brought, as it is told: an action on its way is no reason why nothing was done."""

from leakwatch.act.decision import Decision, Happening, Reason, Ruling, What
from leakwatch.agent.newsroom import news_of
from leakwatch.agent.target_state import Pending
from leakwatch.ports import Action
from leakwatch.tell.incident import News
from playbooks.types import Action as Remedy
from tests.fakes.acting import leaking

RESTART = Action(Remedy.RESTART, "serving", "it leaks", False, 0.0, 1.0)


def told(decision: Decision | None, *happened: Happening) -> News:
    return news_of(None, None, None, Pending(), decision, happened)


def waiting(gate: str, sentence: str) -> Decision:
    return Decision(leaking(), Ruling.WAIT, (Reason(gate, False, sentence),), 0.0)


def happened(what: What, sentence: str, *, page: bool = False) -> Happening:
    return Happening(0.0, what, sentence, "serving", page, action=RESTART)


def test_an_action_that_has_begun_is_told_and_is_no_reason_why_nothing_was_done() -> None:
    """The decision to act was overtaken by the next one, which waits for it."""
    news = told(waiting("under_way", "an action is not over"), happened(What.BEGUN, "restart is begun"))
    assert (news.action, news.outcome, news.held) == (RESTART, None, None)


def test_a_closed_gate_is_the_reason_why_nothing_was_done() -> None:
    """Any other than that something is under way."""
    assert told(waiting("silence", "silenced by ann")).held == "silenced by ann"


def test_what_happened_is_a_better_reason_to_call_a_person_than_what_was_decided_because_of_it() -> None:
    """In whichever order the two came."""
    unfinished = happened(What.UNFINISHED, "it counts as done", page=True)
    decided = happened(What.DECIDED, "the budget is used up", page=True)
    for both in ((unfinished, decided), (decided, unfinished)):
        assert told(None, *both).escalate == "it counts as done"
    assert told(None, decided).escalate == "the budget is used up"
