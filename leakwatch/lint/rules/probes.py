"""Probes: what kills a server while it loads, what notices nothing, and what asks a closed port."""

import re
from collections.abc import Iterator

from leakwatch.findings import Edit, Severity
from leakwatch.lint.project import Project
from leakwatch.lint.rule import Hit, Rule
from leakwatch.lint.subjects import Container, Platform, Server
from leakwatch.lint.wording import duration
from leakwatch.lint.yaml_tree import Node

_PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
_HANDLERS = ("httpGet", "tcpSocket", "exec", "grpc")
_ALWAYS_RUNNING = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Rollout", "Pod")
_STATUS_URL = re.compile(r"/v1/models/[^/:]+(?:/(?:versions|labels)/[^/:]+)?(?:/metadata)?/?", re.IGNORECASE)
_SHORT_START_SECONDS = 60.0


def window_seconds(probe: Node) -> float:
    """How long a probe may fail before the kubelet acts, from the container's start."""
    period, failures = probe["periodSeconds"].number or 10.0, probe["failureThreshold"].number or 3.0
    return (probe["initialDelaySeconds"].number or 0.0) + period * failures


def _is_long_running_server(container: Container) -> bool:
    in_pod = container.workload.platform is Platform.KUBERNETES and container.workload.kind in _ALWAYS_RUNNING
    return in_pod and container.server is not None and not container.is_init


def liveness_without_startup(container: Container, project: Project) -> Iterator[Hit]:
    """A liveness probe that runs while the model loads."""
    liveness = container.node["livenessProbe"]
    if not _is_long_running_server(container) or not liveness or container.node["startupProbe"]:
        return
    yield Hit(
        liveness.where,
        f"{container.said} opens its ports once all models are loaded, and is killed when that takes more than "
        f"{duration(window_seconds(liveness))}",
        _startup_from(container, liveness),
    )


def _startup_from(container: Container, liveness: Node) -> tuple[Edit, ...]:
    """A startupProbe that asks what the liveness probe asks, for ten minutes."""
    handler = next((liveness[name] for name in _HANDLERS if liveness[name]), None)
    if handler is None or liveness.flow or liveness.key_line != liveness.line - 1:
        return ()
    outer = " " * liveness.column
    inner = outer + " " * max(handler.column - liveness.column, 2)
    asked = [container.source.line(line) for line in range(handler.where, handler.end_line + 1)]
    lines = (f"{outer}startupProbe:", *asked, f"{inner}periodSeconds: 10", f"{inner}failureThreshold: 60")
    return (Edit(liveness.where, 0, lines),) if container.source.editable and all(asked) else ()


def short_startup(container: Container, project: Project) -> Iterator[Hit]:
    """A startup probe that gives up before a model of some size is loaded."""
    probe = container.node["startupProbe"]
    if _is_long_running_server(container) and probe and window_seconds(probe) < _SHORT_START_SECONDS:
        yield Hit(
            probe.where,
            f"{container.said} has {duration(window_seconds(probe))} to load its models, then is killed and starts "
            f"again; one retry of a failed load alone takes {_SHORT_START_SECONDS:.0f} s",
        )


def liveness_on_status(container: Container, project: Project) -> Iterator[Hit]:
    """A liveness probe whose question is always answered with 200."""
    if container.server is not Server.TF_SERVING:
        return
    path = container.node.at("livenessProbe", "httpGet", "path")
    if _STATUS_URL.fullmatch(path.text):
        period = container.node.at("livenessProbe", "periodSeconds").number or 10.0
        a_day = round(86_400 / period) if period > 0 else 0
        yield Hit(
            path.line,
            f"GET {path.text} answers 200 in any state, also when every prediction fails, and adds {a_day:,} a day to "
            "request_count; ask a prediction (exec), or just the port (tcpSocket)",
        )
    for word in container.node.at("livenessProbe", "exec", "command").items:
        asked = _STATUS_URL.search(word.text)
        if asked is not None and ":predict" not in word.text and "grep" not in word.text:
            yield Hit(
                word.line, f"{asked[0]} answers 200 in any state, also when every prediction fails; ask a prediction"
            )


def no_readiness(container: Container, project: Project) -> Iterator[Hit]:
    """Traffic to ports that are still closed."""
    if _is_long_running_server(container) and not container.node["readinessProbe"]:
        yield Hit(
            container.line,
            f"{container.said} gets traffic as soon as its process runs, but its ports are closed until all models are "
            "loaded",
        )


def probe_port(container: Container, project: Project) -> Iterator[Hit]:
    """A probe of a port that the server does not open."""
    if container.server is not Server.TF_SERVING or not container.knows_port("rest_api_port"):
        return
    rest, grpc = container.port("rest_api_port"), container.port("port")
    named = {port.name: port.number for port in container.ports if port.name}
    for name in _PROBES:
        probe = container.node[name]
        for handler, opened in (("httpGet", {rest}), ("tcpSocket", {rest, grpc}), ("grpc", {grpc})):
            asked = probe.at(handler, "port")
            number = named.get(asked.text) if asked.text and not asked.text.isdigit() else int(asked.number or 0)
            if number and number not in opened and container.knows_port("port"):
                opens = f"REST on {rest}" if rest else "no REST port (--rest_api_port is 0 by default)"
                yield Hit(
                    asked.line, f"{name} asks port {number}, but the server opens {opens}, gRPC on {grpc or 'none'}"
                )


def grpc_probe(container: Container, project: Project) -> Iterator[Hit]:
    """A gRPC probe of a health service that is off."""
    if container.server is not Server.TF_SERVING or container.values.get("enable_grpc_healthcheck_service") == "true":
        return
    for name in _PROBES:
        probe = container.node.at(name, "grpc")
        if probe:
            yield Hit(
                probe.where,
                f"{name} asks the gRPC health service, which is off: add --enable_grpc_healthcheck_service",
                _flag_added(container, "--enable_grpc_healthcheck_service"),
            )


def _flag_added(container: Container, flag: str) -> tuple[Edit, ...]:
    last = container.words[-1] if container.words else None
    if last is None or not last.whole_line:
        return ()
    return container.source.inserted(last.line + 1, (f"{' ' * last.column}- {flag}",))


def impatient_liveness(container: Container, project: Project) -> Iterator[Hit]:
    """A liveness probe that one slow answer makes fail."""
    probe = container.node["livenessProbe"]
    threshold = probe["failureThreshold"]
    if container.server is None or threshold.number != 1:
        return
    timeout = probe["timeoutSeconds"].number or 1.0
    yield Hit(
        threshold.line,
        f"one answer slower than {duration(timeout)} restarts {container.said} with all it has loaded; 3 is the "
        "default",
        container.source.replaced(threshold.line, threshold.text, "3"),
    )


RULES = (
    Rule(
        "liveness-without-startup",
        Severity.WARNING,
        "a liveness probe without a startupProbe",
        "The ports open only after the initial load of all models. A delay that is guessed is too short one day, and "
        "the server is killed while it loads, for ever.",
        "model_servers/server.cc; docs.kubernetes.io: startup probes (stable since 1.20)",
        Container,
        liveness_without_startup,
    ),
    Rule(
        "startup-window-short",
        Severity.WARNING,
        "a startupProbe that gives less than a minute",
        "failureThreshold times periodSeconds is all the time there is to load every model; TF Serving waits a minute "
        "before it tries a failed load again, and tries five times.",
        "model_servers/main.cc: max_num_load_retries, load_retry_interval_micros",
        Container,
        short_startup,
    ),
    Rule(
        "liveness-on-status",
        Severity.WARNING,
        "liveness on a status URL that answers 200 in any state",
        "The model's status stays AVAILABLE and 200 while every request fails for want of GPU memory, and each probe "
        "counts in request_count.",
        "tensorflow/serving#2066; model_servers/http_rest_api_handler.cc",
        Container,
        liveness_on_status,
    ),
    Rule(
        "no-readiness-probe",
        Severity.WARNING,
        "no readinessProbe",
        "Without one a pod is ready when its process runs; TF Serving refuses connections until its models are loaded.",
        "model_servers/server.cc; docs.kubernetes.io: readiness probes",
        Container,
        no_readiness,
    ),
    Rule(
        "probe-port-closed",
        Severity.ERROR,
        "a probe of a port that the server does not open",
        "The binary's REST port is off by default; the image's entrypoint alone sets 8501. There is no third port.",
        "model_servers/main.cc; tools/docker/Dockerfile",
        Container,
        probe_port,
    ),
    Rule(
        "grpc-probe-without-service",
        Severity.ERROR,
        "a gRPC probe without the health service",
        "TF Serving has the gRPC health service, off by default; a gRPC probe without it always fails.",
        "model_servers/main.cc: enable_grpc_healthcheck_service",
        Container,
        grpc_probe,
    ),
    Rule(
        "liveness-impatient",
        Severity.WARNING,
        "a liveness probe that fails at once",
        "With failureThreshold 1 one slow answer, as during the load of a version, restarts the server.",
        "docs.kubernetes.io: configure probes",
        Container,
        impatient_liveness,
    ),
)
