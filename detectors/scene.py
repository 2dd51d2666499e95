"""Everything that is known of a trace before the explanations compete."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from detectors.binning import Judged, judge, judge_teeth, without_pulses
from detectors.cuts import Cut, Cuts, find_cuts
from detectors.load import Counter, counter, model_columns
from detectors.series import Series, bin_equally, distinct, median, quantile, reduce
from detectors.types import FloatArray

IMMATERIAL_SHARE = 0.02
"""Share of the material growth below which differences persuade nobody."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A trace prepared for judging.

    Attributes:
        start: Unix seconds of time 0 of every axis here.
        series: at most some two thousand robust points, the start-up cut off.
        samples: how many known samples the verdict rests on.
        cuts: where it is cut, and into what; cut_at: the same as shares of the series' duration.
        material: growth in bytes over the trace that a leak must exceed to matter.
        judged: bins with their level.
        loads: seconds at which model versions were loaded.
        requests: the cumulative request count, None where unknown.
        model_requests: the same by model, the busiest first.
        limit: bytes, None where there is none.
    """

    start: float
    series: Series
    samples: int
    cuts: Cuts
    cut_at: FloatArray
    material: float
    judged: Judged
    loads: FloatArray
    requests: Counter | None
    model_requests: Mapping[str, Counter]
    limit: float | None

    @property
    def first(self) -> float:
        """Seconds of the judged part's first point."""
        return float(self.series.time[0])

    @property
    def span(self) -> float:
        """Duration of the judged part, in seconds."""
        return float(self.series.time[-1] - self.series.time[0])

    def at(self, position: float) -> float:
        """Unix seconds of a position 0..1 in the judged part."""
        return self.start + self.first + self.span * position


def prepare(
    time_seconds: FloatArray,
    level: FloatArray,
    columns: Mapping[str, FloatArray],
    limit: float | None,
    replicas: int = 1,
    restarts: Sequence[float] = (),
) -> Scene:
    """Reduce, cut the start-up off, find the falls, bin; the last two arguments as in `detectors.assess.assess`."""
    start = float(time_seconds[0])
    known = np.isfinite(level)
    series = reduce(Series(time_seconds[known] - start, level[known]))
    begin = _startup_end(series)
    keep = series.time >= begin
    series = Series(series.time[keep], series.value[keep])
    by_model = _model_requests(time_seconds - start, columns)
    count = _all_requests(time_seconds - start, columns, by_model)
    cuts = find_cuts(series, count, limit, np.asarray(restarts, dtype=float) - start)
    series = _without_startups(series, cuts)
    material = material_growth(series.value, limit) / np.sqrt(replicas)
    bins = judge_teeth(series, cuts.time) if cuts.kind is Cut.MANY_TEETH else judge(series, cuts.time)
    judged = without_pulses(bins, IMMATERIAL_SHARE * material)
    return Scene(
        start=start,
        series=series,
        samples=int(known.sum()),
        cuts=cuts,
        cut_at=(cuts.time - series.time[0]) / (series.time[-1] - series.time[0]),
        material=material,
        judged=judged,
        loads=_loads(time_seconds - start, columns),
        requests=count,
        model_requests=by_model,
        limit=limit,
    )


def _model_requests(time: FloatArray, columns: Mapping[str, FloatArray]) -> dict[str, Counter]:
    found = {m: counter(time, c) for m, c in model_columns(columns, "requests_total").items()}
    moving = {m: c for m, c in found.items() if c is not None}
    return dict(sorted(moving.items(), key=lambda item: -float(item[1].total[-1])))


def _all_requests(
    time: FloatArray, columns: Mapping[str, FloatArray], by_model: Mapping[str, Counter]
) -> Counter | None:
    """The total request count, or the sum of the models' where only those exist."""
    if "requests_total" in columns:
        return counter(time, columns["requests_total"])
    if not by_model:
        return None
    total = sum((c.at(time) for c in by_model.values()), np.zeros(len(time)))
    resets = distinct(np.concatenate([c.resets for c in by_model.values()]))
    return Counter(time, total, resets)


def _loads(time: FloatArray, columns: Mapping[str, FloatArray]) -> FloatArray:
    """Seconds at which a count of loaded model versions rose."""
    named = [c for n, c in columns.items() if n == "model_loads_total" or n.startswith("model_loads_total:")]
    found = [counter(time, c) for c in named]
    times = [c.time[1:][np.diff(c.total) > 0] for c in found if c is not None]
    return distinct(np.concatenate(times)) if times else np.empty(0)


def _without_startups(series: Series, cuts: Cuts) -> Series:
    """Leave each later life's start-up out as well."""
    if cuts.kind is not Cut.LIVES:
        return series
    keep = np.ones(len(series.time), dtype=bool)
    for begin, end in zip(cuts.time, [*cuts.time[1:], series.time[-1] + 1.0], strict=True):
        rows = np.flatnonzero((series.time >= begin) & (series.time < end))
        if len(rows) >= 12:
            settled = _startup_end(Series(series.time[rows], series.value[rows]))
            keep[rows[series.time[rows] < settled]] = False
    return Series(series.time[keep], series.value[keep])


def material_growth(level: FloatArray, limit: float | None) -> float:
    """2 % of the headroom above the 10 % level, at most 4 % of the median level: what needs over 50 such traces to
    fill the headroom is no verdict."""
    share_of_level = 0.04 * median(level)
    low = quantile(level, 0.1)
    if limit is None or limit <= low:
        return max(share_of_level, 1.0)
    return max(min(0.02 * (limit - low), share_of_level), 1.0)


def _startup_end(series: Series) -> float:
    """Seconds up to which a steep start-up is skipped, at most 8 % of the trace; its own start where there is none.

    A start-up is ten to a hundred times the leak: its misfit inflates everybody's noise and blinds the choice of shape.
    """
    time = series.time
    count = min(100, len(time) // 3)
    if count < 12:
        return float(time[0])
    bins = bin_equally(series, count)
    level = bins.median
    longest, settled = max(3, int(0.08 * count)), max(1, round(0.025 * count))
    typical = median(np.abs(level[3:] - level[:-3]))
    height = float(level[: longest + 1].max() - level[0])
    if height < max(10.0 * typical, 0.02 * median(level)):
        return float(time[0])
    for i in range(1, longest + 1):
        if i + settled < len(level) and level[i + settled] - level[i] < 0.02 * height:
            return float(bins.time[i])
    return float(bins.time[min(longest, len(bins.time) - 1)])
