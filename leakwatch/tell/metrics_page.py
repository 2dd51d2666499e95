"""The agent's own page for Prometheus (contracts.md section 4): values in, text out.

The format: https://prometheus.io/docs/instrumenting/exposition_formats/. It is written here, and read back by
prometheus_client in the tests: that library loads servers and encryption with it, 8 MiB that an agent would keep.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from leakwatch import __version__

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
VERDICTS = ("leak", "suspected", "no_leak", "undecided")
DURATION_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds in seconds: from a look at a cgroup (.2 ms) to one at an API that does not answer."""


@dataclass(frozen=True, slots=True)
class PageTarget:
    """What the page says of one target; None is unknown, and then its line is left out.

    Attributes:
        verdict: one of `VERDICTS`.
        memory_bytes: by kind: anon, working_set, ..., limit.
        oom_events: by kind, counted across restarts of target and agent.
        bytes_per_request: by model; the empty name is all models together.
    """

    name: str
    verdict: str | None = None
    slope_bytes_per_second: float | None = None
    seconds_to_limit: float | None = None
    bytes_per_request: Mapping[str, float] = field(default_factory=dict)
    memory_bytes: Mapping[str, float] = field(default_factory=dict)
    oom_events: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PageState:
    """All that the page says at one moment.

    Attributes:
        actions: by container, action and outcome.
        notifications: by channel and outcome.
        samples: by source and outcome.
        durations: looks by bucket of `DURATION_BUCKETS`, the last one beyond all of them; not cumulated.
        durations_sum: seconds of all looks.
    """

    targets: Sequence[PageTarget] = ()
    actions: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    notifications: Mapping[tuple[str, str], int] = field(default_factory=dict)
    samples: Mapping[tuple[str, str], int] = field(default_factory=dict)
    durations: Sequence[int] = (0,) * (len(DURATION_BUCKETS) + 1)
    durations_sum: float = 0.0


def as_text(state: PageState) -> bytes:
    """The page: every family, also where it has no line yet."""
    families = (*_judged(state), *_measured(state), *_counted(state), _durations(state), _build())
    return "".join(line for family in families for line in family).encode("utf-8", "backslashreplace")


_ESCAPED = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
Lines = Iterator[str]
Row = tuple[tuple[str, ...], float]
"""The values of a line's labels, and its number."""


def _judged(state: PageState) -> Iterator[Lines]:
    targets = state.targets
    verdicts = [
        ((one.name, word), float(word == one.verdict))
        for one in targets
        if one.verdict is not None
        for word in VERDICTS
    ]
    slopes = [((one.name,), slope) for one in targets if (slope := one.slope_bytes_per_second) is not None]
    left = [((one.name,), seconds) for one in targets if (seconds := one.seconds_to_limit) is not None]
    per_request = [((one.name, model), value) for one in targets for model, value in one.bytes_per_request.items()]
    container = ("container",)
    yield _family("gauge", "verdict", "1 for what holds of the container now.", (*container, "verdict"), verdicts)
    growth = "Growth of the leak alone, while one is suspected."
    yield _family("gauge", "slope_bytes_per_second", growth, container, slopes)
    until = "Time until the leak reaches the memory limit."
    yield _family("gauge", "time_to_limit_seconds", until, container, left)
    each = "Bytes that a request leaves behind; the model without a name is all of them."
    yield _family("gauge", "bytes_per_request", each, (*container, "model"), per_request)


def _measured(state: PageState) -> Iterator[Lines]:
    labels = ("container", "kind")
    memory = [((one.name, kind), value) for one in state.targets for kind, value in one.memory_bytes.items()]
    yield _family("gauge", "memory_bytes", "Memory of the container as last sampled.", labels, memory)
    kills = [((one.name, kind), count) for one in state.targets for kind, count in one.oom_events.items()]
    yield _family("counter", "oom_events_total", "Times that memory ran out and something was killed.", labels, kills)


def _counted(state: PageState) -> Iterator[Lines]:
    labels = ("container", "action", "outcome")
    yield _family("counter", "actions_total", "Actions, by how they ended.", labels, state.actions.items())
    told = "Messages, by how telling them went."
    yield _family("counter", "notifications_total", told, ("channel", "outcome"), state.notifications.items())
    looks = "Looks at sources, by what came of them."
    yield _family("counter", "samples_total", looks, ("source", "outcome"), state.samples.items())


def _durations(state: PageState) -> Lines:
    name = "sample_duration_seconds"
    yield from _family("histogram", name, "How long looks at sources took.", (), ())
    bounds = (*map(str, DURATION_BUCKETS), "+Inf")
    for bound, count in zip(bounds, itertools.accumulate(state.durations), strict=True):
        yield _line(f"{name}_bucket", ("le",), (bound,), count)
    yield _line(f"{name}_sum", (), (), state.durations_sum)
    yield _line(f"{name}_count", (), (), sum(state.durations))


def _build() -> Lines:
    return _family("gauge", "build_info", "Version of the agent.", ("version",), [((__version__,), 1.0)])


def _family(kind: str, name: str, says: str, labels: tuple[str, ...], rows: Iterable[Row]) -> Lines:
    yield f"# HELP leakwatch_{name} {says}\n# TYPE leakwatch_{name} {kind}\n"
    for values, number in rows:
        yield _line(name, labels, values, number)


def _line(name: str, labels: tuple[str, ...], values: tuple[str, ...], number: float) -> str:
    pairs = ",".join(f'{label}="{value.translate(_ESCAPED)}"' for label, value in zip(labels, values, strict=True))
    return f"leakwatch_{name}{pairs and f'{{{pairs}}}'} {float(number)!r}\n"
