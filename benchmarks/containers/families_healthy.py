"""Containers that do not leak, however much some of them look like it."""

from dataclasses import replace

import numpy as np

from benchmarks.containers import collector, load, restarts
from benchmarks.containers import memory_parts as part
from benchmarks.containers.container import Container, serve
from benchmarks.containers.scene import Scene


def flat(scene: Scene) -> Container:
    """A steady server: constant heap, noise alone."""
    return Container([part.base(scene)], serve(scene, load.any_load(scene)))


def warm_up(scene: Scene) -> Container:
    """Heap and pools warm up exponentially to a plateau."""
    return Container([part.base(scene), part.warm_up(scene, 0.08, 0.8)], serve(scene, load.any_load(scene)))


def warm_up_log(scene: Scene) -> Container:
    """Growth that slows for ever: logarithmic, or a stretched exponential."""
    return Container([part.base(scene), part.warm_up_log(scene, 0.08, 0.5)], serve(scene, load.any_load(scene)))


def daily_load(scene: Scene) -> Container:
    """Memory follows a daily load with a lag."""
    traffic = load.diurnal(scene)
    return Container([part.base(scene), part.follow_load(scene, traffic, 0.1, 0.6)], serve(scene, traffic))


def weekly_load(scene: Scene) -> Container:
    """Memory follows a daily load with quiet week-ends."""
    traffic = load.diurnal(scene, weekly=True)
    return Container([part.base(scene), part.follow_load(scene, traffic, 0.1, 0.6)], serve(scene, traffic))


def bursty_load(scene: Scene) -> Container:
    """Memory follows irregular traffic with bursts."""
    traffic = load.bursty(scene)
    return Container([part.base(scene), part.follow_load(scene, traffic, 0.1, 0.5)], serve(scene, traffic))


def load_ramp(scene: Scene) -> Container:
    """Traffic rises and then holds; only a trace with a request column may end on the rise."""
    begin = scene.between(0.0, 0.35)
    end = scene.between(0.7, 1.1) if scene.full and scene.chance(0.5) else begin + scene.between(0.1, 0.3)
    traffic = load.ramp(scene, begin, end)
    return Container([part.base(scene), part.follow_load(scene, traffic, 0.15, 0.6)], serve(scene, traffic))


def traffic_step(scene: Scene) -> Container:
    """Traffic changes at a stroke, and memory with it."""
    traffic = load.step(scene)
    return Container([part.base(scene), part.follow_load(scene, traffic, 0.15, 0.6)], serve(scene, traffic))


def high_water(scene: Scene) -> Container:
    """An allocator keeps what irregular traffic once needed."""
    traffic = load.bursty(scene)
    return Container([part.base(scene), part.high_water(scene, traffic, 0.1, 0.6)], serve(scene, traffic))


def daily_high_water(scene: Scene) -> Container:
    """An allocator keeps the daily peak's need; each stronger day sets a new record."""
    traffic = load.diurnal(scene)
    return Container([part.base(scene), part.high_water(scene, traffic, 0.1, 0.6)], serve(scene, traffic))


def thread_arenas(scene: Scene) -> Container:
    """One malloc arena after another, up to the most that there can be."""
    return Container([part.base(scene), part.thread_arenas(scene, 0.08, 0.6)], serve(scene, load.any_load(scene)))


def version_swaps(scene: Scene) -> Container:
    """Model versions loaded beside the old ones, which then go."""
    held, loads = part.model_swaps(scene, 0.2, 0.7, int(scene.rng.integers(2, 9)))
    return Container([part.base(scene, 0.2, 0.6), held], serve(scene, load.any_load(scene)), model_loads=loads)


def models_added(scene: Scene) -> Container:
    """Models loaded one after another; to the very end only where a column counts the loads."""
    held, loads = part.models_added(scene, 0.2, 0.9, 0.95 if scene.full and scene.chance(0.5) else 0.55)
    return Container([part.base(scene), held], serve(scene, load.any_load(scene)), model_loads=loads)


def page_cache(scene: Scene) -> Container:
    """Files read fill the page cache up to the limit while anonymous memory stays."""
    fill = scene.between(0.4, 4.0) * scene.time / scene.span_seconds
    parts = [part.base(scene), part.bounded_walk(scene, 0.005, 0.05)]
    return Container(parts, serve(scene, load.any_load(scene)), cache_fill=fill, always_limited=True)


def page_cache_filled(scene: Scene) -> Container:
    """A working set that climbs with the active page cache until all files are read, and then stays."""
    stop = scene.between(0.15, 0.55) * scene.span_seconds
    fill = scene.between(0.15, 0.9) * np.minimum(scene.time / stop, 1.0)
    return Container([part.base(scene)], serve(scene, load.any_load(scene)), cache_fill=fill)


def sawtooth(scene: Scene) -> Container:
    """A collector with regular teeth."""
    teeth = collector.sawtooth(scene, 0.08, 0.6, scene.spread(8, 120), scene.between(0.0, 0.08))
    return Container([part.base(scene), teeth], serve(scene, load.any_load(scene)))


def sawtooth_irregular(scene: Scene) -> Container:
    """A collector whose teeth differ in length and height, driven by chance or by bursty traffic."""
    traffic = load.bursty(scene) if scene.chance(0.5) else load.any_load(scene)
    if scene.chance(0.5):
        teeth = collector.sawtooth(scene, 0.08, 0.5, scene.spread(8, 80), scene.between(0.2, 0.6))
    else:
        teeth = collector.load_driven(scene, traffic, 0.08, 0.5, scene.spread(8, 80))
    return Container([part.base(scene), teeth], serve(scene, traffic))


def sawtooth_few(scene: Scene) -> Container:
    """Three to seven long teeth."""
    teeth = collector.sawtooth(scene, 0.1, 0.6, scene.between(3.2, 7), scene.between(0.0, 0.2))
    return Container([part.base(scene), teeth], serve(scene, load.any_load(scene)))


def generational(scene: Scene) -> Container:
    """Nursery teeth on the slow teeth of the old generation."""
    teeth = collector.generational(scene, 0.1, 0.5, scene.between(3.5, 12))
    return Container([part.base(scene), teeth], serve(scene, load.any_load(scene)))


def deploys(scene: Scene) -> Container:
    """New processes, each starting up in its own way to its own level."""
    cuts = restarts.deploy_times(scene, 1, 6)
    parts = [restarts.processes(scene, cuts, scene.between(0.0, 0.08), scene.span_seconds * scene.rng.choice([0, 1]))]
    return Container(parts, serve(scene, load.constant(scene)), restarts=cuts)


def batch_jobs(scene: Scene) -> Container:
    """Jobs beside the server: extra memory for minutes to hours."""
    parts = [part.base(scene), part.pulses(scene, 0.1, 0.6, scheduled=scene.chance(0.5))]
    return Container(parts, serve(scene, load.any_load(scene)))


def walking_cache(scene: Scene) -> Container:
    """A full cache between admission and eviction."""
    return Container([part.base(scene), part.bounded_walk(scene, 0.05, 0.4)], serve(scene, load.any_load(scene)))


def shape_cache(scene: Scene) -> Container:
    """Compiled graphs of new input shapes, until there are no new ones."""
    return Container([part.base(scene), part.shape_cache(scene, 0.08, 0.6)], serve(scene, load.any_load(scene)))


def metric_cells(scene: Scene) -> Container:
    """Growth so faint that filling the headroom would take hundreds of such traces."""
    # The limit is at least 1.3 times the level, so this is at most 0.4 % of any headroom.
    faint = part.metric_cells(scene, scene.heap(0.0002, 0.0006))
    parts = [part.base(scene, 0.6, 1.0), faint, part.warm_up(scene, 0.02, 0.1, slowest=0.06)]
    return Container(parts, serve(scene, load.any_load(scene)), limit_ratio=(1.4, 6.0))


def backlog(scene: Scene) -> Container:
    """Queues that build up and drain."""
    return Container([part.base(scene), part.backlog(scene, 0.1, 0.8)], serve(scene, load.any_load(scene)))


def flipping_pod(scene: Scene) -> Container:
    """A production pod: idle and active levels, the floor shifting a little, quiet towards the end."""
    traffic = load.switching(scene)
    if scene.chance(0.5):
        traffic = replace(traffic, rate=traffic.rate * (scene.time < scene.between(0.6, 0.9) * scene.span_seconds))
    parts = [part.base(scene), part.states(scene, traffic, 0.03, 0.3), part.level_shifts(scene, 0.003, 0.03, 3)]
    if scene.chance(0.3):
        parts.append(part.warm_up(scene, 0.1, 0.6, slowest=0.06))
    return Container(parts, serve(scene, traffic))


def hourly_jobs(scene: Scene) -> Container:
    """A square wave as regular as a clock, with small shifts of the floor."""
    parts = [part.base(scene), part.square_wave(scene, 0.005, 0.3), part.level_shifts(scene, 0.001, 0.02, 2)]
    return Container(parts, serve(scene, load.any_load(scene)))


def packed_machine(scene: Scene) -> Container:
    """Memory near its ceiling, with dips where jobs end."""
    parts = [part.base(scene, 0.9, 1.0), part.dips(scene, 0.04, 0.2)]
    return Container(parts, serve(scene, load.any_load(scene)), limit_ratio=(1.3, 2.5))


def mixed(scene: Scene) -> Container:
    """Two or three healthy mechanisms at once."""
    traffic = load.any_load(scene)
    parts, loads = [part.base(scene)], np.empty(0)
    for which in scene.rng.choice(8, int(scene.rng.integers(2, 4)), replace=False):
        if which == 0:
            parts.append(part.warm_up(scene, 0.03, 0.3))
        elif which == 1:
            parts.append(part.follow_load(scene, traffic, 0.05, 0.3))
        elif which == 2:
            parts.append(part.high_water(scene, traffic, 0.05, 0.3))
        elif which == 3:
            parts.append(collector.sawtooth(scene, 0.03, 0.3, scene.spread(8, 60), 0.1))
        elif which == 4:
            parts.append(part.bounded_walk(scene, 0.02, 0.2))
        elif which == 5:
            parts.append(part.pulses(scene, 0.05, 0.3, scheduled=False))
        elif which == 6:
            parts.append(part.thread_arenas(scene, 0.03, 0.3))
        else:
            added, loads = part.models_added(scene, 0.1, 0.4, 0.5)
            parts.append(added)
    return Container(parts, serve(scene, traffic), model_loads=loads)


def burst_kills(scene: Scene) -> Container:
    """A request that takes all memory at once, a kill, and a fresh start: an out-of-memory kill without a leak."""
    cuts = restarts.deploy_times(scene, 1, 4)
    held = restarts.processes(scene, cuts, scene.between(0.0, 0.03), scene.span_seconds)
    rise = scene.stretch(0.001, 0.006)
    before = cuts[np.minimum(np.searchsorted(cuts, scene.time, side="right"), len(cuts) - 1)] - scene.time
    burst = np.where(before > 0, np.clip(1 - before / rise, 0, 1), 0.0) * scene.heap(0.3, 1.5)
    parts = [held, part.Part(burst, (burst,))]
    return Container(parts, serve(scene, load.any_load(scene)), restarts=cuts, peaks_at_limit=True)
