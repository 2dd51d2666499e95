"""Stopping and restarting: a server that ignores SIGTERM, and what that makes of grace periods."""

import re
from collections.abc import Iterator

from leakwatch.findings import Severity
from leakwatch.lint.project import Project
from leakwatch.lint.rule import Hit, Rule
from leakwatch.lint.subjects import Container, Platform, Server, Workload
from leakwatch.lint.wording import duration
from leakwatch.lint.yaml_tree import Node

_WASTED_FROM_SECONDS = 61.0
"""A minute holds the drain of endpoints and one REST timeout; what is longer only waits."""
_SLEEP = re.compile(r"\bsleep\s+(\d+(?:\.\d+)?)(s?)\b")
_RESTARTS = re.compile(r"rollout\s+restart|delete\s+(?:pod|po)\b|docker\s+restart")


def grace_period(workload: Workload, project: Project) -> Iterator[Hit]:
    """A long grace period of a server that ignores SIGTERM."""
    server, grace = project.server(workload), workload.pod["terminationGracePeriodSeconds"]
    if server is None or server.server is not Server.TF_SERVING or _hands_on_signals(server):
        return
    seconds = grace.number or 0.0
    if seconds < _WASTED_FROM_SECONDS:
        return
    replicas = project.replicas(workload)
    several = (
        f"; a rollout of {replicas} pods in turn waits {duration(replicas * seconds)}"
        if replicas and replicas > 1
        else ""
    )
    yield Hit(
        grace.line,
        f"TF Serving ignores SIGTERM: every stop takes the whole {duration(seconds)}{several}",
        workload.source.replaced(grace.line, grace.text, "45"),
    )


def _hands_on_signals(container: Container) -> bool:
    """Whether something before the server, an init such as tini, ends on SIGTERM."""
    return any(word.text.rpartition("/")[2] in ("tini", "dumb-init") for word in container.words[:2])


def compose_grace(container: Container, project: Project) -> Iterator[Hit]:
    """The same in compose, where it is ``stop_grace_period``."""
    grace = container.node["stop_grace_period"]
    match = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", grace.text)
    if container.server is not Server.TF_SERVING or not grace or match is None:
        return
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    total = 3600 * hours + 60 * minutes + seconds
    signal = container.node["stop_signal"].text.upper()
    if total >= _WASTED_FROM_SECONDS and signal not in ("SIGKILL", "SIGINT", "KILL", "9"):
        yield Hit(grace.line, f"TF Serving ignores SIGTERM: every stop takes the whole {duration(total)}")


def pre_stop(container: Container, project: Project) -> Iterator[Hit]:
    """A preStop hook that is longer than the grace period it counts against."""
    if container.workload.platform is not Platform.KUBERNETES:
        return
    grace = container.workload.pod["terminationGracePeriodSeconds"].number
    allowed = 30.0 if grace is None else grace
    hook = container.node.at("lifecycle", "preStop")
    seconds, where = _sleeps(hook)
    if seconds is not None and seconds >= allowed:
        yield Hit(
            where.line,
            f"preStop sleeps {duration(seconds)}, but the grace period, which it counts against, is {duration(allowed)}"
            f"{' (the default)' if grace is None else ''}: what should come after it never runs",
        )


def _sleeps(hook: Node) -> tuple[float | None, Node]:
    if (seconds := hook.at("sleep", "seconds")).number is not None:
        return seconds.number, seconds
    command = hook.at("exec", "command")
    match = _SLEEP.search(" ".join(item.text for item in command.items))
    return (float(match[1]), command.items[-1]) if match else (None, command)


def restart_policy(workload: Workload, project: Project) -> Iterator[Hit]:
    """A pod that stays dead after an OOM kill."""
    policy, server = workload.pod["restartPolicy"], project.server(workload)
    if workload.kind == "Pod" and policy.text == "Never" and server is not None:
        yield Hit(
            policy.line,
            f"{server.said} stays down after its first OOM kill",
            workload.source.replaced(policy.line, "Never", "Always"),
        )


def compose_restart(container: Container, project: Project) -> Iterator[Hit]:
    """The same where compose or Docker run it."""
    policy = container.node["restart"]
    if container.server is not None and policy.text == "no":
        yield Hit(policy.line, f"{container.said} stays down after its first OOM kill; unless-stopped starts it again")


def restart_by_clock(container: Container, project: Project) -> Iterator[Hit]:
    """A leak that is hidden by restarts at fixed hours."""
    if container.workload.kind != "CronJob":
        return
    schedule = container.workload.node.at("spec", "schedule")
    for word in container.words:
        if _RESTARTS.search(word.text) or word.text == "restart":
            yield Hit(
                word.line,
                f"restarts by the clock ({schedule.text}) hide a leak and come too late when it grows faster; restart "
                "on the time that is left to the limit",
            )
            return


RULES = (
    Rule(
        "grace-period-wasted",
        Severity.WARNING,
        "a long grace period for a server that ignores SIGTERM",
        "tensorflow_model_server has no handler for SIGTERM and its image's wrapper does not pass it on: the whole "
        "grace period is spent and then it is killed. It should cover the drain and one REST timeout of 30 s, not "
        "more.",
        "tensorflow/serving#1853, #356; model_servers/main.cc",
        Workload,
        grace_period,
    ),
    Rule(
        "stop-grace-wasted",
        Severity.WARNING,
        "a long stop_grace_period for a server that ignores SIGTERM",
        "As grace-period-wasted, in compose.",
        "tensorflow/serving#1853; docs.docker.com: compose stop_grace_period",
        Container,
        compose_grace,
    ),
    Rule(
        "prestop-outlives-grace",
        Severity.WARNING,
        "a preStop hook as long as the grace period",
        "The hook's time counts against terminationGracePeriodSeconds; after it the container is killed.",
        "docs.kubernetes.io: pod termination",
        Container,
        pre_stop,
    ),
    Rule(
        "never-restarted",
        Severity.WARNING,
        "a pod of a model server with restartPolicy Never",
        "After an OOM kill nobody starts it again.",
        "docs.kubernetes.io: pod lifecycle, restart policy",
        Workload,
        restart_policy,
    ),
    Rule(
        "compose-never-restarted",
        Severity.WARNING,
        'restart: "no" on a model server',
        "After an OOM kill nobody starts it again.",
        "docs.docker.com: compose restart",
        Container,
        compose_restart,
    ),
    Rule(
        "restart-by-clock",
        Severity.NOTE,
        "a CronJob that restarts workloads",
        "A stop-gap for a leak: it runs whether needed or not, and a faster leak is killed before it.",
        "openshift/managed-cluster-config#1822",
        Container,
        restart_by_clock,
    ),
)
