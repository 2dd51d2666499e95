"""The picture and the line of text that go with a message."""

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.types import Level, LiveVerdict
from leakwatch.tell import chart_png as module
from leakwatch.tell.chart_png import chart_png
from leakwatch.tell.chart_scale import size_ticks, time_ticks
from leakwatch.tell.sparkline import sparkline
from leakwatch.tell.strokes import _GLYPHS, strokes
from leakwatch.trace import Target, Trace

NOW = 1_790_000_000.0
GIB = 2.0**30
Verdict = Callable[..., LiveVerdict]


def trace(level: np.ndarray, step: float = 60.0) -> Trace:
    time_seconds = NOW + step * np.arange(len(level))
    return Trace(Target("x"), time_seconds, {"anon_bytes": np.asarray(level, dtype=float)})


def pixels(png: bytes) -> np.ndarray:
    """An independent reading of the file: (height, width, 3); every checksum has to be right."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    stream, data, shape = io.BytesIO(png[8:]), b"", (0, 0)
    while head := stream.read(8):
        length, kind = struct.unpack(">I4s", head)
        body = stream.read(length)
        assert struct.unpack(">I", stream.read(4))[0] == zlib.crc32(kind + body)
        if kind == b"IHDR":
            width, height, *rest = struct.unpack(">IIBBBBB", body)
            assert rest == [8, 2, 0, 0, 0]
            shape = (height, width)
        data += body if kind == b"IDAT" else b""
    rows = np.frombuffer(zlib.decompress(data), dtype=np.uint8).reshape(shape[0], -1)
    assert not rows[:, 0].any()
    return rows[:, 1:].reshape(*shape, 3).astype(int)


def share_of(picture: np.ndarray, colour: int) -> float:
    """How much of the picture is nearly of one colour."""
    return float(np.mean(np.abs(picture - module.PALETTE[colour].astype(int)).sum(axis=2) < 60))


def test_a_leak_is_drawn_with_its_line_and_its_limit(live_verdict: Verdict) -> None:
    """Memory, growth and limit are each there; the memory rises from the lower left to the upper right."""
    level = 10 * GIB + np.arange(600) * 1e7
    picture = pixels(chart_png(trace(level), live_verdict(since=NOW + 9000), 16 * GIB) or b"")
    assert picture.shape == (300, 800, 3)
    for colour in (module._LEVEL, module._LEAK, module._LIMIT, module._INK):
        assert share_of(picture, colour) > 0.0005, colour
    blue = np.abs(picture - module.PALETTE[module._LEVEL].astype(int)).sum(axis=2) < 60
    rows, columns = np.nonzero(blue)
    assert rows[columns < 150].mean() > rows[columns > 700].mean() + 100


def test_what_is_not_there_is_not_drawn(live_verdict: Verdict) -> None:
    """No limit, no red; nothing that grows, no orange."""
    picture = pixels(chart_png(trace(np.full(100, GIB)), live_verdict(Level.QUIET), None) or b"")
    assert share_of(picture, module._LIMIT) == share_of(picture, module._LEAK) == 0
    assert share_of(picture, module._LEVEL) > 0.001


def test_every_label_that_an_axis_can_have_has_its_glyphs() -> None:
    """A digit or a unit that the font lacks would leave a number that reads as another."""
    wanted = set()
    for top in (900, 5e4, 3e8, 2e10, 7e13, 1e16):
        wanted |= {c for _, label in size_ticks(0, top, 5) for c in label}
    for end in (20, 900, 20_000, 2e5, 2e6, 3e7, 3e8):
        for start in (NOW, 0.0):
            wanted |= {c for _, label in time_ticks(start, start + end, 80) for c in label}
    assert wanted - set(_GLYPHS) <= {" "}


@pytest.mark.parametrize("glyph", _GLYPHS)
def test_a_glyph_stays_in_its_box(glyph: str) -> None:
    """On a grid 4 wide and 7 high, and different from every other."""
    points = np.concatenate(list(strokes(glyph)))
    assert points.min() >= 0 and points[:, 0].max() <= 4 and points[:, 1].max() <= 7
    assert sum(shape == _GLYPHS[glyph] for shape in _GLYPHS.values()) == 1


LEVELS = st.lists(st.floats(0, 2**50) | st.just(float("nan")), max_size=60)


@given(LEVELS, st.none() | st.floats(1, 2**50), st.sampled_from([Level.LEAK, Level.QUIET]), st.floats(0.1, 1e6))
def test_any_trace_gives_a_picture_and_a_line_or_neither(
    live_verdict: Verdict, levels: list[float], limit: float | None, level: Level, step: float
) -> None:
    """Whatever was measured, drawing raises nothing; one value alone is no trend."""
    shown = trace(np.array(levels), step)
    png = chart_png(shown, live_verdict(level), limit)
    known = np.isfinite(levels).sum() if levels else 0
    assert (png is not None) == (known >= 2)
    line = sparkline(shown, "anon_bytes")
    assert (line is not None) == (known >= 1)
    assert line is None or (len(line) < 120 and line.isprintable())


def test_the_line_of_text_rises_with_the_memory() -> None:
    """It begins low, ends high, and says from where to where, and in what time."""
    assert sparkline(trace(GIB * np.linspace(1, 3, 1440)), "anon_bytes", 8) == (
        "▁▂▃▄▅▆▇█ anon 1 to 3 GiB over 23 h 59 min"
    )
    assert sparkline(trace(np.full(8, GIB)), "anon_bytes", 4) == "▁▁▁▁ anon 1 GiB over 7 min"
    assert sparkline(trace(np.full(8, GIB)), "rss_bytes") is None
