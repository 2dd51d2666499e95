"""Which settings there are, as data: the key in the file, how its value is read, and where it lands.

The reader, `leakwatch config show`, the names of the environment's variables and the checks of the JSON schema all walk
these tables; a new setting is one line here and one field in `leakwatch.settings.values`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from leakwatch.settings import scalars as read
from leakwatch.settings import values


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value: how it is read, how it is shown, and the field that holds it where that has another name."""

    parse: Callable[[str], Any]
    show: Callable[[Any], str] = str
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """Keys and values. ``build`` takes the fields that are given and raises ValueError where they do not go together.

    An optional section of which nothing is given is None; any other is built of its defaults.
    """

    build: Callable[..., Any]
    keys: Mapping[str, "Kind"]
    required: tuple[str, ...] = ()
    optional: bool = False
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Many:
    """A list of one kind of thing, read as a tuple; ``least`` is how many there have to be."""

    of: "Scalar | Section"
    least: int = 0
    field: str | None = None


Kind = Scalar | Section | Many

Path = tuple[str | int, ...]
"""Which setting: ``("targets", 0, "name")``."""


def dotted(path: Path) -> str:
    """``targets[0].name``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def variables() -> dict[str, Path]:
    """The environment's variables that are read, each with the setting that it sets; what is in a list has none."""
    return {f"LEAKWATCH_{'_'.join(map(str, path)).upper()}": path for path in _scalars(SETTINGS, ())}


def _scalars(kind: Kind, path: Path) -> Iterator[Path]:
    if isinstance(kind, Scalar):
        yield path
    elif isinstance(kind, Section):
        for key, part in kind.keys.items():
            yield from _scalars(part, (*path, key))


DURATION = read.duration("0s")
_ADDRESS = Scalar(read.address, read.shown_address)


def _target(name: str, **given: Any) -> values.TargetSettings:
    """The one place among the keys that can name one, and the rest."""
    places = {key: given.pop(key) for key in PLACES if key in given}
    if len(places) != 1:
        wanted = ", ".join(PLACES)
        found = f"{' and '.join(places)} each say" if places else "nothing says"
        raise ValueError(f"{found} where target {name!r} is; write exactly one of {wanted}")
    (key, value), *_ = places.items()
    kind = {"process": values.ProcessPlace, "pid": values.PidPlace, "cgroup": values.CgroupPlace}
    place = value if key in ("kubernetes", "prometheus") else {**kind, "docker": values.DockerPlace}[key](value)
    return values.TargetSettings(name, place, **given)


def _kubernetes(**given: Any) -> values.KubernetesPlace:
    if ("selector" in given) == ("pod" in given):
        raise ValueError("needs exactly one of selector and pod")
    if given.get("this_node") and "pod" in given:
        raise ValueError("this_node goes with a selector; a pod is where it is")
    return values.KubernetesPlace(**given)


def _serving(**given: Any) -> values.ServingSettings:
    if "grpc_address" in given and "model_config_file" not in given:
        raise ValueError("grpc_address needs model_config_file beside it: a reload by gRPC sends the whole config")
    return values.ServingSettings(**given)


def _slack(**given: Any) -> values.SlackSettings:
    named = [key for key in ("webhook_url_file", "bot_token_file") if key in given]
    # with neither of them a channel is left, for which the token is in the environment
    if len(named) == 2 or not (named or "channel" in given):
        raise ValueError("needs exactly one of webhook_url_file and bot_token_file")
    if "bot_token_file" in given and "channel" not in given:
        raise ValueError("bot_token_file needs a channel beside it; write for example channel: '#oncall'")
    if "app_token_file" in given and "webhook_url_file" in given:
        raise ValueError("app_token_file goes with a bot: an incoming webhook cannot say which message was answered")
    return values.SlackSettings(**given)


def _window(**given: Any) -> values.MaintenanceWindow:
    window = values.MaintenanceWindow(**given)
    if window.from_minute == window.to_minute:
        raise ValueError("from and to are the same moment; write a window that has a length")
    return window


PLACES = ("process", "pid", "cgroup", "docker", "kubernetes", "prometheus")
"""The keys of a target that say where it is; each target has exactly one."""

SERVING = Section(
    _serving,
    {
        "kind": Scalar(read.one_of(values.ServingKind)),
        "metrics_url": _ADDRESS,
        "status_url": _ADDRESS,
        "model_config_file": Scalar(read.path),
        "grpc_address": Scalar(read.host_and_port),
        "gpu_metrics_url": _ADDRESS,
    },
    required=("kind", "metrics_url"),
    optional=True,
)
TARGET = Section(
    _target,
    {
        "name": Scalar(read.text),
        "process": Scalar(read.text),
        "pid": Scalar(read.whole(1, 2**22)),
        "cgroup": Scalar(read.path),
        "docker": Scalar(read.text),
        "kubernetes": Section(
            _kubernetes,
            {
                **{key: Scalar(read.text) for key in ("namespace", "selector", "pod", "container")},
                "this_node": Scalar(read.switch, read.shown_switch),
            },
            required=("namespace", "container"),
            optional=True,
        ),
        "prometheus": Section(
            values.PrometheusPlace,
            {"url": _ADDRESS, **{key: Scalar(read.text) for key in ("container", "pod", "namespace")}},
            required=("url", "container"),
            optional=True,
        ),
        "serving": SERVING,
        "logs": Many(Scalar(read.path)),
        "limit": Scalar(read.size, read.shown_size, "limit_bytes"),
        "manifest": Scalar(read.path),
    },
    required=("name",),
)
CONDITIONS = Section(
    values.ConditionSettings,
    {
        "memory": Scalar(read.ratio, read.shown_ratio, "memory_ratio"),
        "latency_p95": Scalar(read.duration("1ms"), read.shown_duration, "latency_p95_seconds"),
        "errors": Scalar(read.ratio, read.shown_ratio, "error_ratio"),
        "load": Scalar(read.duration("1ms"), read.shown_duration, "load_seconds"),
        "queue": Scalar(read.duration("1ms"), read.shown_duration, "queue_seconds"),
        "hold": Scalar(DURATION, read.shown_duration, "hold_seconds"),
    },
)
ACT = Section(
    values.ActSettings,
    {
        "dry_run": Scalar(read.switch, read.shown_switch),
        "backend": Scalar(read.one_of(values.Backend)),
        "cooldown": Scalar(DURATION, read.shown_duration, "cooldown_seconds"),
        "budget": Section(
            values.BudgetSettings,
            {
                "restarts": Scalar(read.whole(0)),
                "per": Scalar(read.duration("1s"), read.shown_duration, "per_seconds"),
                "fleet": Scalar(read.whole(0)),
            },
        ),
        "min_uptime": Scalar(DURATION, read.shown_duration, "min_uptime_seconds"),
        "act_before_limit": Scalar(DURATION, read.shown_duration, "act_before_limit_seconds"),
        "maintenance_windows": Many(
            Section(
                _window,
                {
                    "days": Scalar(read.weekdays, read.shown_weekdays),
                    "from": Scalar(read.clock, read.shown_clock, "from_minute"),
                    "to": Scalar(read.clock, read.shown_clock, "to_minute"),
                    "zone": Scalar(read.zone),
                },
                required=("days", "from", "to"),
            )
        ),
        "approval": Scalar(read.one_of(values.Approval)),
        "drain": Scalar(DURATION, read.shown_duration, "drain_seconds"),
        "stop_timeout": Scalar(DURATION, read.shown_duration, "stop_timeout_seconds"),
        "verify": Scalar(read.duration("1s"), read.shown_duration, "verify_seconds"),
        "evidence": Section(
            values.EvidenceSettings,
            {
                "time": Scalar(DURATION, read.shown_duration, "time_seconds"),
                "size": Scalar(read.size, read.shown_size, "size_bytes"),
                "keep": Scalar(read.whole(0)),
            },
        ),
    },
)
TELL = Section(
    values.TellSettings,
    {
        "slack": Section(
            _slack,
            {
                "webhook_url_file": Scalar(read.secret_file),
                "bot_token_file": Scalar(read.secret_file),
                "channel": Scalar(read.text),
                "api_url": _ADDRESS,
                "app_token_file": Scalar(read.secret_file),
            },
            optional=True,
        ),
        "webhook": Many(
            Section(
                values.WebhookSettings,
                {"url": Scalar(read.address, read.shown_host), "secret_file": Scalar(read.secret_file)},
                required=("url",),
            )
        ),
        "alertmanager": Section(values.AlertmanagerSettings, {"url": _ADDRESS}, required=("url",), optional=True),
        "kubernetes_events": Scalar(read.switch, read.shown_switch),
        "dashboard_url": _ADDRESS,
        "runbook_url": _ADDRESS,
    },
)
SETTINGS = Section(
    values.Settings,
    {
        "sample_every": Scalar(read.duration("10ms", "1d"), read.shown_duration, "sample_every_seconds"),
        "judge_every": Scalar(read.duration("10ms", "7d"), read.shown_duration, "judge_every_seconds"),
        "state_dir": Scalar(read.path),
        "listen": Scalar(read.listen, read.shown_listen),
        "targets": Many(TARGET, least=1),
        "playbooks": Many(Scalar(read.path)),
        "conditions": CONDITIONS,
        "act": ACT,
        "tell": TELL,
        "leader_lease": Section(
            values.LeaderLeaseSettings,
            {key: Scalar(read.text) for key in ("namespace", "name")},
            required=("namespace", "name"),
            optional=True,
        ),
    },
    required=("targets",),
)
