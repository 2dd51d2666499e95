"""From a case to a verified restart, and everything that may come between."""

import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from leakwatch.act.bundles import kept, read_part
from leakwatch.act.decision import Ruling, What
from leakwatch.act.ledger import Ledger
from leakwatch.act.ledger_file import FILE_NAME
from leakwatch.settings import ActSettings, Approval, BudgetSettings
from playbooks.types import Action as Remedy
from tests.fakes.acting import BARE, MIB, healthy, leaking


class FakeLease:
    """Ours as long as the test says so."""

    def __init__(self, free: bool = True, held: bool = True) -> None:
        self.free, self.is_held, self.released = free, held, 0

    def acquire(self, now_seconds: float) -> bool:
        return self.free

    def held(self, now_seconds: float) -> bool:
        return self.is_held

    def release(self) -> None:
        self.released += 1


def test_a_leak_is_restarted_once_and_verified(scene: Any) -> None:
    """Intent, evidence, act, in this order; then it helped, and the next case finds nothing to do."""
    scene.start()
    assert scene.act_on(leaking()).ruling is Ruling.ACT
    assert len(scene.restarter.restarts) == 1
    assert scene.whats() == ["begun", "evidence", "done"]
    scene.clock.pass_(30.0)
    assert scene.act_on(healthy()).ruling is Ruling.NOTHING
    assert scene.whats()[-1] == "helped"
    assert not any(happening.page for happening in scene.told)


def test_a_dry_run_touches_nothing(scene: Any) -> None:
    """The default: no lease, no intent, no evidence, no restart; it says once what would have been done."""
    scene.settings = ActSettings()
    acting = scene.start()
    for _ in range(3):
        decision = scene.act_on(leaking())
        assert decision.ruling is Ruling.WOULD_ACT
        assert not acting.begin(decision)
    assert (scene.restarter.restarts, scene.probe.asked, kept(scene.state_dir)) == ([], 0, ())
    assert Ledger(scene.state_dir, scene.clock, "boot").view(1e9).acts == ()
    [told] = scene.told
    assert told.what is What.DECIDED
    assert told.action is not None
    assert told.action.dry_run


def test_the_evidence_is_taken_before_the_act(scene: Any) -> None:
    """When the backend is called the archive is there, with the probe's part, the verdict and the reasons."""
    seen = []
    scene.restarter.before = lambda: seen.extend(kept(scene.state_dir))
    scene.start()
    scene.act_on(leaking(sentences=("a kill at 12:00",)))
    [bundle] = seen
    names = {part["name"] for part in bundle.manifest["parts"]}
    assert {"smaps_rollup.txt", "verdict.json", "decision.json", "incidents.txt"} <= names
    path = scene.state_dir / "evidence" / bundle.name
    assert read_part(path, "smaps_rollup.txt") == scene.probe.content
    assert json.loads(read_part(path, "decision.json"))["reasons"][0]["gate"] == "leak"


def test_a_pod_that_was_evicted_is_verified_by_what_stands_in_its_place(scene: Any) -> None:
    """Its samples ended with the leak; its successor is ready: it helped, and the stale leak is no reason for more."""
    acting = scene.start()
    scene.act_on(leaking())
    scene.restarter.state = replace(scene.restarter.state, elsewhere=True)
    later = scene.act_on(leaking(60.0))
    assert scene.whats() == ["begun", "evidence", "done", "helped"]
    assert any("what stands in its place is ready" in one.sentence for one in scene.told)
    assert later.ruling is Ruling.NOTHING
    assert acting.consider(leaking(0.0)).ruling is Ruling.NOTHING
    assert not any(one.page for one in scene.told)


def test_a_second_restart_waits_for_the_cooldown(scene: Any) -> None:
    """However often it is asked meanwhile."""
    scene.start()
    scene.act_on(leaking())
    scene.act_on(healthy())
    for _ in range(29):
        scene.clock.pass_(60.0)
        scene.restarter.state = replace(scene.restarter.state, uptime_seconds=86400.0)
        assert scene.act_on(leaking(2500.0)).ruling is not Ruling.ACT
    scene.clock.pass_(61.0)
    assert scene.act_on(leaking()).ruling is Ruling.ACT
    assert len(scene.restarter.restarts) == 2


def test_a_restart_that_did_not_help_stops_and_calls_a_person(scene: Any) -> None:
    """Memory no lower after the time to verify: nothing more is done, through a restart of the agent, until resumed."""
    scene.settings = replace(scene.settings, cooldown_seconds=1.0, min_uptime_seconds=0.0)
    scene.start()
    scene.act_on(leaking())
    scene.clock.pass_(200.0)
    scene.act_on(leaking())
    assert scene.whats()[-1] == "done"  # there is time left to verify
    scene.clock.pass_(200.0)
    assert scene.act_on(leaking()).ruling is Ruling.ESCALATE
    [page] = [happening for happening in scene.told if happening.what is What.NOT_HELPED]
    assert page.page
    assert "no lower" in page.sentence
    for _ in range(5):
        scene.clock.pass_(90000.0)
        scene.start()
        assert scene.act_on(leaking()).ruling is Ruling.ESCALATE
    assert len(scene.restarter.restarts) == 1
    Ledger(scene.state_dir, scene.clock, "boot").resume("serving")
    assert scene.act_on(leaking()).ruling is Ruling.ACT


def test_a_new_life_that_is_not_ready_has_not_helped(scene: Any) -> None:
    """The container came back and does not serve: stop and escalate."""
    scene.settings = replace(scene.settings, verify_seconds=2.0)
    scene.restarter.state = replace(scene.restarter.state, ready=False)
    acting = scene.start()
    acting.begin(acting.consider(leaking()))
    scene.wait(lambda: scene.restarter.restarts)
    scene.wait(lambda: scene.clock.pass_(1.0) or not acting.busy())  # the worker waits for it, and gives up
    scene.act_on(healthy())
    [told] = [happening for happening in scene.told if happening.what is What.NOT_HELPED]
    assert told.page
    assert "it is not ready" in told.sentence


def test_a_leak_that_comes_back_uses_up_the_budget_and_escalates(scene: Any) -> None:
    """Three restarts in a day, each of which helped for a while; then a person is called, and no fourth comes."""
    scene.settings = replace(scene.settings, cooldown_seconds=60.0, min_uptime_seconds=0.0)
    scene.start()
    rulings = []
    for _ in range(8):
        scene.clock.pass_(1000.0)
        rulings.append(scene.act_on(leaking()).ruling)
        scene.clock.pass_(10.0)
        scene.act_on(healthy())
    assert rulings == [Ruling.ACT] * 3 + [Ruling.ESCALATE] * 5
    assert len(scene.restarter.restarts) == 3
    pages = [happening for happening in scene.told if happening.page]
    assert {happening.what for happening in pages} == {What.DECIDED}
    assert "3 of 3" in pages[0].sentence


def test_a_backend_that_fails_leaves_nobody_knowing_and_counts(scene: Any) -> None:
    """The error is told, a person is called, and the cooldown runs."""
    scene.restarter.refuse = "the daemon does not answer"
    scene.start()
    scene.act_on(leaking())
    [failed] = [happening for happening in scene.told if happening.what is What.FAILED]
    assert failed.page
    assert failed.outcome is not None
    assert not failed.outcome.done
    assert "the daemon does not answer" in failed.sentence
    scene.restarter.refuse = None
    assert scene.act_on(leaking()).ruling is not Ruling.ACT
    assert scene.restarter.restarts == []


def test_an_unknown_state_holds(scene: Any) -> None:
    """A backend that cannot say what is there is not acted with."""
    scene.restarter.unknown = "connection refused"
    scene.start()
    decision = scene.act_on(leaking())
    assert decision.ruling is Ruling.WAIT
    assert "connection refused" in decision.against[0].sentence


def test_another_agents_lease_holds(scene: Any) -> None:
    """Nothing is written or touched while another agent has the workload."""
    scene.restarter.claim = FakeLease(free=False)
    scene.start()
    scene.act_on(leaking())
    assert scene.whats() == ["held"]
    assert (scene.restarter.restarts, scene.probe.asked) == ([], 0)
    assert Ledger(scene.state_dir, scene.clock, "boot").view(1e9).acts == ()


def test_a_lost_lease_stops_before_the_act(scene: Any) -> None:
    """Lost while the evidence was taken: nothing is touched, and the lease is let go."""
    claim = FakeLease()
    scene.restarter.claim = claim
    scene.probe.do = lambda: setattr(claim, "is_held", False)
    scene.start()
    scene.act_on(leaking())
    assert scene.restarter.restarts == []
    assert scene.whats() == ["begun", "evidence", "failed"]
    assert claim.released == 1


def test_the_lease_is_kept_until_the_new_life_is_ready(scene: Any) -> None:
    """Another agent may act on the workload only then."""
    claim = FakeLease()
    scene.restarter.claim = claim
    scene.restarter.state = replace(scene.restarter.state, ready=False)
    acting = scene.start()
    acting.begin(acting.consider(leaking()))
    scene.wait(lambda: scene.restarter.restarts)
    assert claim.released == 0
    scene.restarter.state = replace(scene.restarter.state, ready=True)
    scene.wait(lambda: not acting.busy())
    assert claim.released == 1


def test_a_container_that_restarted_by_itself_meanwhile_is_left_alone(scene: Any) -> None:
    """Killed by the kernel while its evidence was taken: the fresh one is not the one that was decided about."""
    scene.probe.do = lambda: setattr(scene.restarter, "state", replace(scene.restarter.state, life="another"))
    scene.start()
    scene.act_on(leaking())
    assert scene.restarter.restarts == []
    assert "restarted by somebody else" in scene.told[-1].sentence


def test_a_state_that_becomes_unknown_meanwhile_is_left_alone(scene: Any) -> None:
    """The backend stopped answering between the decision and the act."""
    scene.probe.do = lambda: setattr(scene.restarter, "unknown", "connection refused")
    scene.start()
    scene.act_on(leaking())
    assert scene.restarter.restarts == []
    assert "has become unknown" in scene.told[-1].sentence


def test_readiness_is_off_while_it_drains_and_until_the_new_life_is_ready(scene: Any) -> None:
    """The drain comes before the act, lasts as long as planned, and is over afterwards."""
    scene.settings = replace(scene.settings, drain_seconds=15.0)
    scene.restarter.state = replace(scene.restarter.state, not_applicable=BARE - {"drain"})
    acting, seen = scene.start(), []
    scene.restarter.before = lambda: seen.append(acting.draining())
    acting.begin(acting.consider(leaking()))
    scene.wait(acting.draining)
    assert scene.restarter.restarts == []
    scene.clock.pass_(15.0)
    scene.wait(lambda: not acting.busy())
    assert seen == [frozenset({"serving"})]
    assert acting.draining() == frozenset()


def test_ending_the_agent_while_it_drains_touches_nothing(scene: Any) -> None:
    """The intent counts, the container lives on."""
    scene.settings = replace(scene.settings, drain_seconds=15.0)
    scene.restarter.state = replace(scene.restarter.state, not_applicable=BARE - {"drain"})
    acting = scene.start()
    acting.begin(acting.consider(leaking()))
    scene.wait(acting.draining)
    acting.close()
    scene.hear()
    assert scene.restarter.restarts == []
    assert scene.whats()[-1] == "failed"
    assert [act.done for act in Ledger(scene.state_dir, scene.clock, "boot").view(1e9).acts] == [False]


def test_one_thing_at_a_time(scene: Any) -> None:
    """A second decision is not begun while the first is carried out."""
    scene.restarter.blocked = threading.Event()
    acting = scene.start()
    decision = acting.consider(leaking())
    assert acting.begin(decision)
    assert not acting.begin(decision)
    assert acting.consider(leaking()).ruling is not Ruling.ACT
    scene.restarter.blocked.set()
    scene.wait(lambda: not acting.busy())
    assert len(scene.restarter.restarts) == 1


def test_two_agents_in_one_folder(scene: Any) -> None:
    """The second holds and says why; when the first ends, it takes over."""
    scene.start()
    first, scene.acting = scene.acting, None
    second = scene.start()
    first.consider(healthy())  # claims the folder
    decision = second.consider(leaking())
    assert decision.ruling in (Ruling.WAIT, Ruling.ESCALATE)
    assert any("another agent" in reason.sentence for reason in decision.against)
    first.close()
    assert second.consider(leaking()).ruling is Ruling.ACT


@pytest.mark.parametrize("damage", [b"", b"garbage" * 1000])
def test_a_damaged_ledger_holds_and_is_told_once(scene: Any, damage: bytes) -> None:
    """Nothing is done on the word of a ledger that cannot be read."""
    scene.start()
    scene.act_on(healthy())
    scene.stop()
    (scene.state_dir / FILE_NAME).write_bytes(damage)
    scene.start()
    for _ in range(3):
        assert scene.act_on(leaking()).ruling is not Ruling.ACT
    assert scene.whats() == ["trouble"]
    assert [happening.page for happening in scene.told if happening.what is What.TROUBLE] == [True]
    assert scene.restarter.restarts == []


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from tests.fakes.acting import FakeRestarter, HandClock, healthy, leaking
from leakwatch.act.acting import Acting
from leakwatch.settings import ActSettings
restarter = FakeRestarter()
settings = ActSettings(dry_run=False, drain_seconds=0.0)
acting = Acting(settings, Path(sys.argv[1]), {"serving": [restarter]}, {}, HandClock(), "boot")
acting.consider(healthy())
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))  # what the kernel does to whoever writes more
decision = acting.consider(leaking())
acting.begin(decision)
while acting.busy():
    pass
told = [one for one in acting.happenings() if one.page]
print(len(restarter.restarts), len(told) > 0, told[-1].sentence if told else None)
"""


def test_a_full_disk_holds_and_is_told(tmp_path: Path) -> None:
    """An intent that cannot be written is no intent: nothing is touched."""
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=60)
    assert done.stdout.startswith("0 True ledger: "), done.stderr
    assert "nothing is done until it can be relied on" in done.stdout


def test_evidence_that_cannot_be_written_is_told_and_holds_nothing_up(scene: Any) -> None:
    """A full or forbidden disk costs the bundle, and not the restart."""
    (scene.state_dir / "evidence").write_text("in the way")
    scene.start()
    scene.act_on(leaking())
    assert len(scene.restarter.restarts) == 1
    [told] = [happening for happening in scene.told if happening.what is What.EVIDENCE]
    assert told.page
    assert "could not be written" in told.sentence


def test_approval_is_asked_for_once_and_used_once(scene: Any) -> None:
    """A yes lets one restart through; the next needs another."""
    scene.settings = replace(scene.settings, approval=Approval.REQUIRED, cooldown_seconds=1.0, min_uptime_seconds=0.0)
    scene.start()
    for _ in range(3):
        assert scene.act_on(leaking()).ruling is Ruling.ASK
    ledger = Ledger(scene.state_dir, scene.clock, "boot")
    ledger.answer("serving", True, "ada")
    assert scene.act_on(leaking()).ruling is Ruling.ACT
    scene.clock.pass_(10.0)
    scene.act_on(healthy())
    assert scene.act_on(leaking()).ruling is Ruling.ASK
    ledger.answer("serving", False, "ada")
    assert scene.act_on(leaking()).ruling is Ruling.WAIT


def test_a_cheaper_remedy_that_did_not_help_gives_way_to_a_restart(scene: Any) -> None:
    """The reload is verified like a restart; when it was of no use the restart comes at once, and nobody is paged."""
    scene.settings = replace(scene.settings, verify_seconds=60.0)
    scene.restarter.can = frozenset({Remedy.RELOAD_MODEL, Remedy.RESTART})
    scene.start()
    case = leaking(remedy=Remedy.RELOAD_MODEL, model="resnet")
    scene.act_on(case)
    scene.restarter.state = replace(scene.restarter.state, uptime_seconds=86400.0)
    scene.clock.pass_(61.0)
    assert scene.act_on(case).ruling is Ruling.ACT
    assert [action.remedy for action in scene.restarter.restarts] == [Remedy.RELOAD_MODEL, Remedy.RESTART]
    assert scene.restarter.restarts[0].model == "resnet"
    assert not any(happening.page for happening in scene.told)


def test_the_time_that_a_raised_limit_bought_is_not_thrown_away(scene: Any) -> None:
    """Until the samples show the higher limit the forecast is of the lower one, and no reason for a restart; then it
    is judged anew, and where the limit is still near the dearer remedy follows at once."""
    scene.restarter.can = frozenset({Remedy.RAISE_LIMIT, Remedy.RESTART})
    scene.settings = replace(scene.settings, min_uptime_seconds=0.0)
    acting = scene.start()
    case = leaking(60.0, remedy=Remedy.RAISE_LIMIT)
    assert scene.act_on(case).action.remedy is Remedy.RAISE_LIMIT
    for _ in range(3):
        held = scene.act_on(case)
        assert (held.ruling, {reason.gate for reason in held.against} >= {"under_way"}) == (Ruling.WAIT, True)
        scene.clock.pass_(10.0)
    far = acting.consider(replace(leaking(9000.0, remedy=Remedy.RAISE_LIMIT), limit_bytes=1280.0 * MIB))
    assert far.ruling is Ruling.WAIT
    assert {reason.gate for reason in far.against} == {"limit_near", "state"}  # nobody was asked for the state
    near = scene.act_on(replace(leaking(70.0, remedy=Remedy.RAISE_LIMIT), limit_bytes=1280.0 * MIB))
    assert (near.ruling, near.action.remedy) == (Ruling.ACT, Remedy.RESTART)
    assert scene.whats()[:4] == ["begun", "evidence", "done", "bought_time"]
    assert [action.remedy for action in scene.restarter.restarts] == [Remedy.RAISE_LIMIT, Remedy.RESTART]


def test_a_raised_limit_that_no_sample_shows_is_not_waited_for_without_end(scene: Any) -> None:
    """Where the samples know no limit but that of the settings."""
    scene.restarter.can = frozenset({Remedy.RAISE_LIMIT, Remedy.RESTART})
    scene.settings = replace(scene.settings, min_uptime_seconds=0.0)
    scene.start()
    case = leaking(60.0, remedy=Remedy.RAISE_LIMIT)
    scene.act_on(case)
    scene.clock.pass_(61.0)
    assert scene.act_on(case).action.remedy is Remedy.RESTART
    assert len(scene.restarter.restarts) == 2


def test_a_target_that_is_never_seen_again_does_not_block_its_workload(scene: Any) -> None:
    """An evicted pod has another name afterwards; its action is closed when nothing was heard of it for long."""
    scene.start()
    scene.act_on(leaking())
    scene.clock.pass_(1000.0)
    scene.act_on(healthy(target="serving/pod-b"))
    assert scene.whats()[-1] == "not_helped"


def test_every_decision_about_a_leak_is_in_the_audit(scene: Any) -> None:
    """As JSON lines with all reasons, and what happened beside them."""
    scene.start()
    scene.act_on(leaking(7200.0))
    scene.act_on(leaking())
    lines = [json.loads(line) for line in (scene.state_dir / "audit.jsonl").read_text().splitlines()]
    decisions = [line for line in lines if line["what"] == "decision"]
    assert [line["ruling"] for line in decisions] == ["wait", "act"]
    assert {"gate", "passes", "sentence"} == set(decisions[0]["reasons"][0])
    assert [line["what"] for line in lines if line["what"] not in ("decision", "decided")] == [
        "begun",
        "evidence",
        "done",
    ]
    assert (scene.state_dir / "audit.jsonl").stat().st_mode & 0o777 == 0o600


def test_the_budget_of_the_fleet_is_one_for_all_targets(tmp_path: Path, scene: Any) -> None:
    """With two for the fleet, the third target is not restarted."""
    scene.settings = replace(scene.settings, budget=BudgetSettings(restarts=3, fleet=2))
    acting = scene.start()
    acting._restarters |= {name: [scene.restarter] for name in ("b", "c")}
    rulings = []
    for name in ("serving", "b", "c"):
        scene.restarter.state = replace(scene.restarter.state, uptime_seconds=86400.0)
        rulings.append(scene.act_on(leaking(target=name)).ruling)
    assert rulings == [Ruling.ACT, Ruling.ACT, Ruling.ESCALATE]


def test_a_probe_that_hangs_costs_its_part_and_its_time_alone(scene: Any) -> None:
    """The action goes on without it when the time is over."""
    let_go = threading.Event()
    scene.probe.do = lambda: let_go.wait(30)
    scene.settings = replace(scene.settings, evidence=replace(scene.settings.evidence, time_seconds=0.5))
    scene.start()
    scene.act_on(leaking())
    let_go.set()
    assert len(scene.restarter.restarts) == 1
