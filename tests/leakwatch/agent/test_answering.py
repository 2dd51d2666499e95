"""A button is as good as the command, and no better: one question, one incident."""

from pathlib import Path

from leakwatch.act.ledger import Ledger
from leakwatch.agent.answering import answered
from playbooks.types import Action as Remedy
from tests.fakes.acting import HandClock


def test_a_press_answers_the_question_that_it_was_shown_with(tmp_path: Path) -> None:
    """An old message's button approves nothing of a later incident; the right one is written down with who pressed."""
    clock, ledger = HandClock(), Ledger(tmp_path, HandClock())
    ledger.ask("serving", "serving@2", Remedy.RESTART, "3 h are left")
    assert "ann was too late" in answered(tmp_path, clock, "serving", "serving@1", True, "ann")
    assert "ann was too late" in answered(tmp_path, clock, "other", "serving@2", True, "ann")
    assert ledger.view(0.0).approvals[0].answer is None
    said = answered(tmp_path, clock, "serving", "serving@2", True, "ann")
    assert said == "restart of serving is approved for an hour by ann: 3 h are left"
    assert (ledger.view(0.0).approvals[0].answer, ledger.view(0.0).approvals[0].by) == (True, "ann")
    assert "refused for this incident by bob" in answered(tmp_path, clock, "serving", "serving@2", False, "bob")
