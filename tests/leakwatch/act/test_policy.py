"""May we, now? Every gate closes by itself, and the reasons say which."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.types import Level
from leakwatch.act.decision import Decision, Ruling
from leakwatch.act.policy import decide, time_plan
from leakwatch.act.records import Act, Approval, Silence, Stop, View
from leakwatch.ports import Standing
from leakwatch.settings import ActSettings, BudgetSettings, EvidenceSettings, MaintenanceWindow
from leakwatch.settings import Approval as ApprovalSetting
from playbooks.types import Action as Remedy
from tests.fakes.acting import BARE, leaking

NOW = 1_790_000_000.0  # a Monday, 13:33 UTC
ACTIVE = ActSettings(dry_run=False)
STANDING = Standing("life-0", 86400.0, True, not_applicable=BARE)
IN_CLUSTER = Standing("life-0", 86400.0, True, 2, False, 1, "ml/deployment/serving")
OFFERS = {Remedy.RESTART: "docker"}


def act(age: float, **more: object) -> Act:
    known = Act(
        1,
        "serving",
        "serving-0",
        Remedy.RESTART,
        "docker",
        NOW - age,
        age,
        "life-9",
        1e9,
        None,
        True,
        True,
        True,
        "",
        age,
    )
    return replace(known, **more)  # type: ignore[arg-type]


def decided(case: object = None, standing: Standing | None = STANDING, view: View = View(), **more: object) -> Decision:
    settings = more.pop("settings", ACTIVE)
    return decide(case or leaking(), standing, view, settings, NOW, more.pop("offers", OFFERS))  # type: ignore[arg-type]


def closed(decision: Decision) -> set[str]:
    return {reason.gate for reason in decision.against}


def test_every_gate_open_means_act() -> None:
    """A leak whose limit is near, with nothing against it, is acted on; all gates are among the reasons."""
    decision = decided(standing=IN_CLUSTER)
    assert decision.ruling is Ruling.ACT
    assert decision.against == ()
    gates = [reason.gate for reason in decision.reasons]
    assert len(gates) == len(set(gates)) >= 14
    assert decision.action is not None
    assert (decision.action.remedy, decision.action.dry_run) == (Remedy.RESTART, False)


def test_a_dry_run_is_the_default_and_says_what_would_be_done() -> None:
    """With settings that say nothing, the ruling is that it would act, and the action is marked so."""
    decision = decided(settings=ActSettings())
    assert decision.ruling is Ruling.WOULD_ACT
    assert decision.action is not None
    assert decision.action.dry_run


@pytest.mark.parametrize("level", [Level.QUIET, Level.SUSPECTED])
def test_only_a_leak_is_acted_on(level: Level) -> None:
    """Suspected and quiet are never acted on, however near the limit."""
    assert decided(leaking(1.0, level=level)).ruling is Ruling.NOTHING


@pytest.mark.parametrize(
    ("gate", "change"),
    [
        ("limit_near", {"case": leaking(7200.0)}),
        ("limit_near", {"case": leaking(None)}),
        ("silence", {"view": View(silences=(Silence("serving", 60.0, NOW + 60, "known", "ada"),))}),
        ("stopped", {"view": View(stops=(Stop("serving", None, NOW, "it did not help"),))}),
        ("under_way", {"view": View(acts=(act(7200.0, ended=False, done=None, helped=None),))}),
        ("under_way", {"view": View(acts=(act(7200.0, helped=None),))}),
        ("cooldown", {"view": View(acts=(act(1700.0),))}),
        ("budget", {"view": View(acts=tuple(act(age) for age in (80000.0, 40000.0, 20000.0)))}),
        ("fleet_budget", {"view": View(acts=tuple(act(7200.0, target=f"t{i}") for i in range(10)))}),
        ("ledger", {"view": View(problem="the ledger is corrupt")}),
        ("state", {"standing": None}),
        ("min_uptime", {"standing": replace(STANDING, uptime_seconds=599.0)}),
        ("min_uptime", {"standing": replace(STANDING, uptime_seconds=None)}),
        ("min_uptime", {"standing": replace(STANDING, life=None)}),
        ("replicas", {"standing": replace(IN_CLUSTER, other_replicas_ready=0)}),
        ("replicas", {"standing": replace(IN_CLUSTER, other_replicas_ready=None)}),
        ("rollout", {"standing": replace(IN_CLUSTER, rollout_in_progress=True)}),
        ("rollout", {"standing": replace(IN_CLUSTER, rollout_in_progress=None)}),
        ("disruption_budget", {"standing": replace(IN_CLUSTER, disruptions_allowed=0)}),
        ("disruption_budget", {"standing": replace(IN_CLUSTER, disruptions_allowed=None)}),
        (
            "maintenance_window",
            {"settings": replace(ACTIVE, maintenance_windows=(MaintenanceWindow(frozenset({6}), 0, 60),))},
        ),
        (
            "maintenance_window",
            {"settings": replace(ACTIVE, maintenance_windows=(MaintenanceWindow(frozenset({6}), 0, 60, "No/Where"),))},
        ),
    ],
)
def test_each_gate_closes_alone(gate: str, change: dict[str, object]) -> None:
    """One thing against it is enough, it is named, and nothing is done."""
    decision = decided(**change)  # type: ignore[arg-type]
    assert closed(decision) == {gate}
    assert decision.ruling in (Ruling.WAIT, Ruling.ESCALATE)


def test_what_the_backend_cannot_have_passes() -> None:
    """A bare process has neither replicas nor budgets nor rollouts: those gates are not applicable, and open."""
    sentences = {reason.gate: reason for reason in decided().reasons}
    for gate in ("replicas", "rollout", "disruption_budget"):
        assert sentences[gate].passes
        assert "not applicable" in sentences[gate].sentence


def test_what_has_gone_is_neither_acted_on_nor_a_persons_matter() -> None:
    """An evicted pod's samples end with a leak; the pod in its place is not the one that leaked."""
    decision = decided(leaking(60.0), standing=replace(IN_CLUSTER, elsewhere=True))
    assert decision.ruling is Ruling.NOTHING
    assert [reason.sentence for reason in decision.against] == [
        "what leaked has gone, and another instance stands in its place"
    ]


def test_what_was_done_to_another_replica_of_the_workload_counts() -> None:
    """A pod has another name after each eviction: cooldown and budget are the workload's as well."""
    other = act(60.0, target="serving/pod-a", workload="ml/deployment/serving")
    assert "cooldown" in closed(decided(standing=IN_CLUSTER, view=View(acts=(other,))))
    elsewhere = replace(other, workload="ml/deployment/other")
    assert closed(decided(standing=IN_CLUSTER, view=View(acts=(elsewhere,)))) == set()


def test_a_silence_of_a_target_holds_for_its_pods() -> None:
    """Silencing ``serving`` silences ``serving/pod-a``, and not ``serving-b``."""
    view = View(silences=(Silence("serving", 60.0, NOW + 60, "known", "ada"),))
    assert "silence" in closed(decided(leaking(target="serving/pod-a"), view=view))
    assert decided(leaking(target="serving-b"), view=view).ruling is Ruling.ACT


@pytest.mark.parametrize(
    ("named", "offers", "model", "expected"),
    [
        (Remedy.RESTART, {Remedy.RESTART: "docker", Remedy.RELOAD_MODEL: "tf_serving"}, "m", Remedy.RESTART),
        (Remedy.RELOAD_MODEL, {Remedy.RESTART: "docker", Remedy.RELOAD_MODEL: "tf_serving"}, "m", Remedy.RELOAD_MODEL),
        (Remedy.RELOAD_MODEL, {Remedy.RESTART: "docker", Remedy.RELOAD_MODEL: "tf_serving"}, None, Remedy.RESTART),
        (Remedy.RELOAD_MODEL, {Remedy.RESTART: "docker"}, "m", Remedy.RESTART),
        (Remedy.RAISE_LIMIT, {Remedy.RESTART: "process"}, None, Remedy.RESTART),
        (
            Remedy.RAISE_LIMIT,
            {Remedy.RESTART: "kubernetes", Remedy.RAISE_LIMIT: "kubernetes"},
            None,
            Remedy.RAISE_LIMIT,
        ),
    ],
)
def test_the_cheapest_remedy_that_fits_and_can_be_done(
    named: Remedy, offers: dict[Remedy, str], model: str | None, expected: Remedy
) -> None:
    """What the tree names, where the backend can do it; else a restart."""
    action = decided(leaking(remedy=named, model=model), offers=offers).action
    assert action is not None
    assert action.remedy is expected
    assert action.limit_bytes == (round(1.25 * 2**30) if expected is Remedy.RAISE_LIMIT else None)


def test_a_cheap_remedy_is_tried_once_an_incident() -> None:
    """A reload that did not help gives way to a restart, at once: it is no reason to cool down."""
    offers = {Remedy.RESTART: "docker", Remedy.RELOAD_MODEL: "tf_serving"}
    tried = act(120.0, incident="serving-1", remedy=Remedy.RELOAD_MODEL, helped=False)
    decision = decided(leaking(remedy=Remedy.RELOAD_MODEL, model="m"), view=View(acts=(tried,)), offers=offers)
    assert decision.ruling is Ruling.ACT
    assert decision.action is not None
    assert decision.action.remedy is Remedy.RESTART


def test_nothing_is_done_where_no_remedy_fits() -> None:
    """A cause without a remedy, a case without a diagnosis, a target without a backend."""
    assert decided(leaking(remedy=None)).ruling is Ruling.NOTHING
    assert decided(replace(leaking(), diagnosis=None)).ruling is Ruling.NOTHING
    assert decided(offers={}).ruling is Ruling.NOTHING


def test_a_person_is_called_where_no_gate_opens_in_time() -> None:
    """A cooldown of 20 more minutes is waited for with an hour left, and not with five minutes left."""
    view, settings = View(acts=(act(600.0),)), replace(ACTIVE, act_before_limit_seconds=7200.0)
    assert decided(leaking(3600.0), view=view, settings=settings).ruling is Ruling.WAIT
    assert decided(leaking(300.0), view=view, settings=settings).ruling is Ruling.ESCALATE
    used_up = View(acts=tuple(act(age) for age in (80000.0, 40000.0, 20000.0)))
    assert decided(view=used_up).ruling is Ruling.ESCALATE


def test_nobody_is_called_while_an_action_is_being_verified() -> None:
    """The leak that the restart ended is still in the verdict for a moment: that is no reason to wake a person."""
    fresh = View(acts=(replace(act(1.0), helped=None),))
    decision = decided(leaking(60.0), view=fresh)
    assert "under_way" in closed(decision)
    assert decision.ruling is Ruling.WAIT


def test_what_stays_unknown_becomes_a_persons_matter() -> None:
    """An API that is down is waited for while more than half of the time is left."""
    assert decided(leaking(1000.0), standing=None).ruling is Ruling.WAIT
    assert decided(leaking(800.0), standing=None).ruling is Ruling.ESCALATE


def test_who_was_told_is_not_called_again() -> None:
    """A silence and a no are answers of people: no escalation."""
    silenced = View(silences=(Silence("serving", 1e6, NOW, "known", "ada"),), stops=(Stop("serving", None, NOW, "x"),))
    assert decided(leaking(10.0), view=silenced).ruling is Ruling.WAIT
    asking = replace(ACTIVE, approval=ApprovalSetting.REQUIRED)
    no = Approval("serving", "serving-1", Remedy.RESTART, "", NOW, False, "ada", 0.0)
    assert decided(leaking(10.0), view=View(approvals=(no,)), settings=asking).ruling is Ruling.WAIT


def test_approval_is_asked_for_only_where_all_else_is_open() -> None:
    """Then it is; a yes opens the gate while it holds, for its incident and its remedy."""
    asking = replace(ACTIVE, approval=ApprovalSetting.REQUIRED)
    assert decided(settings=asking).ruling is Ruling.ASK
    assert decided(settings=replace(asking, dry_run=True)).ruling is Ruling.WOULD_ACT
    assert decided(settings=asking, standing=None).ruling is not Ruling.ASK
    yes = Approval("serving", "serving-1", Remedy.RESTART, "", NOW, True, "ada", 60.0)
    assert decided(settings=asking, view=View(approvals=(yes,))).ruling is Ruling.ACT
    for stale in (
        replace(yes, left_seconds=0.0),
        replace(yes, incident="serving-0"),
        replace(yes, remedy=Remedy.RAISE_LIMIT),
        replace(yes, answer=None),
    ):
        assert decided(settings=asking, view=View(approvals=(stale,))).ruling is Ruling.ASK


def test_a_budget_of_none_never_acts() -> None:
    """restarts: 0 closes the gate for ever."""
    assert decided(settings=replace(ACTIVE, budget=BudgetSettings(restarts=0))).ruling is Ruling.ESCALATE


@given(
    low=st.floats(0.0, 1e5),
    evidence=st.floats(0.0, 600.0),
    drain=st.floats(0.0, 600.0),
    stop=st.floats(0.0, 600.0),
    drainable=st.booleans(),
)
def test_evidence_drain_and_stop_take_at_most_half_of_the_time(
    low: float, evidence: float, drain: float, stop: float, drainable: bool
) -> None:
    """Each is cut down in the same proportion, never lengthened, and no time goes to a drain that drains nothing."""
    settings = ActSettings(
        evidence=EvidenceSettings(time_seconds=evidence), drain_seconds=drain, stop_timeout_seconds=stop
    )
    standing = replace(STANDING, not_applicable=frozenset() if drainable else BARE)
    planned = time_plan(leaking(low), Remedy.RESTART, standing, settings)
    wanted = (evidence, drain if drainable else 0.0, stop)
    assert sum(planned) <= low / 2 + 1e-6 or planned == wanted
    assert sum(planned) == pytest.approx(min(sum(wanted), low / 2), abs=1e-6)
    for some, full in zip(planned, wanted, strict=True):
        assert some * sum(wanted) == pytest.approx(full * sum(planned), abs=1e-6, rel=1e-6)


def test_every_gate_is_in_the_documents() -> None:
    """And no other: the table of docs/acting.md names the gates as the audit does."""
    document = (Path(__file__).parents[3] / "docs" / "acting.md").read_text()
    named = set(re.findall(r"^\| `([a-z_]+)` \| .* \| .*\|$", document.partition("## The order")[0], re.MULTILINE))
    decision = decided(standing=IN_CLUSTER)
    gates = {reason.gate for reason in decision.reasons} | {"ledger", "state"}
    assert named == gates
