"""What was done, what people said, and when: durable, so that an agent that is killed never does a thing twice."""

import sqlite3
from pathlib import Path
from typing import Any

from leakwatch.act.decision import Decision
from leakwatch.act.ledger_file import LedgerFile
from leakwatch.act.records import APPROVAL_HOLDS_SECONDS, Act, Approval, Silence, Stop, View
from leakwatch.errors import ActError
from leakwatch.ports import Clock, Outcome
from playbooks.types import Action as Remedy


class Ledger:
    """The ledger in a folder; it is made where there is none.

    Every method raises `leakwatch.errors.ActError` where the ledger cannot be relied on: then nothing may be done.
    Clock and boot are those of `leakwatch.act.ledger_file.LedgerFile`.
    """

    def __init__(self, state_dir: Path, clock: Clock, boot: str | None = None) -> None:
        self._clock = clock
        self._file = LedgerFile(state_dir, clock, boot)

    # -----------------------------------------------------------------------------------------------------------------
    # Actions
    # -----------------------------------------------------------------------------------------------------------------

    def view(self, horizon_seconds: float) -> View:
        """What holds now, with all actions that are younger than the horizon or not settled."""
        with self._file.transaction() as (db, elapsed):
            [revision] = db.execute("SELECT revision FROM clock").fetchone()
            acts = db.execute(
                "SELECT number, target, incident, remedy, backend, at, ? - began, life, memory_bytes, workload,"
                " ended IS NOT NULL, done, helped, detail, ? - ended FROM acts"
                " WHERE ? - began < ? OR ended IS NULL OR (done AND helped IS NULL) ORDER BY number",
                (elapsed, elapsed, elapsed, horizon_seconds),
            ).fetchall()
            silences = db.execute(
                "SELECT target, until - ?, until_at, why, by FROM silences WHERE until > ?", [elapsed] * 2
            )
            stops = db.execute("SELECT target, workload, at, why FROM stops")
            approvals = db.execute(
                "SELECT target, incident, remedy, reason, asked_at, answer, by, CASE WHEN answer AND used IS NULL"
                " THEN max(0, answered + ? - ?) ELSE 0 END FROM approvals"
                " WHERE number IN (SELECT max(number) FROM approvals GROUP BY target)",
                (APPROVAL_HOLDS_SECONDS, elapsed),
            )
            return View(
                revision,
                tuple(_act(row) for row in acts),
                tuple(Silence(*row) for row in silences),
                tuple(Stop(*row) for row in stops),
                tuple(_approval(row) for row in approvals),
            )

    def intend(self, decision: Decision) -> int | None:
        """Write down what is about to be done, before it is; the action's number.

        None where something was begun, stopped or said since the decision was made: it has to be made again.
        """
        action, case = decision.action, decision.case
        if action is None or action.dry_run:
            raise ValueError("only an action that is to be done can be intended")
        with self._file.transaction() as (db, elapsed):
            if db.execute("SELECT revision FROM clock").fetchone() != (decision.revision,):
                return None
            values = (
                case.target,
                case.incident,
                decision.workload,
                action.remedy.value,
                decision.backend,
                action.reason,
            )
            number = db.execute(
                "INSERT INTO acts (target, incident, workload, remedy, backend, reason, life, memory_bytes, at, began)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*values, decision.life, case.memory_bytes, self._clock.now(), elapsed),
            ).lastrowid
            db.execute("UPDATE approvals SET used = ? WHERE target = ? AND used IS NULL", (number, case.target))
            _touch(db)
            return number

    def evidence(self, number: int, sentence: str) -> None:
        """The evidence was attempted, and how that went; comes before anything is done."""
        with self._file.transaction() as (db, _):
            db.execute("UPDATE acts SET evidence = ? WHERE number = ?", (sentence, number))

    def end(self, number: int, outcome: Outcome | None, detail: str) -> None:
        """It is over; without an outcome nobody knows whether it was done, and it counts as done."""
        done = None if outcome is None else int(outcome.done)
        with self._file.transaction() as (db, elapsed):
            changed = (elapsed, done, detail, number)
            db.execute("UPDATE acts SET ended = ?, done = ?, detail = ? WHERE number = ? AND ended IS NULL", changed)

    def settle(self, number: int, helped: bool, stop_because: str | None = None) -> None:
        """Whether it helped; with a reason to stop, nothing more is done to its target until `resume`."""
        with self._file.transaction() as (db, _):
            db.execute("UPDATE acts SET helped = ? WHERE number = ? AND helped IS NULL", (int(helped), number))
            if stop_because is not None:
                db.execute(
                    "INSERT OR REPLACE INTO stops SELECT target, workload, ?, ? FROM acts WHERE number = ?",
                    (self._clock.now(), stop_because, number),
                )
                _touch(db)

    def take_over(self) -> tuple[Act, ...]:
        """At the start of an agent: what an earlier one began and never ended is over, and counts as done."""
        unfinished = tuple(act for act in self.view(0.0).acts if not act.ended)
        for act in unfinished:
            self.end(act.number, None, "the agent ended before it was over; nobody knows how far it came")
        return unfinished

    # -----------------------------------------------------------------------------------------------------------------
    # People
    # -----------------------------------------------------------------------------------------------------------------

    def ask(self, target: str, incident: str, remedy: Remedy, reason: str) -> None:
        """Put a question to people, unless the same one stands already."""
        with self._file.transaction() as (db, _):
            last = "SELECT incident, remedy, answer FROM approvals WHERE target = ? ORDER BY number DESC LIMIT 1"
            if db.execute(last, (target,)).fetchone() == (incident, remedy.value, None):
                return
            db.execute(
                "INSERT INTO approvals (target, incident, remedy, reason, asked_at) VALUES (?, ?, ?, ?, ?)",
                (target, incident, remedy.value, reason, self._clock.now()),
            )
            _touch(db)

    def answer(self, target: str, yes: bool, by: str, incident: str | None = None) -> Approval:
        """A person's answer to the question that stands; ActError where there is none.

        ``incident``: the one that was answered for; a question of another, asked since, is not meant.
        """
        with self._file.transaction() as (db, elapsed):
            open_one = db.execute(
                "SELECT number, target, incident, remedy, reason, asked_at FROM approvals WHERE number ="
                " (SELECT max(number) FROM approvals WHERE target = ?) AND used IS NULL",
                (target,),
            ).fetchone()
            if open_one is None or incident not in (None, open_one[2]):
                fix = "see 'leakwatch act status' for what waits"
                raise ActError("ledger", f"nothing waits for approval at {target!r}", fix)
            db.execute(
                "UPDATE approvals SET answer = ?, answered = ?, by = ? WHERE number = ?",
                (int(yes), elapsed, by, open_one[0]),
            )
            _touch(db)
            return _approval((*open_one[1:], int(yes), by, APPROVAL_HOLDS_SECONDS if yes else 0.0))

    def silence(self, target: str, for_seconds: float, why: str, by: str) -> Silence:
        """Nothing is done to the target for so long; a later silence stands in place of an earlier one."""
        with self._file.transaction() as (db, elapsed):
            until, until_at = elapsed + for_seconds, self._clock.now() + for_seconds
            db.execute("INSERT OR REPLACE INTO silences VALUES (?, ?, ?, ?, ?)", (target, until, until_at, why, by))
            _touch(db)
            return Silence(target, for_seconds, until_at, why, by)

    def resume(self, target: str) -> bool:
        """Lift silence, stop and refusal; whether there was anything to lift."""
        with self._file.transaction() as (db, _):
            lifted = db.execute("DELETE FROM silences WHERE target = ?", (target,)).rowcount
            lifted += db.execute("DELETE FROM stops WHERE target = ?", (target,)).rowcount
            lifted += db.execute("DELETE FROM approvals WHERE target = ? AND answer = 0", (target,)).rowcount
            return lifted > 0


def _touch(db: sqlite3.Connection) -> None:
    """Decisions of before are void. Only for what may close a gate: what can but open one leaves them as they are."""
    db.execute("UPDATE clock SET revision = revision + 1")


def _act(row: tuple[Any, ...]) -> Act:
    number, target, incident, remedy, backend, at, age, life, memory, workload, ended, done, helped, detail, settled = (
        row
    )
    return Act(
        number,
        target,
        incident,
        Remedy(remedy),
        backend,
        at,
        age,
        life,
        memory,
        workload,
        bool(ended),
        None if done is None else bool(done),
        None if helped is None else bool(helped),
        detail,
        settled,
    )


def _approval(row: tuple[Any, ...]) -> Approval:
    target, incident, remedy, reason, asked, answer, by, left = row
    return Approval(target, incident, Remedy(remedy), reason, asked, None if answer is None else bool(answer), by, left)
