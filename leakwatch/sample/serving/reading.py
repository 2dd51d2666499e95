"""What one look at a page holds, and what two looks tell together: quantiles and means of the time between them."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Buckets:
    """A histogram: upper bounds in rising order (the last is infinite), counts up to each, the sum if exact."""

    bounds: tuple[float, ...]
    counts: tuple[float, ...]
    total: float | None = None

    def since(self, before: "Buckets | None") -> "Buckets | None":
        """What came in between; None where nothing did, or where it began anew."""
        if before is None or before.bounds != self.bounds or not self.counts:
            return None
        counts = tuple(now - then for now, then in zip(self.counts, before.counts, strict=True))
        if counts[-1] <= 0 or min(counts) < 0:
            return None
        total = None if self.total is None or before.total is None else self.total - before.total
        return Buckets(self.bounds, counts, total)

    def quantile(self, q: float) -> float | None:
        """By linear interpolation inside the bucket, as Prometheus' histogram_quantile: None where it is empty.

        https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
        """
        if not self.counts or self.counts[-1] <= 0:
            return None
        rank, below, lower = q * self.counts[-1], 0.0, 0.0
        for bound, count in zip(self.bounds, self.counts, strict=True):
            if count >= rank:
                if bound == float("inf"):
                    return lower
                return lower + (bound - lower) * ((rank - below) / (count - below) if count > below else 1.0)
            below, lower = count, bound
        return lower

    def mean(self) -> float | None:
        """From the sum where it is exact, else from the buckets' middles: None where it is empty."""
        if not self.counts or self.counts[-1] <= 0:
            return None
        if self.total is not None:
            return self.total / self.counts[-1]
        weighted, below, lower = 0.0, 0.0, 0.0
        for bound, count in zip(self.bounds, self.counts, strict=True):
            upper = lower if bound == float("inf") else bound
            weighted += (lower + upper) / 2.0 * (count - below)
            below, lower = count, upper
        return weighted / self.counts[-1]


@dataclass(frozen=True, slots=True)
class Mean:
    """A sum and how many it sums, both counted since the server started."""

    total: float
    count: float

    def since(self, before: "Mean | None") -> float | None:
        """The mean of what came in between; None where nothing did, or where it began anew."""
        if before is None or self.count <= before.count or self.total < before.total:
            return None
        return (self.total - before.total) / (self.count - before.count)


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at a page.

    Attributes:
        values: what stands there as it is, by the columns of `leakwatch.trace`.
        quantiles: column of a 95th percentile to the histogram behind it, in the column's unit.
        histogram_means: column of a mean to the histogram behind it.
        means: column of a mean to the sum and count behind it.
        models: the models that the page names.
    """

    values: Mapping[str, float] = field(default_factory=dict)
    quantiles: Mapping[str, Buckets] = field(default_factory=dict)
    histogram_means: Mapping[str, Buckets] = field(default_factory=dict)
    means: Mapping[str, Mean] = field(default_factory=dict)
    models: frozenset[str] = frozenset()


def between(before: Reading | None, now: Reading) -> dict[str, float]:
    """The columns of a sample: what stands there now, and what the time since the look before tells."""
    columns = dict(now.values)
    if before is None:
        return columns
    for name, buckets in now.quantiles.items():
        added = buckets.since(before.quantiles.get(name))
        p95 = added.quantile(0.95) if added else None
        if p95 is not None:
            columns[name] = p95
    for name, buckets in now.histogram_means.items():
        added = buckets.since(before.histogram_means.get(name))
        mean = added.mean() if added else None
        if mean is not None:
            columns[name] = mean
    for name, summed in now.means.items():
        mean = summed.since(before.means.get(name))
        if mean is not None:
            columns[name] = mean
    return columns
