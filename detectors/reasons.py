"""Why: one sentence per piece of evidence, with its number and unit."""

from detectors.posterior import Posterior
from detectors.ruling import Ruling
from detectors.scene import Scene
from detectors.types import Attribution, Forecast, Trend

MIB = 2.0**20


def reasons(
    scene: Scene,
    metric: str,
    level: Posterior,
    floor: Posterior,
    ruling: Ruling,
    leak: Trend | None,
    ahead: Forecast | None,
    who: Attribution | None,
) -> tuple[str, ...]:
    """Sentences for a person: what was judged, what won, what it rests on."""
    out = [f"{metric} was judged on {scene.samples} samples over {scene.span / 3600:.3g} h"]
    best = level.explanations[0]
    out.append(f"the best explanation is {best.name} ({best.weight:.0%} of the belief)")
    out.append(f"a leak has {level.leak:.0%} of the belief on the level and {floor.leak:.0%} on its floor")
    if leak is not None:
        out.append(
            f"it grows {leak.slope_per_second * 3600 / MIB:.3g} MiB/h "
            f"({leak.low * 3600 / MIB:.3g} to {leak.high * 3600 / MIB:.3g}, 95 %)"
        )
    if ruling.objection:
        out.append(ruling.objection)
    return tuple(out)
