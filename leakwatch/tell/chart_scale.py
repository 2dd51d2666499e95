"""Axes of the terminal chart: round tick values in binary sizes and in clock times. Pure."""

import math
from datetime import UTC, datetime

import numpy as np

from leakwatch.tell import units
from leakwatch.trace import FloatArray

_TIME_STEPS_SECONDS = (
    *(1, 2, 5, 10, 15, 30),
    *(60, 120, 300, 600, 900, 1_800),
    *(3_600, 7_200, 10_800, 21_600, 43_200),
    *(86_400, 2 * 86_400, 7 * 86_400, 14 * 86_400, 28 * 86_400, 91 * 86_400, 365 * 86_400),
)


def size_ticks(bottom_bytes: float, top_bytes: float, at_most: int) -> list[tuple[float, str]]:
    """(bytes, label) at multiples of 1, 2 or 5 times a power of ten of one unit, up to ``at_most`` (>= 3) of them."""
    unit, scale = units.size_unit(max(abs(bottom_bytes), abs(top_bytes)))
    low, high = bottom_bytes / scale, top_bytes / scale
    power = math.floor(math.log10((high - low) / at_most))
    for step in (factor * 10.0**exponent for exponent in (power, power + 1) for factor in (1, 2, 5)):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < at_most:
            break
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return [(i * step * scale, f"{i * step:.{decimals}f} {unit}") for i in range(first, last + 1)]


def time_ticks(start: float, end: float, width: int) -> list[tuple[float, str]]:
    """(Unix seconds, label) at round clock times (UTC), or elapsed times, that fit into ``width`` characters."""
    for step in _TIME_STEPS_SECONDS:
        # A step is too small while its labels would run together; the count is checked before anything is formatted.
        if (end - start) / step * 7 > width:
            continue
        ticks = [
            (at, _time_label(at, step, start, end)) for at in np.arange(math.ceil(start / step), end / step) * step
        ]
        if sum(len(label) + 2 for _, label in ticks) <= width:
            return ticks
    return []


def span(values_bytes: FloatArray, limit_bytes: float | None) -> tuple[float, float]:
    """Bottom and top of the chart for finite ``values_bytes`` (n >= 1).

    The limit is inside unless it lies so far above that the movement would be flattened; zero is, where it is near.
    """
    low, high = float(values_bytes.min()), float(values_bytes.max())
    if limit_bytes is not None and limit_bytes - high <= 3 * max(high - low, 0.05 * high):
        high = max(high, limit_bytes)
    if low > 0 and low <= 0.5 * high:
        low = 0.0
    # A level trace would blow its noise up to full height: leave at least 5 % of the level to see.
    least = max(0.05 * abs(high), 4096.0)
    if high - low < least:
        middle = (low + high) / 2
        low, high = max(0.0, middle - least / 2), middle + least / 2
    margin = 0.03 * (high - low)
    return (low if low == 0 else low - margin), high + margin


def _time_label(at: float, step: float, start: float, end: float) -> str:
    if abs(end) < units.ELAPSED_BEFORE_SECONDS:
        return units.duration(at)
    try:
        when = datetime.fromtimestamp(at, UTC)
    except (OverflowError, ValueError, OSError):
        return units.number(at - start)
    if step >= 86_400:
        return f"{when:%Y-%m}" if step > 28 * 86_400 else f"{when:%m-%d}"
    if step < 60:
        return f"{when:%H:%M:%S}"
    return f"{when:%m-%d %H:%M}" if end - start > 86_400 else f"{when:%H:%M}"
