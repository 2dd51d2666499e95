"""Samples of one page gathered under names: counters added up, histograms put together from their lines."""

import math
from collections import defaultdict
from dataclasses import dataclass, field

from leakwatch.sample.exposition import PageSample
from leakwatch.sample.serving.reading import Buckets


@dataclass(slots=True)
class Histogram:
    """The lines of one histogram, of several label sets added together: their bounds are the same."""

    counts: dict[float, float] = field(default_factory=lambda: defaultdict(float))
    total: float = 0.0
    summed: bool = False

    def take(self, sample: PageSample, scale: float = 1.0) -> None:
        """One ``_bucket`` or ``_sum`` line; ``scale`` turns the page's unit into ours."""
        if sample.name.endswith("_bucket"):
            try:
                bound = float(sample.labels.get("le", ""))
            except ValueError:
                return
            self.counts[bound * scale] += sample.value
        elif sample.name.endswith("_sum"):
            self.total += sample.value
            self.summed = True

    def buckets(self, scale: float = 1.0, exact_below: float = math.inf) -> Buckets | None:
        """The histogram, None where a page cut short lacks its last line.

        Args:
            scale: turns the page's unit of the sum into ours.
            exact_below: from this sum on (in the page's unit) the page rounds it, and it is left out.
        """
        bounds = tuple(sorted(self.counts))
        if not bounds or not math.isinf(bounds[-1]):
            return None
        # A page that is read while it is written may fall; counts up to a bound never do.
        counts, highest = [], 0.0
        for bound in bounds:
            highest = max(highest, self.counts[bound])
            counts.append(highest)
        exact = self.summed and self.total < exact_below
        return Buckets(bounds, tuple(counts), self.total * scale if exact else None)
