"""The ledger remembers what was done, through kills, clock steps and reboots, and says so where it cannot."""

import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from leakwatch.act.decision import Decision, Ruling
from leakwatch.act.ledger import Ledger
from leakwatch.act.ledger_file import FILE_NAME
from leakwatch.act.records import APPROVAL_HOLDS_SECONDS
from leakwatch.errors import ActError
from leakwatch.ports import Action, Outcome
from playbooks.types import Action as Remedy
from tests.fakes.acting import HandClock, leaking

DAY = 86400.0


def decision(ledger: Ledger, target: str = "serving") -> Decision:
    action = Action(Remedy.RESTART, target, "it leaks", False, 0.0, 10.0)
    revision = ledger.view(DAY).revision
    return Decision(leaking(target=target), Ruling.ACT, (), 0.0, action, "docker", 1.0, revision, "life-0", None)


def act(ledger: Ledger, target: str = "serving") -> int:
    number = ledger.intend(decision(ledger, target))
    assert number is not None
    return number


def test_an_intent_is_there_for_the_next_agent(tmp_path: Path) -> None:
    """What one ledger object wrote another reads; unfinished it is taken over once, and counts as done."""
    clock = HandClock()
    act(Ledger(tmp_path, clock, "boot"))
    later = Ledger(tmp_path, clock, "boot")
    clock.pass_(5.0)
    [unfinished] = later.take_over()
    assert (unfinished.target, unfinished.life, unfinished.age_seconds) == ("serving", "life-0", 5.0)
    [found] = later.view(DAY).acts
    assert (found.ended, found.done, found.helped) == (True, None, None)
    assert later.take_over() == ()


def test_a_decision_is_void_once_the_ledger_has_moved_on(tmp_path: Path) -> None:
    """Of two that decided on the same state one may act; so may nobody after a silence came in between."""
    clock = HandClock()
    one, two = Ledger(tmp_path, clock, "boot"), Ledger(tmp_path, clock, "boot")
    first, second = decision(one), decision(two)
    assert one.intend(first) is not None
    assert two.intend(second) is None
    third = decision(two)
    one.silence("serving", 60.0, "known", "ada")
    assert two.intend(third) is None


def test_a_decision_stands_where_other_targets_came_to_a_good_end(tmp_path: Path) -> None:
    """What can but open gates voids nothing: the end of an action, that it helped, a silence that was lifted."""
    ledger = Ledger(tmp_path, HandClock(), "boot")
    number = ledger.intend(decision(ledger))
    assert number is not None
    ledger.silence("elsewhere", 60.0, "known", "ada")
    for change in (
        lambda: ledger.end(number, Outcome(True, "restarted", 1.0), "restarted"),
        lambda: ledger.settle(number, True),
        lambda: ledger.resume("elsewhere"),
    ):
        before = ledger.view(1e6).revision
        change()
        assert ledger.view(1e6).revision == before
    before = ledger.view(1e6).revision
    ledger.settle(number, False, "it did not help")
    assert ledger.view(1e6).revision > before


def test_of_many_at_once_one_intends(tmp_path: Path) -> None:
    """However many threads decide on the same state, one intent is written."""
    ledger, numbers = Ledger(tmp_path, HandClock(), "boot"), []
    same = decision(ledger)
    start = threading.Barrier(8)

    def intend() -> None:
        mine = Ledger(tmp_path, HandClock(), "boot")
        start.wait()
        numbers.append(mine.intend(same))

    threads = [threading.Thread(target=intend) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([number for number in numbers if number is not None]) == 1


@pytest.mark.parametrize("step", [-30 * DAY, -60.0, 60.0, 30 * DAY])
def test_a_clock_step_changes_no_age(tmp_path: Path, step: float) -> None:
    """Within one boot only the steady clock counts."""
    clock = HandClock()
    ledger = Ledger(tmp_path, clock, "boot")
    act(ledger)
    clock.pass_(100.0)
    clock.now_seconds += step
    assert Ledger(tmp_path, clock, "boot").view(DAY).acts[0].age_seconds == pytest.approx(100.0)


@pytest.mark.parametrize(
    ("passed", "uptime", "expected"),
    [
        (3600.0, 60.0, 60.0),  # off for an hour: only what surely passed counts
        (-DAY, 60.0, 0.0),  # its clock came up in the past
        (400 * DAY, 60.0, 60.0),  # its clock came up in the future: no budget is refunded
        (300.0, 40 * DAY, 300.0),  # another machine, which has been up for long
    ],
)
def test_another_boot_counts_what_surely_passed(tmp_path: Path, passed: float, uptime: float, expected: float) -> None:
    """The smaller of the wall clock's word and this boot's length; and from then on the steady clock again."""
    act(Ledger(tmp_path, HandClock(), "boot"))
    clock = HandClock(now=HandClock().now() + passed, steady=uptime)
    ledger = Ledger(tmp_path, clock, "another boot")
    assert ledger.view(DAY).acts[0].age_seconds == pytest.approx(expected)
    clock.pass_(50.0)
    assert ledger.view(DAY).acts[0].age_seconds == pytest.approx(expected + 50.0)


def test_time_is_marked_so_that_a_boot_goes_on_where_the_last_one_was(tmp_path: Path) -> None:
    """Two hours in one boot, looked at now and then, are remembered by the next."""
    clock = HandClock()
    ledger = Ledger(tmp_path, clock, "boot")
    act(ledger)
    for _ in range(120):
        clock.pass_(60.0)
        ledger.view(DAY)
    rebooted = Ledger(tmp_path, HandClock(now=clock.now(), steady=1.0), "another boot")
    assert rebooted.view(DAY).acts[0].age_seconds == pytest.approx(7200.0, abs=61.0)


def test_the_horizon_hides_what_is_old_and_settled(tmp_path: Path) -> None:
    """Not what is still open."""
    clock = HandClock()
    ledger = Ledger(tmp_path, clock, "boot")
    settled, open_one = act(ledger), act(ledger, "other")
    for number in (settled, open_one):
        ledger.end(number, Outcome(True, "restarted", 1.0), "restarted")
    ledger.settle(settled, True)
    clock.pass_(2 * DAY)
    assert [one.target for one in ledger.view(DAY).acts] == ["other"]


def test_a_silence_expires_and_can_be_lifted(tmp_path: Path) -> None:
    """It survives a restart and a clock step, and is over when its time has passed."""
    clock = HandClock()
    Ledger(tmp_path, clock, "boot").silence("serving", 7200.0, "deploy", "ada")
    clock.pass_(7100.0)
    clock.now_seconds += DAY
    ledger = Ledger(tmp_path, clock, "boot")
    [silence] = ledger.view(DAY).silences
    assert (silence.target, silence.left_seconds, silence.why) == ("serving", pytest.approx(100.0), "deploy")
    clock.pass_(101.0)
    assert ledger.view(DAY).silences == ()
    ledger.silence("serving", 7200.0, "deploy", "ada")
    assert ledger.resume("serving")
    assert ledger.view(DAY).silences == ()
    assert not ledger.resume("serving")


def test_a_yes_holds_for_an_hour_and_for_one_action(tmp_path: Path) -> None:
    """It is used up by the action, and too old after its time."""
    clock = HandClock()
    ledger = Ledger(tmp_path, clock, "boot")
    with pytest.raises(ActError, match="nothing waits for approval"):
        ledger.answer("serving", True, "ada")
    ledger.ask("serving", "serving-1", Remedy.RESTART, "it leaks")
    ledger.ask("serving", "serving-1", Remedy.RESTART, "it leaks still")  # the same question
    assert ledger.answer("serving", True, "ada").answer is True
    assert ledger.view(DAY).approvals[0].left_seconds == pytest.approx(APPROVAL_HOLDS_SECONDS)
    act(ledger)
    assert ledger.view(DAY).approvals[0].left_seconds == 0
    ledger.ask("serving", "serving-2", Remedy.RESTART, "again")
    ledger.answer("serving", True, "ada")
    clock.pass_(APPROVAL_HOLDS_SECONDS + 1)
    assert ledger.view(DAY).approvals[0].left_seconds == 0


def test_an_action_that_did_not_help_stops_its_target(tmp_path: Path) -> None:
    """Until somebody resumes it."""
    ledger = Ledger(tmp_path, HandClock(), "boot")
    number = act(ledger)
    ledger.end(number, Outcome(True, "restarted", 1.0), "restarted")
    ledger.settle(number, False, "it did not help")
    [stop] = ledger.view(DAY).stops
    assert (stop.target, stop.why) == ("serving", "it did not help")
    assert ledger.resume("serving")
    assert ledger.view(DAY).stops == ()


@pytest.mark.parametrize("damage", ["empty", "garbage", "middle", "version", "folder"])
def test_a_damaged_ledger_is_never_believed(tmp_path: Path, damage: str) -> None:
    """It is an error that says where, and the file is left as it is."""
    clock = HandClock()
    ledger = Ledger(tmp_path, clock, "boot")
    for number in range(60):
        act(ledger, f"target-{number}")
    path = tmp_path / FILE_NAME
    content = path.read_bytes()
    if damage == "empty":
        content = b""
    elif damage == "garbage":
        content = b"not a ledger\n" * 500
    elif damage == "middle":
        content = content[:5000] + b"\xff" * 9000 + content[14000:]
    path.write_bytes(content)
    if damage == "version":
        sqlite3.connect(path).execute("PRAGMA user_version = 99").connection.close()
    if damage == "folder":
        path.unlink()
        path.mkdir()
    with pytest.raises(ActError, match=FILE_NAME):
        Ledger(tmp_path, clock, "boot").view(DAY)
    assert damage in ("folder", "version") or path.read_bytes() == content


def test_a_ledger_that_vanishes_is_not_made_anew(tmp_path: Path) -> None:
    """While an agent runs, a file that is gone took the budget with it: nothing more is done."""
    ledger = Ledger(tmp_path, HandClock(), "boot")
    act(ledger)
    (tmp_path / FILE_NAME).unlink()
    with pytest.raises(ActError, match="has gone"):
        ledger.view(DAY)


def test_a_dry_run_cannot_be_intended(tmp_path: Path) -> None:
    """A caller's mistake, which must not reach the ledger."""
    ledger = Ledger(tmp_path, HandClock(), "boot")
    real = decision(ledger)
    assert real.action is not None
    with pytest.raises(ValueError, match="only an action that is to be done"):
        ledger.intend(replace(real, action=replace(real.action, dry_run=True)))


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    """Reasons and targets are nobody else's business."""
    Ledger(tmp_path, HandClock(), "boot").view(DAY)
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
