"""Draws docs/images/detection/*.svg: real sample traces with what the detector makes of them.

`python docs/draw_detection.py [--check]`; --check writes nothing and fails where a picture is not what is drawn now.
The lines are those of the HTML report, with the explanation that won; no number here is anybody's but the detector's.
"""

import argparse
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path

import numpy as np

from leakwatch.analyze import Reading, analyze_source
from leakwatch.tell.html.panels import Panel, panels
from leakwatch.trace import FloatArray

TRACES = Path(__file__).parents[1] / "sample_traces"
FOLDER = Path(__file__).parent / "images" / "detection"
NAMES = (
    "python_list_by_requests",
    "tf_healthy",
    "python_cycles_gc_on",
    "python_load_following",
    "python_load_following_leak",
    "model_versions",
    "cgroup_page_cache",
    "cgroup_oom_kills",
)
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 260, 64, 12, 34, 26
POINTS = 360
INKS = {"level": "#2563eb", "fitted": "#ea580c", "without": "#16a34a"}


def picture(name: str) -> str:
    """The SVG of one trace: what was measured, the explanation, and the explanation without the leak."""
    result = analyze_source(str(TRACES / f"{name}.csv"), Reading(diagnosed=False))
    ((trace, assessment),) = result.analyses
    verdict, panel = assessment.verdict, panels(trace, assessment, POINTS)[0]
    words = f"{verdict.verdict.value.replace('_', ' ')}, {verdict.shape.value.replace('_', ' ')}"
    return "\n".join(_svg(panel, f"{name}: {words}"))


def _svg(panel: Panel, title: str) -> Iterator[str]:
    time = panel.time_seconds - panel.time_seconds[0]
    top = 1.05 * max(float(np.nanmax(line.values)) for line in panel.lines)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif" '
        f'font-size="11"><title>{escape(title)}</title><rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>'
    )
    yield f'<text x="{LEFT}" y="14" font-size="13" fill="#111827">{escape(title)}</text>'
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = _y(share * top, top)
        yield f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#e5e7eb"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" fill="#5a606c">{share * top:.3g}</text>'
    yield f'<text x="{LEFT}" y="{HEIGHT - 8}" fill="#5a606c">0 s</text>'
    end = f"{time[-1]:.0f} s; {panel.unit}"
    yield f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 8}" text-anchor="end" fill="#5a606c">{escape(end)}</text>'
    for mark in panel.marks:
        x = _x(np.array([mark.at - panel.time_seconds[0]]), float(time[-1]))[0]
        yield f'<path d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#9ca3af" stroke-dasharray="3 3"/>'
    if panel.leak_between is not None:
        upper, lower = (panel.lines[number].values for number in panel.leak_between)
        known = np.isfinite(upper) & np.isfinite(lower)
        there, back = _points(time[known], upper[known], time, top), _points(time[known], lower[known], time, top)
        if there:
            yield f'<polygon points="{" ".join([*there, *reversed(back)])}" fill="#ea580c" opacity="0.15"/>'
    for number, line in enumerate(panel.lines):
        known = np.isfinite(line.values)
        points = " ".join(_points(time[known], line.values[known], time, top))
        ink = INKS[line.ink]
        yield f'<polyline points="{points}" fill="none" stroke="{ink}" stroke-width="{1.2 if number else 1}"/>'
        x = LEFT + 150 * number
        yield f'<text x="{x}" y="28" fill="{ink}">{escape(line.label)}</text>'
    yield "</svg>"
    yield ""


def _x(time: FloatArray, end: float) -> FloatArray:
    return LEFT + time / max(end, 1e-9) * (WIDTH - LEFT - RIGHT)


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)


def _points(time: FloatArray, values: FloatArray, whole: FloatArray, top: float) -> list[str]:
    return [f"{x:.1f},{_y(float(v), top):.1f}" for x, v in zip(_x(time, float(whole[-1])), values, strict=True)]


def main() -> int:
    """Write, or compare; exit status 1 where a picture is stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    FOLDER.mkdir(parents=True, exist_ok=True)
    stale = []
    for name in NAMES:
        path, drawn = FOLDER / f"{name}.svg", picture(name)
        if check and (not path.exists() or path.read_text() != drawn):
            stale.append(name)
        elif not check:
            path.write_text(drawn)
    if stale:
        print(f"docs/images/detection: stale: {', '.join(stale)}; run python docs/draw_detection.py", file=sys.stderr)
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main())
