"""A fleet as plain cells and plain dicts: what leaks, the most urgent first, and what the groups say."""

import math
from collections.abc import Sequence
from typing import Any

from detectors.types import Answer, Trend
from leakwatch.members import Group, Judged
from leakwatch.tell import units

CONTAINER_HEAD = ("Container", "Growth", "Time to limit", "Of limit", "Since", "Shape", "Workload", "Image", "Node")
GROUP_HEAD = ("Group", "Rise", "Growth of each", "Since", "Leaking alone")

Json = dict[str, Any]


def container_cells(one: Judged) -> tuple[str, ...]:
    """Under `CONTAINER_HEAD`; safe to show."""
    limit, last = one.limit_bytes, one.last_bytes
    cells = (
        one.name,
        units.rate(one.trend.slope_per_second) if one.trend else "-",
        units.duration(one.forecast.low) if one.forecast else "-",
        units.share(last / limit) if limit and last is not None else "no limit" if limit is None else "-",
        units.moment(one.onset) if one.onset is not None else "-",
        one.shape.replace("_", " "),
        one.labels.get("workload", "-"),
        one.labels.get("image", "-"),
        one.labels.get("node", "-"),
    )
    return tuple(map(units.visible, cells))


def group_cells(group: Group) -> tuple[str, ...]:
    """Under `GROUP_HEAD`; safe to show."""
    trend = group.trend
    cells = (
        f"{group.kind} {group.name}",
        f"{group.rising} of {group.replicas + group.still}",
        growth_with_interval(trend) if trend else "-",
        units.moment(group.onset) if group.onset is not None else "-",
        f"{group.leaking} of {group.replicas + group.still}",
    )
    return tuple(map(units.visible, cells))


def growth_with_interval(trend: Trend) -> str:
    """``12.1 MiB/h (11.6 to 12.7)``."""
    hourly = trend.slope_per_second * 3600.0
    return f"{units.rate(trend.slope_per_second)} ({units.size_range(trend.low * 3600.0, trend.high * 3600.0, hourly)})"


def headline(containers: int, counts: dict[Answer, int], leaks: Sequence[Judged], groups: Sequence[Group]) -> str:
    """The first line: how many leak, which group explains most of them, which is first at its limit."""
    said = f"{containers:,} containers: {counts[Answer.LEAK]:,} leaking, {counts[Answer.UNDECIDED]:,} undecided"
    claimed = [group for group in groups if group.claimed]
    if claimed:
        most = max(claimed, key=lambda group: (group.rising, group.probability))
        growth = f", {growth_with_interval(most.trend)} each" if most.trend else ""
        said += f". {most.kind} {most.name}: {most.rising} of {most.replicas + most.still} rise together{growth}"
    if leaks:
        first = leaks[0]
        left = f", {units.duration(first.forecast.low)} left" if first.forecast else ""
        said += f". First: {first.name}{left}"
    return units.visible(said + ".")


def as_dict(
    containers: int,
    counts: dict[Answer, int],
    leaks: Sequence[Judged],
    groups: Sequence[Group],
    errors: Sequence[str],
) -> Json:
    """The JSON document of ``leakwatch fleet``; null is unknown, and no number is NaN or infinite."""
    return {
        "schema_version": 1,
        "containers": containers,
        "counts": {str(answer): counts[answer] for answer in Answer},
        "leaks": [container_dict(one) for one in leaks],
        "groups": [group_dict(group) for group in groups],
        "errors": list(errors),
    }


def container_dict(one: Judged) -> Json:
    """One container, without its levels."""
    forecast = one.forecast
    return {
        "labels": dict(one.labels),
        "container": one.name,
        "samples": one.samples,
        "start": _finite(one.start_seconds),
        "end": _finite(one.end_seconds),
        "verdict": str(one.verdict),
        "shape": str(one.shape),
        "confidence": one.confidence,
        "metric": one.metric,
        "slope_bytes_per_second": _trend(one.trend),
        "onset": _finite(one.onset),
        "limit_bytes": None if one.limit_bytes is None else round(one.limit_bytes),
        "last_bytes": _finite(one.last_bytes),
        "time_to_limit_seconds": None
        if forecast is None or not math.isfinite(forecast.seconds_to_limit)
        else {"estimate": forecast.seconds_to_limit, "low": forecast.low, "high": _finite(forecast.high)},
        "because": list(one.because),
    }


def group_dict(group: Group) -> Json:
    """One group, without its levels."""
    return {
        "kind": group.kind,
        "name": group.name,
        "workload": group.within,
        "images": list(group.images),
        "started": _finite(group.started),
        "replicas": group.replicas + group.still,
        "leaking": group.leaking,
        "rising": group.rising,
        "claimed": group.claimed,
        "probability": group.probability,
        "slope_bytes_per_second": _trend(group.trend),
        "onset": _finite(group.onset),
        "shape": str(group.shape),
        "because": list(group.because),
    }


def _trend(trend: Trend | None) -> Json | None:
    if trend is None or not math.isfinite(trend.slope_per_second):
        return None
    return {"estimate": trend.slope_per_second, "low": trend.low, "high": trend.high}


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
