"""Every decision about a leak becomes an Event of its pod, in words that say what, and why or why not."""

import time
from pathlib import Path

import pytest

from leakwatch.act.decision import Decision, Reason, Ruling
from leakwatch.agent.decisions import decided_of, decisions_to_pods
from leakwatch.clock import SystemClock
from leakwatch.ports import Action
from leakwatch.settings import KubernetesPlace, Settings, TargetSettings, TellSettings
from playbooks.types import Action as Remedy
from tests.fakes.acting import leaking
from tests.fakes.kubernetes_api import KubernetesApi
from tests.fakes.kubernetes_store import EVENTS

NOW = 1_790_000_000.0
RESTART = Action(Remedy.RESTART, "serving", "it leaks; the limit may be reached in 20 min", False, 0.0, 1.0)
OPEN = Reason("leak", True, "it leaks")


def decision(ruling: Ruling, *closed: tuple[str, str], action: Action | None = RESTART) -> Decision:
    reasons = (OPEN, *(Reason(gate, False, sentence) for gate, sentence in closed))
    return Decision(leaking(), ruling, reasons, NOW, action, "kubernetes" if action else None)


@pytest.mark.parametrize(
    ("made", "reason", "message", "warning"),
    [
        (
            decision(Ruling.ACT),
            "MemoryActionDecided",
            "restart of serving by kubernetes: it leaks; the limit may be reached in 20 min",
            False,
        ),
        (
            decision(Ruling.WOULD_ACT),
            "MemoryActionDryRun",
            "dry run, nothing is touched: restart of serving by kubernetes: "
            "it leaks; the limit may be reached in 20 min",
            False,
        ),
        (
            decision(Ruling.WAIT, ("replicas", "0 other replicas are ready"), ("rollout", "paused"), ("budget", "3")),
            "MemoryActionHeld",
            "restart of serving by kubernetes is held: 0 other replicas are ready; paused; 1 more",
            False,
        ),
        (
            decision(Ruling.WAIT, ("silence", "silenced by ann for another 2 h: deploy")),
            "MemoryActionSilenced",
            "restart of serving by kubernetes is held: silenced by ann for another 2 h: deploy",
            False,
        ),
        (
            decision(Ruling.ASK, ("approval", "a person has to agree")),
            "MemoryActionAwaitsApproval",
            "restart of serving by kubernetes waits for a person: leakwatch act approve serving",
            True,
        ),
        (
            decision(Ruling.ESCALATE, ("budget", "3 of 3 actions are used")),
            "MemoryActionEscalated",
            "a person has to act, restart of serving by kubernetes cannot be done in time: 3 of 3 actions are used",
            True,
        ),
        (
            decision(Ruling.NOTHING, ("remedy", "no remedy is known for the cause"), action=None),
            "MemoryActionHeld",
            "nothing is done to serving: no remedy is known for the cause",
            False,
        ),
    ],
)
def test_each_ruling_has_its_word_and_sentence(made: Decision, reason: str, message: str, warning: bool) -> None:
    """Acted, dry run, refused with the first reasons, silenced, awaiting approval, escalated, no remedy."""
    one = decided_of(made)
    assert one is not None
    assert (one.reason, one.message, one.warning, one.at_seconds) == (reason, message, warning, NOW)


def test_what_does_not_leak_is_no_news() -> None:
    """A target is considered after a restart as well; that nothing is to be done then is in the audit."""
    assert decided_of(Decision(leaking(), Ruling.NOTHING, (Reason("leak", False, "it is quiet"),), NOW)) is None


def test_the_same_decision_is_known_by_its_gates_and_not_by_its_words() -> None:
    """A cooldown of 9 min and then of 8 min is one decision; a gate more is another."""
    nine, eight = (decision(Ruling.WAIT, ("cooldown", f"{left} min")) for left in (9, 8))
    more = decision(Ruling.WAIT, ("cooldown", "8 min"), ("budget", "used"))
    sames = [one.same for one in map(decided_of, (nine, eight, more)) if one is not None]
    assert sames[0] == sames[1] != sames[2]


def test_a_decision_reaches_the_pod(
    kubernetes_api: KubernetesApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the agent's settings and the kubeconfig to the cluster."""
    kubernetes_api.cluster.add_deployment("ml", "serving", replicas=1)
    kubernetes_api.cluster.wait_for(lambda: kubernetes_api.cluster.ready_pods("ml", "app=serving"))
    path = str(kubernetes_api.kubeconfig(tmp_path / "kubeconfig"))
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", path)  # KUBECONFIG, read once
    target = TargetSettings("serving", KubernetesPlace("ml", "serving", selector="app=serving"))
    settings = Settings((target,), str(tmp_path), tell=TellSettings(kubernetes_events=True))
    hear, close = decisions_to_pods(settings, SystemClock())
    began = time.monotonic()
    hear(decision(Ruling.ESCALATE, ("budget", "3 of 3 actions are used")))
    assert time.monotonic() - began < 5.0  # far from the time that an API server may take
    kubernetes_api.cluster.wait_for(lambda: kubernetes_api.cluster.store.find(EVENTS, "ml"))
    close()
    [event] = kubernetes_api.cluster.store.find(EVENTS, "ml")
    assert (event["reason"], event["type"]) == ("MemoryActionEscalated", "Warning")
