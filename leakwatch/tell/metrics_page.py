"""The agent's own page for Prometheus (contracts.md section 4): values in, families out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from leakwatch import __version__

CONTENT_TYPE = CONTENT_TYPE_LATEST
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
    """The page."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families(state))
    return generate_latest(registry)


class _Families(Collector):
    """Hands a state to prometheus_client, which escapes names and writes the text."""

    def __init__(self, state: PageState) -> None:
        self._state = state

    def describe(self) -> list[Metric]:
        """Nothing beforehand: one registry is made for each page."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every family, also where it has no line yet."""
        yield from self._judged()
        yield from self._measured()
        yield from self._counted()
        build = GaugeMetricFamily("leakwatch_build_info", "Version of the agent.", labels=["version"])
        build.add_metric([__version__], 1.0)
        yield build

    def _judged(self) -> Iterator[Metric]:
        verdict = GaugeMetricFamily(
            "leakwatch_verdict", "1 for what holds of the container now.", labels=["container", "verdict"]
        )
        slope = GaugeMetricFamily(
            "leakwatch_slope_bytes_per_second",
            "Growth of the leak alone, while one is suspected.",
            labels=["container"],
        )
        left = GaugeMetricFamily(
            "leakwatch_time_to_limit_seconds", "Time until the leak reaches the memory limit.", labels=["container"]
        )
        per_request = GaugeMetricFamily(
            "leakwatch_bytes_per_request",
            "Bytes that a request leaves behind; the model without a name is all of them.",
            labels=["container", "model"],
        )
        for target in self._state.targets:
            for word in VERDICTS if target.verdict is not None else ():
                verdict.add_metric([target.name, word], float(word == target.verdict))
            if target.slope_bytes_per_second is not None:
                slope.add_metric([target.name], target.slope_bytes_per_second)
            if target.seconds_to_limit is not None:
                left.add_metric([target.name], target.seconds_to_limit)
            for model, value in target.bytes_per_request.items():
                per_request.add_metric([target.name, model], value)
        yield from (verdict, slope, left, per_request)

    def _measured(self) -> Iterator[Metric]:
        memory = GaugeMetricFamily(
            "leakwatch_memory_bytes", "Memory of the container as last sampled.", labels=["container", "kind"]
        )
        kills = CounterMetricFamily(
            "leakwatch_oom_events", "Times that memory ran out and something was killed.", labels=["container", "kind"]
        )
        for target in self._state.targets:
            for kind, value in target.memory_bytes.items():
                memory.add_metric([target.name, kind], value)
            for kind, count in target.oom_events.items():
                kills.add_metric([target.name, kind], count)
        yield from (memory, kills)

    def _counted(self) -> Iterator[Metric]:
        state = self._state
        actions = CounterMetricFamily(
            "leakwatch_actions", "Actions, by how they ended.", labels=["container", "action", "outcome"]
        )
        for labels, count in state.actions.items():
            actions.add_metric(labels, count)
        notifications = CounterMetricFamily(
            "leakwatch_notifications", "Messages, by how telling them went.", labels=["channel", "outcome"]
        )
        for told, count in state.notifications.items():
            notifications.add_metric(told, count)
        samples = CounterMetricFamily(
            "leakwatch_samples", "Looks at sources, by what came of them.", labels=["source", "outcome"]
        )
        for look, count in state.samples.items():
            samples.add_metric(look, count)
        duration = HistogramMetricFamily("leakwatch_sample_duration_seconds", "How long looks at sources took.")
        total, buckets = 0, []
        for bound, count in zip((*map(str, DURATION_BUCKETS), "+Inf"), state.durations, strict=True):
            total += count
            buckets.append((bound, float(total)))
        duration.add_metric([], buckets, state.durations_sum)
        yield from (actions, notifications, samples, duration)
