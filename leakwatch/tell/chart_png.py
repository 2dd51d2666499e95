"""The trend as a picture (PNG): memory, the leak's line from its onset, and the limit, with sizes and UTC times.

Drawn with numpy and zlib alone: a plotting library costs 55 MiB, more than the whole agent. Lines are stamped at twice
the size and averaged down, which smooths their edges.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from detectors.types import LiveVerdict
from leakwatch.tell import chart_scale
from leakwatch.tell.strokes import WIDTH, strokes
from leakwatch.trace import FloatArray, Trace

SIZE = (800, 300)
"""Pixels, across and down."""
_SCALE = 2
_LEFT, _RIGHT, _TOP, _BOTTOM = 92, 14, 14, 30
_PAPER, _GRID, _INK, _LEVEL, _LEAK, _LIMIT = range(6)
PALETTE = np.array(
    [(255, 255, 255), (228, 230, 235), (90, 96, 108), (37, 99, 235), (234, 88, 12), (220, 38, 38)], dtype=np.uint16
)
"""Red, green and blue of each; a canvas of one byte a dot keeps a drawing agent small."""
_AT_ONCE = 1024
"""Dots of a line that are stamped together."""
_GLYPH = 1.7
"""Pixels for each unit of the stroke font."""


def chart_png(trace: Trace, verdict: LiveVerdict, limit_bytes: float | None) -> bytes | None:
    """The file's bytes; None where the trace has fewer than two values of the judged column."""
    column = trace.columns.get(verdict.metric or "")
    known = np.isfinite(column) if column is not None else np.zeros(0, dtype=bool)
    if column is None or np.count_nonzero(known) < 2:
        return None
    time, level = trace.time_seconds[known], column[known]
    bottom, top = chart_scale.span(level, limit_bytes)
    picture = _Picture(float(time[0]), float(time[-1]), bottom, top)
    for value, label in chart_scale.size_ticks(bottom, top, 5):
        picture.line(np.array(picture.extent), np.array([value, value]), _GRID, 0.5)
        picture.label(label, picture.x(np.array([time[0]]))[0] - 8, picture.y(np.array([value]))[0], right=True)
    for at, label in chart_scale.time_ticks(float(time[0]), float(time[-1]), SIZE[0] // 10):
        picture.line(np.array([at, at]), np.array([bottom, top]), _GRID, 0.5)
        picture.label(label, picture.x(np.array([at]))[0], SIZE[1] - _BOTTOM / 2 + 2)
    if limit_bytes is not None and bottom <= limit_bytes <= top:
        picture.line(np.array(picture.extent), np.array([limit_bytes, limit_bytes]), _LIMIT, 1.0, dash=7.0)
    picture.line(time, level, _LEVEL, 1.0)
    if verdict.trend is not None and verdict.onset is not None and verdict.onset < time[-1]:
        since = np.array([max(verdict.onset, float(time[0])), float(time[-1])])
        recent = float(np.sort(level[-9:])[min(4, level.size // 2)])  # a spike at the end does not lift the line
        grown = recent - verdict.trend.slope_per_second * (since[1] - since)
        picture.line(since, grown, _LEAK, 1.2)
    return _png(picture.rows())


@dataclass
class _Picture:
    """A canvas, and the time (Unix seconds) and size (bytes) that its plot spans."""

    start: float
    end: float
    bottom: float
    top: float

    def __post_init__(self) -> None:
        self.canvas = np.full((SIZE[1] * _SCALE, SIZE[0] * _SCALE), _PAPER, dtype=np.uint8)

    @property
    def extent(self) -> tuple[float, float]:
        return self.start, self.end

    def x(self, at: FloatArray) -> FloatArray:
        return _LEFT + (at - self.start) / (self.end - self.start) * (SIZE[0] - _LEFT - _RIGHT)

    def y(self, value: FloatArray) -> FloatArray:
        return _TOP + (self.top - value) / (self.top - self.bottom) * (SIZE[1] - _TOP - _BOTTOM)

    def line(self, at: FloatArray, value: FloatArray, colour: int, radius: float, dash: float = 0.0) -> None:
        """Joined through its points, inside the plot only."""
        y = np.clip(self.y(value), _TOP, SIZE[1] - _BOTTOM)
        self.stamp(self.x(at), y, colour, radius, dash)

    def label(self, text: str, x: float, y: float, *, right: bool = False) -> None:
        """Centred on the point, or ending at it."""
        left = x - len(text) * WIDTH * _GLYPH / (1 if right else 2)
        for stroke in strokes(text):
            self.stamp(left + stroke[:, 0] * _GLYPH, y + (stroke[:, 1] - 3) * _GLYPH, _INK, 0.6)

    def stamp(self, x: FloatArray, y: FloatArray, colour: int, radius: float, dash: float = 0.0) -> None:
        """A round brush along the points, which are pixels of the finished picture."""
        x, y = x * _SCALE, y * _SCALE
        along = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
        steps = np.arange(0.0, along[-1] + 0.5, 0.5)
        if dash:
            steps = steps[steps % (2 * dash * _SCALE) < dash * _SCALE]
        brush = max(1, round(radius * _SCALE))
        dy, dx = np.mgrid[-brush : brush + 1, -brush : brush + 1]
        round_ = dy**2 + dx**2 <= (radius * _SCALE) ** 2
        height, width = self.canvas.shape
        for first in range(0, len(steps), _AT_ONCE):
            part = steps[first : first + _AT_ONCE]
            columns = np.rint(np.interp(part, along, x)).astype(np.int32)[:, None] + dx[round_]
            rows = np.rint(np.interp(part, along, y)).astype(np.int32)[:, None] + dy[round_]
            self.canvas[np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)] = colour

    def rows(self) -> Iterator[bytes]:
        """Each row of the finished picture: red, green and blue of its dots."""
        for top in range(0, SIZE[1] * _SCALE, _SCALE):
            dots = PALETTE[self.canvas[top : top + _SCALE]].reshape(_SCALE, SIZE[0], _SCALE, 3)
            yield (dots.sum(axis=(0, 2)) // _SCALE**2).astype(np.uint8).tobytes()


def _png(rows: Iterator[bytes]) -> bytes:
    """https://www.w3.org/TR/png-3/: 8 bits, RGB, no filter."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(b"\0" + row) for row in rows) + packer.flush()
    head = struct.pack(">IIBBBBB", *SIZE, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
