"""Why: three to seven short sentences, each one piece of evidence with its number and unit, the most telling first."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from detectors.forecast import Z95
from detectors.posterior import Posterior
from detectors.reasons_healthy import healthy_reasons
from detectors.reasons_leak import leak_reasons
from detectors.ruling import LEAK_ABOVE, NO_LEAK_BELOW, Ruling
from detectors.scene import Scene
from detectors.types import Answer, Attribution, FloatArray, Shape, Trend
from detectors.waiting import Wait
from detectors.wording import count, duration, odds, rate, rates, share, size

MOST_SENTENCES = 7
NEAR_LIMIT = 0.9

_SUBJECT = {
    "anon_bytes": "anonymous memory",
    "working_set_bytes": "the working set",
    "rss_bytes": "the resident set",
    "usage_bytes": "the whole usage",
}
_JUDGED = {
    "anon_bytes": "judged on anonymous memory, which the kernel cannot take back",
    "working_set_bytes": "only the working set was recorded, which still holds active page cache",
    "rss_bytes": "only the resident set was recorded, which counts file and shared pages too",
    "usage_bytes": "only the whole usage was recorded, page cache included",
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that the sentences draw on.

    Attributes:
        scene, columns: what was seen, and the trace's columns.
        metric, shape: what was judged, and what it does.
        level, floor, ruling: what the competition and the gates say.
        leak, who: slope and attribution, None unless it leaks.
        wait: how much more trace would tell, None unless undecided.
    """

    scene: Scene
    columns: Mapping[str, FloatArray]
    metric: str
    shape: Shape
    level: Posterior
    floor: Posterior
    ruling: Ruling
    leak: Trend | None
    who: Attribution | None
    wait: Wait | None


def reasons(seen: Evidence) -> tuple[str, ...]:
    """Sentences for a person who was woken by this: what carries the verdict, then what it was judged on."""
    scene, answer = seen.scene, seen.ruling.answer
    if answer is Answer.LEAK and seen.leak is not None:
        out = leak_reasons(scene, seen.level, seen.floor, seen.ruling.lead, seen.leak, seen.who)
        out.insert(3, _belief_in_leak(seen.level))
    elif answer is Answer.NO_LEAK:
        out = healthy_reasons(scene, seen.metric, seen.level, seen.shape, seen.columns, seen.ruling.objection)
        out += [_what_won(scene, seen.level), _belief_in_none(seen.level, seen.floor), _threshold(scene)]
    else:
        out = _open_question(seen)
    near = [_near_limit(scene)] if answer is Answer.NO_LEAK else []
    told = [sentence for sentence in (*out, *near) if sentence]
    if told and told[0].startswith("it "):
        told[0] = _SUBJECT[seen.metric] + told[0].removeprefix("it")
    return (*told[: MOST_SENTENCES - 1], _judged_on(scene, seen.metric))


def _judged_on(scene: Scene, metric: str) -> str:
    skipped = f", the first {duration(scene.first)} of start-up left out" if scene.first > 0.005 * scene.span else ""
    return f"{_JUDGED[metric]}: {count(scene.samples, 'sample')} over {duration(scene.span + scene.first)}{skipped}"


def _belief_in_leak(level: Posterior) -> str:
    """The best leak beside the best explanation without one."""
    if level.leak < 0.5:
        return f"the level alone leaves it open ({share(level.leak)} for a leak); its floor tells"
    if all(e.leak for e in level.explanations):
        return f"the best explanation is {level.explanations[0].name}: {odds(np.inf)} any healthy one"
    return _best_of_both(level)


def _belief_in_none(level: Posterior, floor: Posterior) -> str:
    if level.leak > 0.5 and floor.leak > 0.5:
        return f"but for that a leak would hold {share(level.leak)} of the belief, {share(floor.leak)} on its floor"
    if level.leak > 0.5 or floor.leak > 0.5:
        which, other = ("level", "floor") if level.leak > floor.leak else ("floor", "level")
        high, low = max(level.leak, floor.leak), min(level.leak, floor.leak)
        return f"its {which} alone reads as a leak ({share(high)} of the belief), its {other} does not ({share(low)})"
    return (
        f"all leaks together hold {share(level.leak)} of the belief on the level and {share(floor.leak)} on its floor, "
        "the lowest tenth of each stretch"
    )


def _what_won(scene: Scene, level: Posterior) -> str:
    """The explanation that won; where it holds a leak, that this one is too small to matter."""
    if not level.explanations[0].leak:
        return _best_of_both(level)
    grown = float(np.ptp(level.best.leak))
    if not 0.0 < grown < scene.material:
        return ""
    return f"{level.explanations[0].name} explains it best, but adds only {size(grown)}"


def _best_of_both(level: Posterior) -> str:
    """The best explanation beside the best of the other kind."""
    leaks, healthy = ([e for e in level.explanations if e.leak is kind] for kind in (True, False))
    if not leaks or not healthy:
        return ""
    first, second = sorted((leaks[0], healthy[0]), key=lambda e: -e.weight)
    kind = "leak" if second.leak else "healthy explanation"
    return f"{first.name} is {odds(first.weight / max(second.weight, 1e-300))} the best {kind}, {second.name}"


def _threshold(scene: Scene) -> str:
    """What would have counted: below it a container can live for long."""
    hourly = size(scene.material / scene.span * 3600.0)
    return f"growth under {size(scene.material)} over this trace ({hourly}/h) would not be called a leak"


def _near_limit(scene: Scene) -> str:
    peak = float(scene.series.value.max())
    if scene.limit is None or not NEAR_LIMIT * scene.limit <= peak:
        return ""
    return f"its peak of {size(peak)} takes {share(min(peak / scene.limit, 1.0))} of the limit"


def _open_question(seen: Evidence) -> list[str]:
    level, floor, ruling = seen.level, seen.floor, seen.ruling
    belief = f"{share(level.leak)} on the level and {share(floor.leak)} on its floor"
    split = abs(level.leak - floor.leak) > 0.5
    if ruling.objection:
        lead, span = ruling.lead, seen.scene.span
        ends = ((lead.rate + sign * Z95 * lead.rate_deviation) / span for sign in (-1.0, 1.0))
        found = f"growth of {rate(lead.rate / span)} (95 % interval {rates(*ends)}) was found"
        out = [f"{found}, but {ruling.objection}", f"a leak holds {belief}"]
    elif split:
        out = [f"the level and its floor disagree: a leak holds {belief}"]
    else:
        out = [f"too close to call: a leak holds {belief}"]
    if ruling.objection is None:
        out[0] += (
            f"; together {share(ruling.probability)}, where over {share(LEAK_ABOVE)} is a leak"
            f" and under {share(NO_LEAK_BELOW)} none"
        )
    if seen.wait is not None:
        out.insert(1, seen.wait.why)
    out.append(_best_of_both(level))
    values = seen.scene.judged.level
    tenth = max(len(values) // 10, 1)
    grown = float(np.mean(values[-tenth:]) - np.mean(values[:tenth]))
    moved = "above" if grown > 0 else "below"
    out.append(f"the last tenth lies {size(abs(grown))} {moved} the first")
    return out
