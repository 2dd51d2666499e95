"""What is found about each container and each group of a fleet: values small enough to keep a hundred thousand of."""

from collections.abc import Mapping
from dataclasses import dataclass

from detectors.types import Answer, FloatArray, Forecast, Shape, Trend


@dataclass(frozen=True, slots=True)
class Judged:
    """One container of the fleet.

    Attributes:
        labels: namespace, workload, image, node, pod, container, as far as they are known.
        samples: how many were read, 0 also where the source settled it.
        start_seconds, end_seconds: Unix seconds of the first and last.
        confidence: that the verdict holds; probability: of a leak, for whoever claims many at once.
        trend, forecast, onset: of a leak; None otherwise.
        last_bytes: the level at the end; None where there is none. limit_bytes: None without a limit.
        because: the most telling reasons, at most three.
        levels: (m,) on the fleet's grid, for groups and small pictures; NaN where nothing was sampled.
        request_rates: (m,) requests per second; None where they are not counted.
        restarts: cells of the grid in which a new life begins.
    """

    labels: Mapping[str, str]
    samples: int
    start_seconds: float
    end_seconds: float
    verdict: Answer
    shape: Shape
    confidence: float
    probability: float
    metric: str | None
    trend: Trend | None
    forecast: Forecast | None
    onset: float | None
    limit_bytes: float | None
    last_bytes: float | None
    because: tuple[str, ...]
    levels: FloatArray
    request_rates: FloatArray | None
    restarts: tuple[int, ...]

    @property
    def settled(self) -> bool:
        """Whether its source said that it holds still, and nothing of it was read."""
        return self.samples == 0 and self.verdict is Answer.NO_LEAK

    @property
    def name(self) -> str:
        """namespace/pod/container, as far as they are known."""
        parts = (self.labels.get(part, "") for part in ("namespace", "pod", "container"))
        return "/".join(part for part in parts if part) or "?"


@dataclass(frozen=True, slots=True)
class Group:
    """Replicas judged together.

    Attributes:
        kind: which label they share: workload, image or node; name: its value.
        within: the workload that all members of an image belong to; None where it is not one.
        images: those that the members run, in order of name.
        started: Unix seconds of the first sample of any member; None where some of them are older than the data.
        replicas: how many were judged; still: how many more the source settled.
        leaking: how many are leaks by themselves; rising: how many rise with the group.
        probability: that the group leaks.
        claimed: whether it is claimed, with the fleet's rate of false discoveries kept.
        trend, onset: of the group's leak, for each replica; None where it does not leak.
        levels: (m,) the mean of the replicas on the fleet's grid.
        because: what the claim rests on, and what the comparison with other groups says.
    """

    kind: str
    name: str
    within: str | None
    images: tuple[str, ...]
    started: float | None
    replicas: int
    still: int
    leaking: int
    rising: int
    probability: float
    claimed: bool
    trend: Trend | None
    onset: float | None
    shape: Shape
    levels: FloatArray
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """The axis that all containers of a fleet share: ``cells`` equal stretches between two moments."""

    start_seconds: float
    end_seconds: float
    cells: int

    @property
    def cell_seconds(self) -> float:
        """How long a cell lasts."""
        return (self.end_seconds - self.start_seconds) / self.cells


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a workload's leak between two fleets: its most urgent leaking container before and after.

    One of the two is None where the leak is new, or gone.
    """

    before: Judged | None
    after: Judged | None

    @property
    def word(self) -> str:
        """``new``, ``gone``, or ``changed``: the intervals of the two rates do not meet."""
        return "new" if self.before is None else "gone" if self.after is None else "changed"

    @property
    def name(self) -> str:
        """The workload's, or the container's where it has none."""
        one = self.after or self.before
        return "?" if one is None else one.labels.get("workload") or one.name

    @property
    def worse(self) -> bool:
        """Whether a release that brings it should be stopped: a leak that is new, or faster than before."""
        if self.before is None or self.after is None:
            return self.before is None
        rates = [one.trend.slope_per_second if one.trend else 0.0 for one in (self.before, self.after)]
        return rates[1] > rates[0]
