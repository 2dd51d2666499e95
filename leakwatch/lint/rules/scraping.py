"""Scraping: who asks TF Serving for its page, and where."""

import re
from collections.abc import Iterable, Iterator

from leakwatch.findings import Edit, Severity
from leakwatch.lint.configurations import MonitoringConfig
from leakwatch.lint.project import Project, same_namespace
from leakwatch.lint.rule import Hit, Rule
from leakwatch.lint.subjects import Container, Resource, ScrapeJob, Server, Workload
from leakwatch.lint.yaml_tree import Node

DEFAULT_PATH = "/monitoring/prometheus/metrics"
_NO_SUCH_PORT = 8502


def scrape_annotations(workload: Workload, project: Project) -> Iterator[Hit]:
    """prometheus.io annotations that lead nowhere."""
    server, notes = project.server(workload), workload.annotations
    scrape = notes.get("prometheus.io/scrape")
    if server is None or server.server is not Server.TF_SERVING or scrape is None or scrape.truth is not True:
        return
    others = {port.number for one in project.containers(workload) if one is not server for port in one.ports}
    port, path, rest = notes.get("prometheus.io/port"), notes.get("prometheus.io/path"), server.port("rest_api_port")
    if port is not None and port.text.isdigit() and int(port.text) in others:
        return  # another container's page
    if port is not None and server.knows_port("rest_api_port") and port.text.isdigit() and int(port.text) != rest:
        edits = workload.source.replaced(port.line, port.text, str(rest)) if rest else ()
        yield Hit(
            port.line,
            f"Prometheus would ask port {port.text}; TF Serving's metrics are on the REST port, "
            f"{rest or 'closed here'}",
            edits,
        )
    wanted = page_path(server, project)
    if (path.text if path is not None else "/metrics") != wanted:
        node = path or scrape
        what = f"{path.text}" if path is not None else "/metrics, its default"
        edits = workload.source.replaced(node.line, path.text, wanted) if path is not None else ()
        if path is None and not scrape.flow:
            edits = workload.source.inserted(scrape.line + 1, (f"{' ' * scrape.column}prometheus.io/path: {wanted}",))
        yield Hit(node.line, f"Prometheus would ask for {what}; the page is {wanted} (prometheus.io/path)", edits)


def page_path(server: Container, project: Project) -> str:
    """Where the metrics page is: as the monitoring file says, or the default."""
    config = project.configuration(server, MonitoringConfig)
    inside = config.root.all("prometheus_config") if config is not None else ()
    return (inside[0].word("path") if inside else None) or DEFAULT_PATH


def monitor_path(resource: Resource, project: Project) -> Iterator[Hit]:
    """A ServiceMonitor or PodMonitor that asks TF Serving for another page."""
    if resource.kind not in ("ServiceMonitor", "PodMonitor"):
        return
    spec = resource.node["spec"]
    server = _monitored(resource, project)
    if server is None:
        return
    wanted = page_path(server, project)
    for endpoint in spec["endpoints" if resource.kind == "ServiceMonitor" else "podMetricsEndpoints"].items:
        port, rest = endpoint["targetPort"], server.port("rest_api_port")
        if port.text.isdigit() and server.knows_port("rest_api_port") and int(port.text) != rest:
            says = f"the monitor asks port {port.text}; TF Serving's page is on the REST port, {rest or 'closed here'}"
            yield Hit(port.line, says, resource.source.replaced(port.line, port.text, str(rest)) if rest else ())
        path = endpoint["path"]
        if (path.text or "/metrics") != wanted:
            line = path.line if path else endpoint.line
            edits = resource.source.replaced(line, path.text, wanted) if path else ()
            yield Hit(
                line,
                f"the monitor asks for {path.text or '/metrics, its default'}; TF Serving's page is {wanted}",
                edits,
            )


def _monitored(resource: Resource, project: Project) -> Container | None:
    """The TF Serving container that a monitor leads to, the only one of its pods that could have a page."""
    selector = resource.node.at("spec", "selector")
    if resource.kind == "PodMonitor":
        return _only_server(project.selected(selector, ""), project)
    wanted = {key: value.text for key, value in selector["matchLabels"].entries.items()}
    found: list[Workload] = []
    for service in project.resources("Service") if wanted else ():
        labels = {key: value.text for key, value in service.node.at("metadata", "labels").entries.items()}
        if wanted.items() <= labels.items():
            found += _behind(service, project)
    return _only_server(found, project)


def _behind(service: Resource, project: Project) -> list[Workload]:
    """The workloads whose pods a Service selects."""
    chosen = {key: value.text for key, value in service.node.at("spec", "selector").entries.items()}
    return [
        one
        for one in (project.every(Workload) if chosen else ())
        if same_namespace(one.namespace, service.namespace) and chosen.items() <= one.labels.items()
    ]


def _only_server(workloads: Iterable[Workload], project: Project) -> Container | None:
    """TF Serving, where it is the only container of one of the workloads: nobody else could be meant."""
    for workload in workloads:
        containers = [one for one in project.containers(workload) if not one.is_init]
        if len(containers) == 1 and containers[0].server is Server.TF_SERVING:
            return containers[0]
    return None


def service_port(resource: Resource, project: Project) -> Iterator[Hit]:
    """A Service that sends traffic to a port which TF Serving does not open."""
    if resource.kind != "Service":
        return
    server = _only_server(_behind(resource, project), project)
    if server is None or not (server.knows_port("rest_api_port") and server.knows_port("port")):
        return
    rest, grpc = server.port("rest_api_port"), server.port("port")
    named = {port.name for port in server.ports if port.name}
    for port in resource.node.at("spec", "ports").items:
        target = port["targetPort"] or port["port"]
        if target.text.isdigit() and int(target.text) not in (rest, grpc):
            opens = f"gRPC on {grpc or 'none'}, REST on {rest or 'none'}"
            yield Hit(target.line, f"nothing listens on {target.text} behind this Service: the server opens {opens}")
        elif target.text and not target.text.isdigit() and target.text not in named:
            yield Hit(
                target.line, f"no container port is called {target.text!r}: the Service sends its traffic nowhere"
            )


def scrape_job(job: ScrapeJob, project: Project) -> Iterator[Hit]:
    """A scrape job on TF Serving's ports that asks for another page."""
    path = job.node["metrics_path"]
    for config in job.node["static_configs"].items:
        for target in config["targets"].items:
            port = target.text.rpartition(":")[2]
            about = f"{job.node['job_name'].text} {target.text}".lower()
            if not re.search(r"tf[-_]?serving|tensorflow|model[-_]server", about):
                continue
            if port == str(_NO_SUCH_PORT):
                edits = job.source.replaced(target.line, target.text, f"{target.text[:-4]}8501")
                yield Hit(
                    target.line,
                    f"{target.text}: TF Serving has no monitoring port; metrics are on the REST port, 8501",
                    edits,
                )
            elif port == "8501" and (path.text or "/metrics") == "/metrics":
                line = path.line if path else job.node["job_name"].line or job.node.line
                edits = job.source.replaced(line, path.text, DEFAULT_PATH) if path else _path_added(job)
                yield Hit(
                    line,
                    f"job {job.node['job_name'].text!r} asks for /metrics; TF Serving's page is {DEFAULT_PATH}",
                    edits,
                )


def _path_added(job: ScrapeJob) -> tuple[Edit, ...]:
    name: Node = job.node["job_name"]
    if job.node.flow or not name:
        return ()
    return job.source.inserted(name.line + 1, (f"{' ' * name.column}metrics_path: {DEFAULT_PATH}",))


RULES = (
    Rule(
        "scrape-annotation",
        Severity.ERROR,
        "prometheus.io annotations that lead nowhere",
        f"The page is {DEFAULT_PATH} on the REST port, unless the monitoring file says another path.",
        "util/prometheus_exporter.cc: kPrometheusPath",
        Workload,
        scrape_annotations,
    ),
    Rule(
        "monitor-path",
        Severity.ERROR,
        "a ServiceMonitor or PodMonitor that asks for another page",
        "The default of a monitor is /metrics, TF Serving's page is elsewhere.",
        "util/prometheus_exporter.cc: kPrometheusPath",
        Resource,
        monitor_path,
    ),
    Rule(
        "service-port",
        Severity.ERROR,
        "a Service on a port that TF Serving does not open",
        "There are two ports, gRPC and REST, as the flags say; a name has to be one of the container's.",
        "model_servers/main.cc; docs.kubernetes.io: services",
        Resource,
        service_port,
    ),
    Rule(
        "scrape-job",
        Severity.ERROR,
        "a Prometheus job that asks TF Serving at another path or port",
        "The default of a job is /metrics, TF Serving's page is elsewhere, and on the REST port.",
        "util/prometheus_exporter.cc: kPrometheusPath",
        ScrapeJob,
        scrape_job,
    ),
)
