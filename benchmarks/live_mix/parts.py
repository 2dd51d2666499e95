"""What holds memory in a healthy container: each (n,), in units of its settled heap."""

import numpy as np

from benchmarks.live_mix.stage import DAY_SECONDS, FloatArray, Stage


def heap(stage: Stage) -> FloatArray:
    """The settled heap, read in over a minute or so after each birth, a little different in each life."""
    start = stage.spread(20, 240)
    loaded = np.clip(stage.age / start, 0.1, 1.0)
    return loaded * stage.by_life(stage.between(0.0, 0.05))


def noise(stage: Stage) -> FloatArray:
    """Measurement and small allocations."""
    white = stage.spread(0.0005, 0.006) * stage.rng.standard_normal(len(stage.time))
    return white + stage.spread(0.0005, 0.012) * stage.wander(stage.spread(120, 7_200))


def warm_up(stage: Stage) -> FloatArray:
    """Pools and arenas that grow after each birth, exponentially or as a logarithm, to nearly the same level."""
    amplitude, lag = stage.size(0.05, 0.6), stage.spread(120, 6 * 3_600)
    if stage.chance(0.7):
        grown = 1.0 - np.exp(-stage.age / lag)
    else:
        grown = np.log1p(stage.age / (0.1 * lag)) / np.log1p(DAY_SECONDS / (0.1 * lag))
    return amplitude * grown * stage.by_life(0.08)


def cache_fill(stage: Stage, rate: FloatArray) -> FloatArray:
    """A cache that requests fill up to its bound after each birth: ever more slowly, or straight until it is full."""
    amplitude, fill = stage.size(0.05, 0.5), stage.spread(1_800, 4 * DAY_SECONDS)
    served = np.cumsum(rate) * stage.step_seconds
    first = np.searchsorted(stage.time, np.maximum(stage.births, 0.0))
    before = np.where(stage.births < 0, -stage.births, 0.0)
    since = served - served[np.minimum(first, len(served) - 1)][stage.life] + before[stage.life]
    done = since / (fill * stage.by_life(0.1))
    filled = np.minimum(done, 1.0) if stage.chance(0.4) else 1.0 - np.exp(-2.0 * done)
    return amplitude * filled * (1.0 + 0.01 * stage.wander(3_600))


def sawtooth(stage: Stage, rate: FloatArray) -> FloatArray:
    """A collector: teeth of minutes to two days, by the clock or by the requests, on a level floor."""
    amplitude, period = stage.size(0.05, 0.6), stage.spread(300, 2 * DAY_SECONDS)
    clock = stage.time if stage.chance(0.5) else np.cumsum(rate) * stage.step_seconds
    count = int(clock[-1] / period) + 10
    unlike = stage.between(0.0, 0.35)
    lengths = period * np.exp(unlike * stage.rng.standard_normal(count))
    cuts = np.concatenate([[-stage.rng.random() * lengths[0]], np.cumsum(lengths)])
    cuts = np.unique(np.concatenate([cuts, np.interp(stage.births[1:], stage.time, clock)]))
    tooth = np.searchsorted(cuts, clock, side="right") - 1
    return amplitude * np.minimum((clock - cuts[tooth]) / period, 2.0)


def batch_jobs(stage: Stage) -> FloatArray:
    """Jobs beside the server, on a schedule or by chance: minutes to hours, some of which read their data in slowly."""
    amplitude, length = stage.size(0.05, 0.7), stage.spread(300, 5 * 3_600)
    per_day = min(stage.spread(0.5, 24.0), 0.4 * DAY_SECONDS / length)
    if stage.chance(0.5):
        begins = np.arange(stage.rng.random(), stage.time[-1] / DAY_SECONDS * per_day) * DAY_SECONDS / per_day
    else:
        begins = stage.arrivals(per_day)
    reading = stage.between(0.0, 0.6) if stage.chance(0.5) else 0.02
    held = np.zeros_like(stage.time)
    for begin in begins:
        lasts = length * float(np.exp(0.25 * stage.rng.standard_normal()))
        size = amplitude * float(np.exp(0.15 * stage.rng.standard_normal()))
        first, last = np.searchsorted(stage.time, [begin, begin + lasts])
        held[first:last] += size * np.clip((stage.time[first:last] - begin) / (reading * lasts), 0.0, 1.0)
    return held


def version_swaps(stage: Stage) -> tuple[FloatArray, FloatArray]:
    """Model versions that replace each other: loaded over seconds to minutes beside the old one, which then goes; the
    new one is not always as large. Returns the memory and (n,) how many loads were counted so far, since the birth."""
    size = stage.size(0.1, 0.6)
    load, overlap = stage.spread(10, 600), stage.spread(30, 900)
    counted_at = load if stage.chance(0.7) else 0.0  # TensorFlow Serving counts a load when it has ended
    held, loads = np.zeros_like(stage.time), (stage.age > 30).astype(np.float64)
    swaps = stage.arrivals(stage.spread(0.15, 4.0))
    for birth, end in zip(stage.births, [*stage.births[1:], stage.time[-1] + stage.step_seconds], strict=True):
        level = 0.0
        for at in swaps[(swaps >= birth) & (swaps < end)]:
            rest = (stage.time >= at) & (stage.time < end)
            since = stage.time[rest] - at
            change = size * 0.12 * stage.rng.standard_normal()
            change = float(np.clip(level + change, -0.4 * size, 0.4 * size)) - level
            level += change
            held[rest] += (size + change) * np.clip(since / load, 0.0, 1.0) - size * (since >= load + overlap)
            loads[rest] += since >= counted_at
    return held, loads
