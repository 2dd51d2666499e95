"""The evidence that something leaks: how much, in the floor too, with what, again after each restart."""

import numpy as np

from detectors.cuts import Cut
from detectors.posterior import Best, Posterior
from detectors.scene import Scene
from detectors.series import distinct, median
from detectors.shape import stepped, swing
from detectors.types import Attribution, Interval, Trend
from detectors.wording import count, duration, moment, rate, rates, share, size, sizes

LAST_QUARTER = 0.75
FROM_THE_START = 0.02
"""An onset before this share of the trace is its beginning."""
GOES_ON = 0.3
"""Share of the leak's slope from which on the last quarter is said to go on."""


def leak_reasons(
    scene: Scene, level: Posterior, floor: Posterior, lead: Posterior, leak: Trend, who: Attribution | None
) -> list[str]:
    """Sentences, the most telling first; empty ones have nothing to say."""
    best = lead.best_leak
    if best is None:
        return []
    lives = best.frame == "restart"
    return [
        _growth(scene, lead, best, leak),
        _each_life(scene, level) if lives else _rising_floor(scene, floor, lead.onset),
        _requests(scene, lead, who) if who is not None else "",
        "" if lives else _goes_on(scene, lead, best, leak),
        _not_counted(scene, lead, best),
    ]


def _growth(scene: Scene, lead: Posterior, best: Best, leak: Trend) -> str:
    since = f"since {moment(scene.at(lead.onset), scene.at(0.0), scene.at(1.0))}"
    if lead.onset < FROM_THE_START:
        since = f"over all {duration(scene.span)}"
    hourly = f"{rate(leak.slope_per_second)} (95 % interval {rates(leak.low, leak.high)})"
    if best.frame == "restart":
        return f"it grows by {hourly} in each life, {since}"
    said = f"it has grown by {size(lead.rate * (1.0 - lead.onset))} {since}: {hourly}"
    half = len(best.leak) // 2
    early, late = (float(part[-1] - part[0]) for part in (best.leak[:half], best.leak[half:]))
    if best.leak_family == "accelerating" and late > early > 0:
        said += f"; the second half added {late / early:.1f} times what the first did"
    return said


def _each_life(scene: Scene, level: Posterior) -> str:
    """In how many lives it grew, and by how much."""
    judged = level.judged
    grown = []
    for piece in distinct(judged.piece):
        rows = np.flatnonzero(judged.piece == piece)
        tail = max(1, len(rows) // 3)
        grown.append(median(judged.level[rows[-tail:]]) - median(judged.level[rows[:tail]]))
    rose = [g for g in grown if g > 0]
    restarts = count(len(scene.cut_at), "restart")
    if not rose:
        return f"it grows anew after each of {restarts}"
    said = (
        f"it grew in {len(rose)} of {len(grown)} lives around {restarts}, by {size(median(np.array(rose)))} typically"
    )
    if scene.cuts.at_limit > 0:
        said += f"; {share(scene.cuts.at_limit)} of the falls start at the limit, as kills do"
    return said


def _rising_floor(scene: Scene, floor: Posterior, onset: float) -> str:
    x, level = floor.judged.position, floor.judged.level
    early, late = level[(x >= onset) & (x < onset + 0.2 * (1.0 - onset))], level[x > 1.0 - 0.2 * (1.0 - onset)]
    if not len(early) or not len(late):
        return ""
    first, last = median(early), median(late)
    if last <= first:
        return ""
    teeth = scene.cuts.kind in (Cut.TEETH, Cut.MANY_TEETH)
    what = f"the floor under {count(len(scene.cut_at), 'tooth').replace('tooths', 'teeth')}" if teeth else "the floor"
    return f"{what} (the lowest tenth of each stretch) rises too, from {sizes(first, last)}"


def _requests(scene: Scene, lead: Posterior, who: Attribution) -> str:
    each = who.bytes_per_request
    worst = max(who.by_model, key=lambda m: m.share, default=None)
    if who.follows == "time" or each is None:
        return (
            f"it follows the clock, not the requests: {share(1.0 - (lead.by_requests or 0.0))} of the belief in leaks"
        )
    passed = 0.0
    if scene.requests is not None:
        ends = scene.requests.at(scene.first + scene.span * np.array([lead.onset, 1.0]))
        passed = float(ends[1] - ends[0])
    left = f"{size(each.estimate)} ({_range(each)}) for each of {passed:,.0f} requests"
    if who.follows == "unclear":
        return f"requests and clock explain it about equally well; by requests it would be {left}"
    if worst is not None and len(who.by_model) > 1:
        left = f"{size(worst.bytes_per_request.estimate)} each"
        return f"requests to {worst.model} leave {left} behind and make {share(worst.share)} of the growth"
    return f"it follows the requests, not the clock: {left}"


def _range(interval: Interval) -> str:
    return sizes(interval.low, interval.high if interval.high is not None else interval.estimate)


def _goes_on(scene: Scene, lead: Posterior, best: Best, leak: Trend) -> str:
    """That the last quarter, without what is explained otherwise, still rises."""
    x = lead.judged.position
    late = x > LAST_QUARTER
    rest = (lead.judged.level - best.nuisance - best.growth)[late]
    if best.frame != "plain" or len(rest) < 5:
        return ""
    around = x[late] - x[late].mean()
    slope = float(around @ rest / (around @ around)) / scene.span
    return f"it goes on: the last quarter rises by {rate(slope)}" if slope > GOES_ON * leak.slope_per_second else ""


def _not_counted(scene: Scene, lead: Posterior, best: Best) -> str:
    """What moved too and has another explanation."""
    parts = []
    returning = swing(best.periodic)
    if returning > scene.material:
        cause = "with the load" if "load" in best.names or best.healthy_family == "load" else "in a cycle"
        parts.append(f"{size(returning)} that come and go {cause}")
    warm = float(best.growth[-1] - best.growth[0])
    if best.healthy_family != "load" and best.frame == "plain" and warm > scene.material:
        parts.append(f"{size(warm)} of warm-up")
    jumps = np.diff(stepped(best))
    steps = int(np.count_nonzero(np.abs(jumps) > 0.1 * scene.material))
    if best.frame == "plain" and "states" not in best.names and steps:
        parts.append(f"{count(steps, 'step')} of {size(float(np.abs(jumps).max()))} at most")
    return f"not counted as leak: {', '.join(parts)}" if parts else ""
