"""What is around a container's numbers: its process, its server, how it is deployed. Asked for a cause, not sampled.

Whoever asks, a person (`leakwatch.consult`) or the agent, asks the same questions and gets the same facts.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leakwatch.diagnose import facts_of_deployment, facts_of_process, facts_of_server
from leakwatch.errors import LeakwatchError, SourceError
from leakwatch.sample.processes.state import process_state_of
from leakwatch.sample.serving.state import server_state_of
from leakwatch.settings import DockerPlace, KubernetesPlace, ServingKind, ServingSettings, TargetSettings
from leakwatch.trace import Trace
from playbooks.types import Deployment, Fact, ProcessState, ServerState

if TYPE_CHECKING:
    from leakwatch.sample.pods.api import Api

State = ProcessState | Deployment | ServerState
Question = Callable[[], tuple[State, ...]]
"""Blocks for some seconds; raises `leakwatch.errors.LeakwatchError` where nothing can be known."""

RECENT_END_SECONDS = 3600.0
"""How a container ended longer ago tells nothing of what is wrong now."""

_CONFIG_BYTES = 2**20


def facts_of_states(states: Iterable[State], trace: Trace | None = None) -> tuple[Fact, ...]:
    """All that the states say, in their order; with a ``trace`` also how much of its CPUs a process uses.

    A limit that was measured goes before one that is only planned.
    """
    return tuple(fact for state in states for fact in _facts_of(state, trace))


def questions_about(
    target: TargetSettings, pid: int | None, models: Sequence[str], now_seconds: float
) -> Mapping[str, Question]:
    """What can be asked about a target from here, by whom it is asked of.

    Args:
        pid: a process of it on this machine, where one is known.
        models: those that are known to serve, whose states are asked for with those of the model config.
        now_seconds: Unix seconds.
    """
    questions: dict[str, Question] = {}
    if target.manifest is not None:
        questions["deployment"] = partial(_of_manifest, target.manifest, target.name)
    elif isinstance(target.place, DockerPlace):
        questions["deployment"] = partial(_of_engine, target.place)
    elif isinstance(target.place, KubernetesPlace):
        questions["deployment"] = partial(_of_cluster, target.place, now_seconds)
    if pid is not None:
        questions["process"] = partial(_of_kernel, pid, of_container=isinstance(target.place, DockerPlace))
    if target.serving is not None:
        questions["server"] = partial(_of_server, target.serving, models)
    return questions


def _facts_of(state: State, trace: Trace | None) -> tuple[Fact, ...]:
    if isinstance(state, ProcessState):
        return facts_of_process(state, trace)
    if isinstance(state, ServerState):
        return facts_of_server(state)
    if trace is not None and trace.limit_bytes is not None:
        state = replace(state, limit_bytes=trace.limit_bytes)
    return facts_of_deployment(state)


def _of_kernel(pid: int, *, of_container: bool) -> tuple[State, ...]:
    from leakwatch.sample.cgroups.find import folder_of_pid
    from leakwatch.sample.cgroups.members import largest_in

    # The first process of a container may be a shell (TF Serving's image): the server is the one with the memory.
    state = process_state_of(largest_in(folder_of_pid(pid)) if of_container else pid)
    return (state,) if state.running else ()  # it may be there and not to be seen from here


def _of_manifest(path: str, name: str) -> tuple[State, ...]:
    from leakwatch.deployed import deployed

    try:
        return deployed(path, name)
    except LeakwatchError:  # the target may be called otherwise than its container
        return deployed(path)


def _of_engine(place: DockerPlace) -> tuple[State, ...]:
    from leakwatch.deployed import deployed_as
    from leakwatch.sample.probes.docker import described

    answer = json.loads(described(place.docker))
    deployment, planned = deployed_as(json.dumps([answer]), "docker inspect")
    state = answer.get("State") or {}
    if not state.get("Running"):
        planned = replace(planned, running=False, exit_code=_whole(state.get("ExitCode")))
    return deployment, planned


def _of_cluster(place: KubernetesPlace, now_seconds: float) -> tuple[State, ...]:
    from leakwatch.deployed import deployed_as
    from leakwatch.sample.pods.source import KubernetesSource
    from leakwatch.sample.probes.pods import described

    source = KubernetesSource(place)
    pod = {"apiVersion": "v1", "kind": "Pod", **json.loads(described(source))}
    deployment, planned = deployed_as(json.dumps(pod), "the pod", place.container)
    exit_code = _last_exit_code(pod, place.container, now_seconds)
    return replace(deployment, replicas=_replicas(source.api, pod, place)), replace(planned, exit_code=exit_code)


def _replicas(api: "Api", pod: dict[str, Any], place: KubernetesPlace) -> int | None:
    """How many pods with the same labels are ready; None where none are labelled, or the others may not be seen."""
    from leakwatch.act.workloads import is_ready, selector_of_siblings
    from leakwatch.sample.pods.choose import ChosenPod

    selector = selector_of_siblings(pod)
    try:
        pods = ChosenPod(api, KubernetesPlace(place.namespace, place.container, selector)).all() if selector else []
    except (SourceError, LookupError, TypeError):
        return None
    finally:
        api.close()
    return sum(is_ready(dict(one)) for one in pods) or None


def _last_exit_code(pod: dict[str, Any], container: str, now_seconds: float) -> int | None:
    from leakwatch.act.workloads import container_status

    status = container_status(pod, container)
    ended = (status.get("state") or {}).get("terminated") or (status.get("lastState") or {}).get("terminated") or {}
    try:
        at = datetime.fromisoformat(str(ended.get("finishedAt")).replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None
    return _whole(ended.get("exitCode")) if now_seconds - at < RECENT_END_SECONDS else None


def _of_server(serving: ServingSettings, models: Sequence[str]) -> tuple[State, ...]:
    if serving.kind is not ServingKind.TF_SERVING:
        return (ServerState(kind=serving.kind),) if serving.kind is not ServingKind.PROMETHEUS_CLIENT else ()
    named = sorted({*models, *_configured(serving.model_config_file)})
    return (replace(server_state_of(serving.status_url or serving.metrics_url, named), kind=serving.kind),)


def _configured(path: str | None) -> tuple[str, ...]:
    """The models of a polled config: one that never loaded is on no page."""
    if path is None:
        return ()
    from leakwatch.act.model_config import models_in

    try:
        with Path(path).open("rb") as file:
            return models_in(file.read(_CONFIG_BYTES))
    except (OSError, ValueError):
        return ()


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None
