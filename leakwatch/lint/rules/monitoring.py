"""Monitoring: off, refused, or on a port that does not exist."""

import re
from collections.abc import Iterator

from leakwatch.findings import Edit, Severity
from leakwatch.lint import text_protobuf
from leakwatch.lint.configurations import MonitoringConfig
from leakwatch.lint.project import Project
from leakwatch.lint.rule import Hit, Rule
from leakwatch.lint.subjects import Container, Platform, Server
from leakwatch.lint.wording import listed

_NO_SUCH_PORT = 8502


def off(container: Container, project: Project) -> Iterator[Hit]:
    """A server that tells nothing about itself."""
    if container.server is not Server.TF_SERVING or container.is_init or "monitoring_config_file" in container.values:
        return
    if container.workload.platform is Platform.SCRIPT and not container.image:
        return
    line = container.words[-1].line if container.words else container.line
    yield Hit(
        line,
        f"{container.said} has no metrics page: without --monitoring_config_file nobody can tell a leak per request "
        "from one per version load",
    )


def needs_rest(container: Container, project: Project) -> Iterator[Hit]:
    """A monitoring file while the port that would show it is closed."""
    if container.server is not Server.TF_SERVING or "monitoring_config_file" not in container.values:
        return
    if container.port("rest_api_port") is None and container.knows_port("rest_api_port"):
        flag = next(one for one in container.flags if one.name == "monitoring_config_file")
        edits: tuple[Edit, ...] = ()
        if flag.word.whole_line and not any(one.name == "rest_api_port" for one in container.flags):
            edits = container.source.inserted(flag.word.line, (f"{' ' * flag.word.column}- --rest_api_port=8501",))
        yield Hit(flag.word.line, "metrics are on the REST port, which is closed: add --rest_api_port=8501", edits)


def declared_port(container: Container, project: Project) -> Iterator[Hit]:
    """A port that is declared or published and that the server does not open."""
    if container.server is not Server.TF_SERVING or container.node["Config"]:
        return  # an image declares its ports whatever the command line says
    if not (container.knows_port("rest_api_port") and container.knows_port("port")):
        return
    rest, grpc = container.port("rest_api_port"), container.port("port")
    if not container.words and not container.image:
        return
    for port in container.ports:
        if port.number in (rest, grpc):
            continue
        if port.number == _NO_SUCH_PORT or re.search(r"metric|monitor|prom", port.name):
            at = f"{rest}" if rest else "the REST port, which is closed here"
            yield Hit(
                port.node.line,
                f"TF Serving has no monitoring port: nothing listens on {port.number}; metrics are on {at}",
            )
        elif port.number in (8500, 8501):
            yield Hit(
                port.node.line,
                f"nothing listens on {port.number}: the flags open gRPC on {grpc or 'none'}, REST on {rest or 'none'}",
            )


def disabled(config: MonitoringConfig, project: Project) -> Iterator[Hit]:
    """A monitoring file that does not switch anything on."""
    inside = config.root.all("prometheus_config")
    if config.refusal is not None or not inside or inside[0].word("enable") in ("true", "True", "t", "1"):
        return
    enable = inside[0].all("enable")
    line = enable[0].line if enable else inside[0].line
    if enable:
        edits = config.source.replaced(line, enable[0].value or "", "true")
    else:
        edits = config.source.replaced(line, "{", "{ enable: true")
    yield Hit(line, "prometheus_config without enable: true: there is no metrics page", edits)


def refused(config: MonitoringConfig, project: Project) -> Iterator[Hit]:
    """A monitoring file that the server cannot read."""
    for message, fields in (
        ("MonitoringConfig", config.root.fields),
        ("PrometheusConfig", tuple(f for one in config.root.all("prometheus_config") for f in one.fields)),
    ):
        known = text_protobuf.known_fields(message)
        for field in fields:
            if field.name not in known:
                yield Hit(
                    field.line,
                    f"{message} has no field {field.name!r}, and the file is refused; it has {listed(known)}",
                )
                return
    if config.refusal is not None:
        yield Hit(
            config.refusal.line,
            f"no monitoring configuration: {config.refusal.what.rstrip('.')}; the server does not start",
        )


RULES = (
    Rule(
        "monitoring-off",
        Severity.WARNING,
        "TF Serving without its metrics page",
        "The page is off by default. Its load_attempt_count and request_latency_count are what separates a leak per "
        "request from one per version load.",
        "util/prometheus_exporter.cc; model_servers/http_server.cc",
        Container,
        off,
    ),
    Rule(
        "monitoring-needs-rest",
        Severity.ERROR,
        "a monitoring file while the REST port is closed",
        "The page is served by the REST server, which the binary does not start without --rest_api_port.",
        "model_servers/http_server.cc",
        Container,
        needs_rest,
    ),
    Rule(
        "port-not-opened",
        Severity.WARNING,
        "a declared port that the server does not open",
        "There are two ports: gRPC (8500) and REST (8501 through the image's entrypoint, else off). There is no "
        "monitoring port, 8502 or any other.",
        "model_servers/main.cc; tools/docker/Dockerfile",
        Container,
        declared_port,
    ),
    Rule(
        "monitoring-disabled",
        Severity.ERROR,
        "a monitoring file without enable: true",
        "enable is false by default.",
        "config/monitoring_config.proto",
        MonitoringConfig,
        disabled,
    ),
    Rule(
        "monitoring-refused",
        Severity.ERROR,
        "a monitoring file that does not parse",
        "The server does not start.",
        "config/monitoring_config.proto",
        MonitoringConfig,
        refused,
    ),
)
