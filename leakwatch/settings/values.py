"""The settings as values; durations in seconds, sizes in bytes. Nothing here reads anything."""

from dataclasses import dataclass
from enum import StrEnum

MIB = 1024 * 1024


class ServingKind(StrEnum):
    """Whose metrics page it is."""

    TF_SERVING = "tf_serving"
    TRITON = "triton"
    TORCHSERVE = "torchserve"
    PROMETHEUS_CLIENT = "prometheus_client"


class Backend(StrEnum):
    """Who carries out actions; ``auto`` follows from the target."""

    AUTO = "auto"
    PROCESS = "process"
    DOCKER = "docker"
    KUBERNETES = "kubernetes"
    TF_SERVING = "tf_serving"


class Approval(StrEnum):
    """Whether a person has to agree before an action."""

    NONE = "none"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class ProcessPlace:
    """A process by its command name (15 characters of it, as the kernel keeps them)."""

    process: str


@dataclass(frozen=True, slots=True)
class PidPlace:
    """A process by its number."""

    pid: int


@dataclass(frozen=True, slots=True)
class CgroupPlace:
    """A cgroup's folder, v1 or v2."""

    cgroup: str


@dataclass(frozen=True, slots=True)
class DockerPlace:
    """A container by name or id."""

    docker: str


@dataclass(frozen=True, slots=True)
class KubernetesPlace:
    """A container of the pods that a selector names; ``pod`` instead of a selector names one.

    Attributes:
        this_node: only pods of the node that the environment's NODE_NAME names, for an agent on each node.
        pod_ip: address of a pod that a selector found; no setting.
    """

    namespace: str
    container: str
    selector: str | None = None
    pod: str | None = None
    this_node: bool = False
    pod_ip: str | None = None


@dataclass(frozen=True, slots=True)
class PrometheusPlace:
    """A container whose series a Prometheus server has."""

    url: str
    container: str
    pod: str | None = None
    namespace: str | None = None


Place = ProcessPlace | PidPlace | CgroupPlace | DockerPlace | KubernetesPlace | PrometheusPlace
"""Where a target's memory is read; exactly one for each target."""


POD_IP = "{pod_ip}"
"""In the address of a page: the address of the pod whose page it is."""


@dataclass(frozen=True, slots=True)
class ServingSettings:
    """The model server's own page.

    Attributes:
        metrics_url: the page with counters; ``{pod_ip}`` in it, and in the others, stands for each pod's own address.
        status_url: base of TF Serving's REST API; None: derived from the page's address.
        model_config_file: the model config that the server was started with, without which no model can be reloaded.
        grpc_address: host and port of its gRPC API, by which models are reloaded; None: the polled config is edited.
        gpu_metrics_url: the page of a dcgm-exporter; None: GPU memory is known where the server's own page tells it.
    """

    kind: ServingKind
    metrics_url: str
    status_url: str | None = None
    model_config_file: str | None = None
    grpc_address: str | None = None
    gpu_metrics_url: str | None = None


@dataclass(frozen=True, slots=True)
class TargetSettings:
    """One container to watch; ``logs`` are paths and the word ``kmsg``; a limit where none can be seen.

    Attributes:
        manifest: how it is deployed, where neither an engine nor a cluster is asked: a Kubernetes manifest, a compose
            file, what docker inspect prints.
    """

    name: str
    place: Place
    serving: ServingSettings | None = None
    logs: tuple[str, ...] = ()
    limit_bytes: int | None = None
    manifest: str | None = None


@dataclass(frozen=True, slots=True)
class ConditionSettings:
    """Beyond what a target is told of although nothing leaks; each must hold for ``hold_seconds``."""

    memory_ratio: float = 0.90
    latency_p95_seconds: float = 0.5
    error_ratio: float = 0.01
    load_seconds: float | None = None
    queue_seconds: float = 1.0
    hold_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class BudgetSettings:
    """At most so many restarts of a target within a time; ``fleet`` counts all targets of this agent together."""

    restarts: int = 3
    per_seconds: float = 86400.0
    fleet: int = 10


@dataclass(frozen=True, slots=True)
class MaintenanceWindow:
    """When acting is allowed: weekdays (0 is Monday), from and to in minutes of the day, in an IANA zone.

    A window whose end lies before its beginning goes on past midnight.
    """

    days: frozenset[int]
    from_minute: int
    to_minute: int
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class EvidenceSettings:
    """The bundle taken before acting: how long, how large, how many are kept."""

    time_seconds: float = 10.0
    size_bytes: int = 64 * MIB
    keep: int = 5


@dataclass(frozen=True, slots=True)
class ActSettings:
    """What may be done, and when. Nothing is, while ``dry_run`` stands.

    Attributes:
        act_before_limit_seconds: act when the low end of the time to the limit falls under this.
        maintenance_windows: none means at any time.
        verify_seconds: how long after an action its target may take to be new, ready and no longer growing.
    """

    dry_run: bool = True
    backend: Backend = Backend.AUTO
    cooldown_seconds: float = 1800.0
    budget: BudgetSettings = BudgetSettings()
    min_uptime_seconds: float = 600.0
    act_before_limit_seconds: float = 1800.0
    maintenance_windows: tuple[MaintenanceWindow, ...] = ()
    approval: Approval = Approval.NONE
    drain_seconds: float = 15.0
    stop_timeout_seconds: float = 10.0
    verify_seconds: float = 300.0
    evidence: EvidenceSettings = EvidenceSettings()


@dataclass(frozen=True, slots=True)
class SlackSettings:
    """An incoming webhook, or a bot token and a channel; secrets are in files or in the environment, never here.

    Attributes:
        api_url: another Slack API than Slack's own, for a proxy or a test.
        app_token_file: an app-level token, by which presses of buttons are heard; without one no button is shown.
    """

    webhook_url_file: str | None = None
    bot_token_file: str | None = None
    channel: str | None = None
    api_url: str | None = None
    app_token_file: str | None = None


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """Any HTTP endpoint; with a secret each body is signed (HMAC-SHA256)."""

    url: str
    secret_file: str | None = None


@dataclass(frozen=True, slots=True)
class AlertmanagerSettings:
    """An Alertmanager, API v2."""

    url: str


@dataclass(frozen=True, slots=True)
class TellSettings:
    """Whom to tell.

    Attributes:
        kubernetes_events: write Events of the pod as well.
        dashboard_url, runbook_url: links that go with each message; ``{target}`` in them is replaced.
    """

    slack: SlackSettings | None = None
    webhook: tuple[WebhookSettings, ...] = ()
    alertmanager: AlertmanagerSettings | None = None
    kubernetes_events: bool = False
    dashboard_url: str | None = None
    runbook_url: str | None = None


@dataclass(frozen=True, slots=True)
class LeaderLeaseSettings:
    """The Lease ``leakwatch-NAME`` of a namespace: of several agents only its holder watches and tells."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything; ``listen`` is host and port of the metrics page, None turns it off."""

    targets: tuple[TargetSettings, ...]
    state_dir: str = "/var/lib/leakwatch"
    sample_every_seconds: float = 5.0
    judge_every_seconds: float = 60.0
    listen: tuple[str, int] | None = ("127.0.0.1", 9464)
    playbooks: tuple[str, ...] = ()
    conditions: ConditionSettings = ConditionSettings()
    act: ActSettings = ActSettings()
    tell: TellSettings = TellSettings()
    leader_lease: LeaderLeaseSettings | None = None
