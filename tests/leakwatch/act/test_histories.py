"""Whatever happens: never more restarts than the budget, never two at once in a workload, none without evidence."""

import os
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from leakwatch.act.acting import Acting
from leakwatch.act.decision import Decision, Ruling
from leakwatch.act.ledger import Ledger
from leakwatch.errors import ActError
from leakwatch.ports import Action, Outcome, Standing
from leakwatch.settings import ActSettings, BudgetSettings
from playbooks.types import Action as Remedy
from tests.fakes.acting import BARE, FakeProbe, HandClock, healthy, leaking

TARGETS = ("a", "b", "c")
WORKLOADS = {"a": "ml/deployment/one", "b": "ml/deployment/one", "c": None}
BUDGET = BudgetSettings(restarts=2, per_seconds=10_000.0, fleet=4)
TARGET = st.sampled_from(TARGETS)
LOW = st.sampled_from([1700.0, 60.0, 0.0, 3000.0])
HELPS = st.sampled_from([True, True, False])
AFTER = st.sampled_from([501.0, 1.0, 3000.0, 9000.0])
STEP = st.sampled_from([0.0, 20_000.0, -20_000.0, 1e8, -1e8, 600.0])
MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else None  # a disk would make each of thousands of commits wait
SETTINGS = ActSettings(
    dry_run=False,
    drain_seconds=0.0,
    cooldown_seconds=500.0,
    min_uptime_seconds=0.0,
    verify_seconds=0.0001,
    budget=BUDGET,
)


class KilledError(BaseException):
    """Stands for kill -9: nothing after it runs."""


class World:
    """What truly happened, on a clock that nobody can set."""

    def __init__(self) -> None:
        self.true_seconds = 0.0
        self.restarts: list[tuple[float, str]] = []
        self.under_way: set[str] = set()
        self.evidence_since_restart: set[str] = set()
        self.faults: set[str] = set()
        self.wrong: list[str] = []


class Backend:
    """One target's backend: it notes what is done to the world, and fails as it is told to."""

    name = "docker"

    def __init__(self, world: World, target: str) -> None:
        self.world, self.target, self.life = world, target, 0

    def remedies(self) -> frozenset[Remedy]:
        return frozenset({Remedy.RESTART, Remedy.RAISE_LIMIT})

    def standing(self, now_seconds: float) -> Standing:
        if "unknown" in self.world.faults:
            raise ActError(self.name, "unknown", "look")
        return Standing(f"life-{self.life}", 1e6, True, workload=WORKLOADS[self.target], not_applicable=BARE)

    def lease(self) -> None:
        if "killed at the lease" in self.world.faults:
            raise KilledError

    def carry_out(self, action: Action, held: Any) -> Outcome:
        workload = WORKLOADS[self.target] or self.target
        if "killed before the act" in self.world.faults:
            raise KilledError
        if "refused" in self.world.faults:
            return Outcome(False, "refused", 0.0)
        if action.remedy is Remedy.RAISE_LIMIT:
            return Outcome(True, "raised", 0.0)
        if workload in self.world.under_way:
            self.world.wrong.append("two at once in one workload")
        if self.target not in self.world.evidence_since_restart:
            self.world.wrong.append("no evidence was attempted")
        self.world.under_way.add(workload)
        self.world.evidence_since_restart.discard(self.target)
        self.world.restarts.append((self.world.true_seconds, self.target))
        self.life += 1
        if "killed after the act" in self.world.faults:
            self.world.under_way.discard(workload)
            raise KilledError
        self.world.under_way.discard(workload)
        if "fails late" in self.world.faults:
            raise ActError(self.name, "no answer", "look")
        return Outcome(True, "restarted", 0.0)


class Histories(RuleBasedStateMachine):
    """Cases, time, clock steps, reboots, kills, failures and people, in any order."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory(dir=MEMORY, ignore_cleanup_errors=True)
        self.world, self.clock, self.boot = World(), HandClock(), 0
        self.backends = {target: Backend(self.world, target) for target in TARGETS}
        self.kept: list[Decision] = []
        self.acting = self.agent()

    def agent(self) -> Acting:
        def probe(target: str) -> FakeProbe:
            def attempt() -> None:
                self.world.evidence_since_restart.add(target)
                if "probe fails" in self.world.faults:
                    raise OSError("no such process")

            return FakeProbe(do=attempt)

        restarters = {target: [backend] for target, backend in self.backends.items()}
        probes = {target: [probe(target)] for target in TARGETS}
        return Acting(SETTINGS, Path(self.folder.name), restarters, probes, self.clock, f"boot-{self.boot}")

    def carry_out(self, decision: Decision) -> None:
        """Begins and waits; a kill ends the agent on the spot, and another one starts."""
        killed = []
        worker = self.acting._worker
        run = worker._run

        def until_killed(*arguments: Any) -> None:
            try:
                run(*arguments)
            except KilledError:
                killed.append(True)

        worker._run = until_killed  # type: ignore[method-assign]
        if self.acting.begin(decision) and worker._thread is not None:
            worker._thread.join(60)
        if killed:
            self.restart_agent()

    @rule(looks=st.lists(st.tuples(TARGET, LOW, HELPS, AFTER, STEP), min_size=1, max_size=12))
    def time_and_clock_go_on(self, looks: list[tuple[str, float, bool, float, float]]) -> None:
        for target, low, helps, after, step in looks:
            self.time_passes(after)
            self.clock.now_seconds += step
            self.leaks(target, low, helps)
            self.the_budgets_hold()

    @rule(target_=TARGET, low=LOW, helps=HELPS, remedy=st.sampled_from([Remedy.RESTART, Remedy.RAISE_LIMIT]))
    def leaks(self, target_: str, low: float, helps: bool, remedy: Remedy = Remedy.RESTART) -> None:
        decision = self.acting.consider(leaking(low, target=target_, incident=target_, remedy=remedy))
        if decision.ruling is Ruling.ACT:
            self.kept.append(decision)
            self.carry_out(decision)
            if helps:
                self.is_well(target_)

    @rule(target_=TARGET)
    def is_well(self, target_: str) -> None:
        self.acting.consider(healthy(target=target_, incident=target_))

    @rule(data=st.data())
    def an_old_decision_is_begun_again(self, data: st.DataObject) -> None:
        if self.kept:
            self.carry_out(data.draw(st.sampled_from(self.kept)))

    @rule(seconds=AFTER)
    def time_passes(self, seconds: float) -> None:
        self.world.true_seconds += seconds
        self.clock.pass_(seconds)

    @rule(seconds=STEP)
    def the_clock_is_set(self, seconds: float) -> None:
        self.clock.now_seconds += seconds

    @rule()
    def restart_agent(self) -> None:
        self.acting.close()
        self.acting = self.agent()

    @rule(off_seconds=st.floats(0.0, 1e5))
    def the_machine_reboots(self, off_seconds: float) -> None:
        self.acting.close()
        self.world.true_seconds += off_seconds
        self.clock.now_seconds += off_seconds
        self.clock.steady_seconds, self.boot = 5.0, self.boot + 1
        self.world.true_seconds += 5.0
        self.acting = self.agent()

    @rule(fault=st.sampled_from(["unknown", "refused", "fails late", "probe fails"]), on=st.booleans())
    def something_fails(self, fault: str, on: bool) -> None:
        (self.world.faults.add if on else self.world.faults.discard)(fault)

    @rule(
        fault=st.sampled_from(["killed at the lease", "killed before the act", "killed after the act"]),
        target_=TARGET,
    )
    def killed_while_acting(self, fault: str, target_: str) -> None:
        self.world.faults.add(fault)
        self.leaks(target_, 60.0, helps=True)
        self.world.faults.discard(fault)

    @rule(target_=TARGET, seconds=st.floats(1.0, 1e4))
    def a_person_silences(self, target_: str, seconds: float) -> None:
        Ledger(Path(self.folder.name), self.clock, f"boot-{self.boot}").silence(target_, seconds, "why", "ada")

    @rule(target_=TARGET)
    def a_person_resumes(self, target_: str) -> None:
        Ledger(Path(self.folder.name), self.clock, f"boot-{self.boot}").resume(target_)

    @invariant()
    def the_budgets_hold(self) -> None:
        if not hasattr(self, "world"):
            return
        assert self.world.wrong == []
        for number, (moment, name) in enumerate(self.world.restarts):
            within = [one for one in self.world.restarts[: number + 1] if one[0] > moment - BUDGET.per_seconds]
            assert len(within) <= BUDGET.fleet
            own = [one for one in within if (WORKLOADS[one[1]] or one[1]) == (WORKLOADS[name] or name)]
            assert len(own) <= BUDGET.restarts
            assert all(moment - when >= SETTINGS.cooldown_seconds for when, _ in own[:-1])

    def teardown(self) -> None:
        if hasattr(self, "acting"):
            self.acting.close()
            self.folder.cleanup()


TestHistories = Histories.TestCase
TestHistories.settings = hypothesis_settings(max_examples=150, stateful_step_count=30, deadline=None)
