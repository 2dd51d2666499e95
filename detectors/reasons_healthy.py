"""The evidence that nothing leaks: which explanation won, and what it means in bytes and minutes."""

from collections.abc import Mapping

import numpy as np

from detectors.cuts import Cut
from detectors.posterior import Best, Posterior
from detectors.scene import Scene
from detectors.series import median, quantile
from detectors.shape import cache_growth, stepped, swing
from detectors.types import FloatArray, Shape
from detectors.wording import count, duration, moment, size, sizes

MOST_STEPS_TOLD = 2
GROWN = 0.95


def healthy_reasons(
    scene: Scene,
    metric: str,
    level: Posterior,
    shape: Shape,
    columns: Mapping[str, FloatArray],
    objection: str | None,
) -> list[str]:
    """Sentences, the most telling first; empty ones have nothing to say."""
    best = level.best
    cached = cache_growth(columns)
    out = [
        _objected(objection),
        _what_it_does(scene, best, shape),
        _lives(scene, best),
    ]
    if cached > scene.material:
        out.insert(0 if shape is Shape.PAGE_CACHE else 2, _page_cache(scene, metric, cached))
    return out


def _objected(objection: str | None) -> str:
    return f"there was growth, but {objection}" if objection else ""


def _what_it_does(scene: Scene, best: Best, shape: Shape) -> str:
    returning = swing(best.periodic)
    if shape is Shape.LOAD_FOLLOWING:
        return f"it follows the request rate: {size(returning)} come and go with it"
    if shape is Shape.CYCLES:
        return f"it goes up and down by {size(returning)}, about every {duration(_period(scene, best))}, and comes back"
    if shape in (Shape.PLATEAU, Shape.DECELERATING) and best.frame == "plain":
        return _risen(scene, best)
    if shape is Shape.STEPS and best.frame == "plain":
        return _steps(scene, best)
    if shape is Shape.SAWTOOTH and best.frame != "restart":
        return _teeth(scene)
    first, last = (median(part) for part in (_part(scene, 0.0, 0.2), _part(scene, 0.8, 1.0)))
    low, high = (quantile(scene.series.value, share) for share in (0.05, 0.95))
    how = _apart(last - first) if abs(last - first) > 0.005 * abs(high) else "level with"
    where = f"at {size(high)}" if size(low) == size(high) else f"within {sizes(low, high)}"
    return f"it stays {where}; the last fifth is {how} the first"


def _risen(scene: Scene, best: Best) -> str:
    """How far it rose, by when, and what it has done since."""
    growth = best.growth - best.growth[0]
    total = float(growth[-1])
    verb = "rose" if total >= 0 else "fell"
    at = float(scene.judged.position[int(np.argmax(np.abs(growth) >= GROWN * abs(total)))])
    if at > 0.75:
        quarter = float(growth[-1] - growth[3 * len(growth) // 4])
        return f"it {verb} by {size(abs(total))}, ever more slowly: {size(abs(quarter))} of it in the last quarter"
    since = scene.judged.level[scene.judged.position >= at]
    half = len(since) // 2
    drift = median(since[half:]) - median(since[:half]) if half else 0.0
    level = (
        f"moved by {size(abs(drift))} since then"
        if abs(drift) > 0.1 * abs(total)
        else f"been level for {duration((1.0 - at) * scene.span)} since"
    )
    return f"it {verb} by {size(abs(total))} in the first {duration(scene.first + at * scene.span)} and has {level}"


def _steps(scene: Scene, best: Best) -> str:
    jumps = np.diff(stepped(best))
    rows = np.flatnonzero(np.abs(jumps) > 0.1 * float(np.abs(jumps).max()))
    largest = sorted(rows[np.argsort(-np.abs(jumps[rows]))][:MOST_STEPS_TOLD])
    told = ", ".join(
        f"{'+' if jumps[row] > 0 else '-'}{size(abs(float(jumps[row])))} at "
        f"{moment(scene.at(float(scene.judged.position[row + 1])), scene.at(0.0), scene.at(1.0))}"
        for row in largest
    )
    rest = f", the largest {told}" if len(rows) > len(largest) else f" ({told})"
    quiet = (1.0 - float(scene.judged.position[rows[-1] + 1])) * scene.span
    loads = " at loads of model versions" if "model loads" in best.names else ""
    moves = f"it moves in {count(len(rows), 'step')}{loads}{rest}"
    return f"{moves}, and rests between them; none in the last {duration(quiet)}"


def _teeth(scene: Scene) -> str:
    """Where the teeth stand in the first and in the second half of the trace."""
    if scene.cuts.kind is Cut.NONE:
        lowest = [_lowest(scene, k / 6.0, (k + 1) / 6.0) for k in range(6)]
        falls = "it climbs in many small rises and comes down in few large falls"
    else:
        edges = [*scene.cut_at.tolist(), 1.0]
        lowest = [_lowest(scene, a, b) for a, b in zip(edges[:-1], edges[1:], strict=True)]
        falls = f"it rises and falls back {len(lowest)} times" if len(lowest) > 1 else "it rises and falls back once"
    if len(lowest) < 2:
        low, high = (quantile(scene.series.value, share) for share in (0.01, 0.99))
        return f"{falls}, within {sizes(low, high)}"
    half = len(lowest) // 2
    first, last = median(np.array(lowest[:half])), median(np.array(lowest[-half:]))
    return f"{falls}; its lowest points lie at {size(first)} in the first half and at {size(last)} in the second"


def _lowest(scene: Scene, begin: float, end: float) -> float:
    return float(_part(scene, begin, end).min())


def _lives(scene: Scene, best: Best) -> str:
    if best.frame != "restart":
        return ""
    ends = scene.judged.piece == scene.judged.piece[-1]
    last = scene.judged.level[ends]
    if len(last) < 3:
        return f"{count(len(scene.cut_at), 'restart')} cut it into lives"
    third = max(len(last) // 3, 1)
    first, middle, end = (median(part) for part in (last[:third], last[third:-third], last[-third:]))
    lives = f"{count(len(scene.cut_at), 'restart')} cut it into lives; in the last its"
    return f"{lives} middle third lies {_apart(middle - first)} the first, its last {_apart(end - middle)} the middle"


def _apart(difference: float) -> str:
    return f"{size(abs(difference))} {'above' if difference >= 0 else 'below'}"


def _page_cache(scene: Scene, metric: str, cached: float) -> str:
    said = f"page cache grew by {size(cached)}, which the kernel takes back when memory is short"
    own = median(_part(scene, 0.9, 1.0)) - median(_part(scene, 0.0, 0.1))
    return f"{said}; anonymous memory did not" if metric == "anon_bytes" and own < scene.material else said


def _part(scene: Scene, begin: float, end: float) -> FloatArray:
    """The series' values between two shares of its duration; all of them where there are none."""
    time, value = scene.series.time, scene.series.value
    rows = (time >= time[0] + begin * scene.span) & (time <= time[0] + end * scene.span)
    return value[rows] if rows.any() else value


def _period(scene: Scene, best: Best) -> float:
    """Seconds of the strongest wave of the periodic part."""
    periods = np.arange(1.0, len(best.periodic) / 4.0, 0.05)
    waves = np.exp(-2j * np.pi * np.outer(periods, scene.judged.position))
    strongest = int(np.argmax(np.abs(waves @ (best.periodic - best.periodic.mean()))))
    return scene.span / float(periods[strongest])
