"""Fewer points for the screen, with every peak kept; and the compact form in which they travel inside the page."""

import base64
from collections.abc import Mapping
from typing import TypedDict

import numpy as np

from leakwatch.trace import FloatArray

GAP_FACTOR = 10.0
"""A pause this many times the usual spacing is drawn as a gap: scrapes jitter and miss one or two, rarely ten."""

LEVELS = 65_533
"""Steps between a series' lowest and highest value in the page; a screen shows a few thousand at most."""

BRIDGE, GAP = 65_534, 65_535
"""Codes of an unknown value: the line runs across it, or breaks there."""


class EncodedTimes(TypedDict):
    """Times as ``start + step * code``, the codes little-endian uint32 in base64."""

    start: float
    step: float
    codes: str


class EncodedValues(TypedDict):
    """Values as ``low + step * code``, the codes little-endian uint16 in base64; see ``BRIDGE`` and ``GAP``."""

    low: float
    step: float
    codes: str


def reduce(
    time_seconds: FloatArray, columns: Mapping[str, FloatArray], max_points: int
) -> tuple[FloatArray, dict[str, FloatArray]]:
    """Keep the lowest and the highest value of each bucket of consecutive samples, in the order in which they came.

    Both points of a bucket stand on the bucket's own time axis (its first and its middle sample), so a peak keeps
    its height exactly and its time to within half a bucket. Pauses get a row of NaN so that a chart can break there.

    Args:
        time_seconds: (n,) strictly rising.
        columns: each (n,), NaN where unknown.
        max_points: at least 2; a trace that is no longer is returned as it is, but for the pauses.

    Returns:
        The reduced time axis, strictly rising, and the columns on it.
    """
    samples = len(time_seconds)
    if samples > max_points:
        width = -(-samples // (max_points // 2))
        first = np.arange(0, samples, width)
        points = np.ravel([first, np.minimum(first + width // 2, samples - 1)], order="F")
        points[-1] = samples - 1  # the chart ends where the trace does
        kept = np.append(True, np.diff(points) > 0)  # a last bucket of one sample has one point
        columns = {name: _extremes(values, width)[kept] for name, values in columns.items()}
        time_seconds = time_seconds[points[kept]]
    return _with_pauses(time_seconds, columns)


def _extremes(values: FloatArray, width: int) -> FloatArray:
    """(2 * buckets,): the lowest and highest known value of each bucket, the earlier one first."""
    buckets = np.full((-(-len(values) // width), width), np.nan)
    buckets.flat[: len(values)] = values
    unknown = np.isnan(buckets)
    lowest = np.where(unknown, np.inf, buckets).argmin(axis=1)
    highest = np.where(unknown, -np.inf, buckets).argmax(axis=1)
    pairs = np.sort(np.stack([lowest, highest], axis=1), axis=1)
    return np.take_along_axis(buckets, pairs, axis=1).ravel()


def _with_pauses(
    time_seconds: FloatArray, columns: Mapping[str, FloatArray]
) -> tuple[FloatArray, dict[str, FloatArray]]:
    spacing = np.diff(time_seconds)
    if len(spacing) == 0:
        return time_seconds, dict(columns)
    before = np.flatnonzero(spacing > GAP_FACTOR * np.median(spacing)) + 1
    middles = time_seconds[before - 1] + spacing[before - 1] / 2
    return (
        np.insert(time_seconds, before, middles),
        {name: np.insert(values, before, np.nan) for name, values in columns.items()},
    )


def encode_times(time_seconds: FloatArray) -> EncodedTimes:
    """Resolve the span into 2^32 steps: 0.15 ms over a week."""
    if len(time_seconds) == 0:
        return {"start": 0.0, "step": 0.0, "codes": ""}
    start, span = float(time_seconds[0]), float(time_seconds[-1] - time_seconds[0])
    step = span / (2**32 - 1)
    codes = np.rint((time_seconds - start) / step) if step > 0 else np.zeros(len(time_seconds))
    return {"start": start, "step": step, "codes": base64.b64encode(codes.astype("<u4").tobytes()).decode()}


def encode_values(time_seconds: FloatArray, values: FloatArray) -> EncodedValues:
    """Resolve the range into ``LEVELS`` steps; the line breaks where known values lie unusually far apart in time."""
    known = np.flatnonzero(np.isfinite(values))
    codes = np.full(len(values), BRIDGE)
    low = float(values[known].min()) if len(known) else 0.0
    step = (float(values[known].max()) - low) / LEVELS if len(known) else 0.0
    codes[known] = np.rint((values[known] - low) / step) if step > 0 else 0
    if len(known) > 1:
        spacing = np.diff(time_seconds[known])
        apart = known[:-1][(spacing > GAP_FACTOR * np.median(spacing)) & (np.diff(known) > 1)]
        codes[apart + 1] = GAP
    return {"low": low, "step": step, "codes": base64.b64encode(codes.astype("<u2").tobytes()).decode()}
