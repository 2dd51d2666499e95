"""A terminal chart as text: the judged column in braille dots, the fitted explanation, limit, restarts and onset.

Every layer has its own glyph, so the chart reads without colour. Braille cells hold 2 x 4 dots (Unicode U+2800 block).
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from detectors.types import Assessment
from leakwatch.tell import chart_scale, units
from leakwatch.tell.sentences import kill_times, metric_name
from leakwatch.trace import FloatArray, Trace

LEAST_WIDTH, LEAST_HEIGHT = 30, 6
_DOT_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
_FIT_DOTS = np.array(["˙", "·", "."])
"""High, middle and low in a cell, so that the fitted line lies where the level does."""
_GAP = 5.0
"""A pause of more than this many median sample intervals is drawn as a gap."""


class Role(StrEnum):
    """What a piece of the chart shows; the terminal colours by it."""

    AXIS = "axis"
    LEVEL = "level"
    FIT = "fit"
    LIMIT = "limit"
    RESTART = "restart"
    KILL = "kill"
    ONSET = "onset"


@dataclass(frozen=True, slots=True)
class Span:
    """A run of characters of one role."""

    text: str
    role: Role


Row = tuple[Span, ...]


def draw(trace: Trace, assessment: Assessment, width: int, height: int) -> tuple[Row, ...]:
    """The chart in ``height`` rows of at most ``width`` characters, axes and legend included.

    Empty where there is nothing to draw or less room than `LEAST_WIDTH` x `LEAST_HEIGHT`.
    """
    column = trace.columns.get(assessment.verdict.metric or "")
    if column is None or width < LEAST_WIDTH or height < LEAST_HEIGHT:
        return ()
    known = np.isfinite(column)
    time, level = trace.time_seconds[known], column[known]
    if not time.size:
        return ()
    start, end = float(time[0]), float(max(time[-1], time[0] + 1.0))
    bottom, top = chart_scale.span(level, trace.limit_bytes)
    plot_height = height - 3
    y_ticks = chart_scale.size_ticks(bottom, top, max(3, min(6, plot_height // 2)))
    gutter = max(len(label) for _, label in y_ticks) + 1 if y_ticks else 1
    plot = _Plot(start, end, bottom, top, width - gutter - 1, plot_height)
    plot.limit(trace.limit_bytes)
    plot.restarts(assessment.verdict.restarts)
    plot.level(time, level)
    if assessment.fit is not None:
        plot.fit(assessment.fit.time_seconds, assessment.fit.fitted_bytes)
    labels = {plot.row(value): label for value, label in y_ticks}
    rows = [
        (Span(labels.get(i, "").rjust(gutter - 1) + (" ┤" if i in labels else " │"), Role.AXIS), *plot.spans(i))
        for i in range(plot_height)
    ]
    x_ticks = chart_scale.time_ticks(start, end, plot.width)
    return (*rows, *_time_axis(plot, x_ticks, gutter, assessment), _legend(trace, assessment, plot, width))


def text(rows: tuple[Row, ...]) -> str:
    """The chart without colour."""
    return "\n".join("".join(span.text for span in row).rstrip() for row in rows)


class _Plot:
    """A grid of cells, (height, width), into which the layers are drawn in turn; later ones cover earlier ones."""

    def __init__(self, start: float, end: float, bottom: float, top: float, width: int, height: int) -> None:
        self.start, self.end, self.bottom, self.top = start, end, bottom, top
        self.width, self.height = width, height
        self.glyphs: NDArray[np.str_] = np.full((height, width), " ", dtype="<U1")
        self.roles: NDArray[np.str_] = np.full((height, width), Role.AXIS.value, dtype="<U8")

    def row(self, value: float) -> int:
        """The cell row of a value, 0 at the top."""
        return int(self._rows(np.array([value]), self.height)[0])

    def column(self, at: float) -> int:
        """The cell column of a time."""
        return int(np.clip((at - self.start) / (self.end - self.start) * self.width, 0, self.width - 1))

    def limit(self, limit_bytes: float | None) -> None:
        if limit_bytes is not None and self.bottom <= limit_bytes <= self.top:
            self._put(self.row(limit_bytes), slice(None), "╌", Role.LIMIT)

    def restarts(self, at: tuple[float, ...]) -> None:
        if 4 * len(at) > self.width:
            return  # a forest of lines would hide the level; the marks on the axis tell enough
        for moment in at:
            if self.start <= moment <= self.end:
                self._put(slice(None), self.column(moment), "┊", Role.RESTART)

    def level(self, time: FloatArray, level: FloatArray) -> None:
        """From the lowest to the highest value in each dot column, so that peaks stay; joined except over gaps."""
        dots = 2 * self.width
        edges = np.linspace(self.start, self.end, dots + 1)
        low, high = np.full(dots, np.inf), np.full(dots, -np.inf)
        inside = np.clip(np.searchsorted(edges, time, side="right") - 1, 0, dots - 1)
        np.minimum.at(low, inside, level)
        np.maximum.at(high, inside, level)
        if time.size > 1:
            steps = np.diff(time)
            gap = steps > _GAP * np.sort(steps)[steps.size // 2]  # numpy.median imports numpy.ma: 12 ms
            at_edge = np.interp(edges, time, level)
            before = np.clip(np.searchsorted(time, edges, side="right") - 1, 0, steps.size - 1)
            joined = ~gap[before] & (edges >= time[0]) & (edges <= time[-1])
            for side, ends in ((slice(None, -1), joined[:-1]), (slice(1, None), joined[1:])):
                low[ends] = np.minimum(low[ends], at_edge[side][ends])
                high[ends] = np.maximum(high[ends], at_edge[side][ends])
        seen = np.isfinite(low)
        rows = np.arange(4 * self.height)[:, None]
        upper, lower = np.full(dots, 4 * self.height), np.full(dots, -1)
        upper[seen], lower[seen] = self._rows(high[seen], 4 * self.height), self._rows(low[seen], 4 * self.height)
        mask = (rows >= upper) & (rows <= lower)
        bits = np.einsum("hrwc,rc->hw", mask.reshape(self.height, 4, self.width, 2), _DOT_BITS)
        filled = bits > 0
        self.glyphs[filled] = (0x2800 + bits[filled]).astype("<u4").view("<U1")
        self.roles[filled] = Role.LEVEL

    def fit(self, time: FloatArray, fitted: FloatArray) -> None:
        """A dotted line: every other column, so that the data shows between."""
        known = np.isfinite(fitted)
        if not known.any():
            return
        columns = np.arange(0, self.width, 2)
        centres = self.start + (columns + 0.5) / self.width * (self.end - self.start)
        values = np.interp(centres, time[known], fitted[known])
        visible = (centres >= time[0]) & (centres <= time[-1]) & (values >= self.bottom) & (values <= self.top)
        thirds = self._rows(values[visible], 3 * self.height)
        self._put(thirds // 3, columns[visible], _FIT_DOTS[thirds % 3], Role.FIT)

    def spans(self, row: int) -> Row:
        """One row of cells, neighbours of one role joined."""
        glyphs, roles = self.glyphs[row], self.roles[row]
        ends = [*(np.flatnonzero(roles[1:] != roles[:-1]) + 1).tolist(), self.width]
        starts = [0, *ends[:-1]]
        return tuple(Span("".join(glyphs[a:b]), Role(str(roles[a]))) for a, b in zip(starts, ends, strict=True))

    def _rows(self, values: FloatArray, height: int) -> NDArray[np.intp]:
        scaled = (self.top - values) / (self.top - self.bottom) * height
        return np.clip(np.floor(scaled), 0, height - 1).astype(np.intp)

    def _put(self, row: object, column: object, glyph: object, role: Role) -> None:
        self.glyphs[row, column] = glyph  # type: ignore[index]
        self.roles[row, column] = role.value  # type: ignore[index]


def _time_axis(plot: _Plot, ticks: list[tuple[float, str]], gutter: int, assessment: Assessment) -> tuple[Row, Row]:
    line, labels = ["─"] * plot.width, [" "] * plot.width
    taken_to = -1
    for at, label in ticks:
        column = plot.column(at)
        first = min(max(0, column - len(label) // 2), plot.width - len(label))
        line[column] = "┴"
        if first > taken_to:
            labels[first : first + len(label)] = label
            taken_to = first + len(label)
    onset = assessment.verdict.onset
    marks = [(at, Span("×", Role.RESTART)) for at in assessment.verdict.restarts if plot.start <= at <= plot.end]
    marks += [(at, Span("†", Role.KILL)) for at in kill_times(assessment) if plot.start <= at <= plot.end]
    if onset is not None and plot.start <= onset <= plot.end:
        marks.append((onset, Span("▲", Role.ONSET)))
    axis, done = [Span(" " * gutter + "└", Role.AXIS)], 0
    for column, mark in sorted({plot.column(at): mark for at, mark in marks}.items()):
        axis += [Span("".join(line[done:column]), Role.AXIS), mark]
        done = column + 1
    axis.append(Span("".join(line[done:]), Role.AXIS))
    zone = "" if abs(plot.end) < units.ELAPSED_BEFORE_SECONDS else "UTC"
    return tuple(axis), (Span(zone.rjust(gutter) + " " + "".join(labels), Role.AXIS),)


def _legend(trace: Trace, assessment: Assessment, plot: _Plot, width: int) -> Row:
    verdict, limit = assessment.verdict, trace.limit_bytes
    entries = [Span(f"⣿ {metric_name(verdict.metric)}", Role.LEVEL)]
    if assessment.fit is not None:
        entries.append(Span("· fitted", Role.FIT))
    if limit is not None:
        inside = plot.bottom <= limit <= plot.top
        entries.append(Span(f"{'╌' if inside else '↑'} limit {units.size(limit)}", Role.LIMIT))
    if verdict.restarts:
        entries.append(Span("┊ restart", Role.RESTART))
    if kill_times(assessment):
        entries.append(Span("† killed", Role.KILL))
    if verdict.onset is not None:
        since = units.short_moment(verdict.onset, trace.time_seconds[0], trace.time_seconds[-1])
        entries.append(Span(f"▲ since {since}", Role.ONSET))
    row, room = [Span("  ", Role.AXIS)], width - 2
    for entry in entries:
        if len(entry.text) + 3 <= room:
            row += [entry, Span("   ", Role.AXIS)]
            room -= len(entry.text) + 3
    return tuple(row)
