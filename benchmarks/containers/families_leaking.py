"""Containers that leak, most of them behind something healthy that hides it."""

from dataclasses import replace

import numpy as np

from benchmarks.containers import collector, leaks, load, restarts
from benchmarks.containers import memory_parts as part
from benchmarks.containers.container import Container, serve
from benchmarks.containers.memory_parts import Part
from benchmarks.containers.scene import DAY_SECONDS, Scene


def _by_time_on(scene: Scene, *parts: Part) -> Container:
    """A leak by the clock on top of these, with whatever traffic."""
    return Container([part.base(scene), *parts], serve(scene, load.any_load(scene)), leaks.by_time(scene))


def _by_request(scene: Scene, traffic: load.Load, *parts: Part) -> Container:
    """A leak by the requests of this traffic on top of these."""
    served = serve(scene, traffic)
    leak = leaks.by_request(scene, traffic, served.counts["model_a"])
    return Container([part.base(scene), *parts], served, leak)


def by_time(scene: Scene) -> Container:
    """A constant rate by the clock."""
    return _by_time_on(scene)


def slow(scene: Scene) -> Container:
    """5 to 10 % of the headroom over the whole trace."""
    return replace(_by_time_on(scene), leak_share=(0.05, 0.1))


def late(scene: Scene) -> Container:
    """Begins at 20 to 70 % of the trace."""
    return replace(by_time(scene), leak=leaks.by_time(scene, scene.between(0.2, 0.7)))


def accelerating(scene: Scene) -> Container:
    """A power of time."""
    return replace(by_time(scene), leak=leaks.accelerating(scene))


def growing_traffic(scene: Scene) -> Container:
    """By requests, whose rate rises to the end: accelerates, and nobody knows how it goes on."""
    traffic = load.ramp(scene, 0.0, 1.0)
    served = serve(scene, traffic)
    leak = leaks.by_request(scene, traffic, served.counts["model_a"])
    return Container([part.base(scene)], served, replace(leak, after=None, rate_per_second=None))


def by_request(scene: Scene) -> Container:
    """By requests that come steadily."""
    return _by_request(scene, load.constant(scene))


def by_request_daily(scene: Scene) -> Container:
    """By requests that follow the day, beside memory that follows them and comes back."""
    traffic = load.diurnal(scene)
    return _by_request(scene, traffic, part.follow_load(scene, traffic, 0.05, 0.4))


def by_request_bursty(scene: Scene) -> Container:
    """By requests that come in bursts, beside memory that follows them and comes back."""
    traffic = load.bursty(scene)
    return _by_request(scene, traffic, part.follow_load(scene, traffic, 0.05, 0.3))


def by_request_flipping(scene: Scene) -> Container:
    """By requests that come in spells, beside memory that is held while they come."""
    traffic = load.switching(scene)
    return _by_request(scene, traffic, part.states(scene, traffic, 0.03, 0.2))


def per_model(scene: Scene) -> Container:
    """One of several models leaks with its requests; the others only hold what they need."""
    kinds = [load.diurnal, load.bursty] if scene.days >= 2 else [load.bursty, load.step]
    traffics = [kinds[int(scene.rng.integers(2))](scene) for _ in range(scene.rng.integers(2, 5))]
    served = serve(scene, *traffics)
    name = str(scene.rng.choice(list(served.loads)))
    leak = leaks.by_request(scene, served.loads[name], served.counts[name], name)
    held = [part.follow_load(scene, traffic, 0.02, 0.15) for traffic in traffics]
    return Container([part.base(scene), *held], served, leak)


def in_chunks(scene: Scene) -> Container:
    """A piece every so often."""
    return replace(by_time(scene), leak=leaks.in_chunks(scene))


def under_daily_load(scene: Scene) -> Container:
    """By the clock, under memory that follows the day."""
    traffic = load.diurnal(scene)
    parts = [part.base(scene), part.follow_load(scene, traffic, 0.1, 0.5)]
    return Container(parts, serve(scene, traffic), leaks.by_time(scene))


def under_weekly_load(scene: Scene) -> Container:
    """By the clock, under memory that follows day and week."""
    traffic = load.diurnal(scene, weekly=True)
    parts = [part.base(scene), part.follow_load(scene, traffic, 0.1, 0.5)]
    return Container(parts, serve(scene, traffic), leaks.by_time(scene), tail_seconds=7 * DAY_SECONDS)


def under_bursts(scene: Scene) -> Container:
    """By the clock, under memory that follows bursty traffic."""
    traffic = load.bursty(scene)
    parts = [part.base(scene), part.follow_load(scene, traffic, 0.1, 0.4)]
    return Container(parts, serve(scene, traffic), leaks.by_time(scene))


def after_traffic_step(scene: Scene) -> Container:
    """By the clock, across a change of traffic."""
    traffic = load.step(scene)
    parts = [part.base(scene), part.follow_load(scene, traffic, 0.1, 0.5)]
    return Container(parts, serve(scene, traffic), leaks.by_time(scene), tail_seconds=0.2 * scene.span_seconds)


def on_warm_up(scene: Scene) -> Container:
    """By the clock, from the start of a process that warms up."""
    slowing = part.warm_up_log(scene, 0.08, 0.4) if scene.chance(0.3) else part.warm_up(scene, 0.08, 0.6)
    return _by_time_on(scene, slowing)


def on_sawtooth(scene: Scene) -> Container:
    """The collector's floor rises."""
    teeth = collector.sawtooth(scene, 0.08, 0.5, scene.spread(6, 100), scene.between(0.0, 0.35))
    return _by_time_on(scene, teeth)


def on_generations(scene: Scene) -> Container:
    """The old generation's floor rises."""
    return _by_time_on(scene, collector.generational(scene, 0.1, 0.4, scene.between(5, 15)))


def on_walking_cache(scene: Scene) -> Container:
    """By the clock, beside a cache that wanders between its bounds."""
    return _by_time_on(scene, part.bounded_walk(scene, 0.03, 0.25))


def on_high_water(scene: Scene) -> Container:
    """By the clock, beside an allocator that keeps what was once needed."""
    traffic = load.diurnal(scene) if scene.days >= 2 else load.bursty(scene)
    parts = [part.base(scene), part.high_water(scene, traffic, 0.1, 0.5)]
    return Container(parts, serve(scene, traffic), leaks.by_time(scene))


def on_page_cache(scene: Scene) -> Container:
    """Anonymous memory leaks while the page cache fills what is free."""
    fill = scene.between(0.4, 4.0) * scene.time / scene.span_seconds
    return replace(by_time(scene), cache_fill=fill, always_limited=True)


def on_batch_jobs(scene: Scene) -> Container:
    """By the clock, beside jobs that come and go."""
    return _by_time_on(scene, part.pulses(scene, 0.1, 0.5, scheduled=scene.chance(0.5)))


def on_version_swaps(scene: Scene) -> Container:
    """By the clock, while model versions are swapped."""
    held, loads = part.model_swaps(scene, 0.2, 0.6, int(scene.rng.integers(1, 6)))
    # Nobody knows whether there will be another swap: the future is the time since the last one was over.
    quiet = scene.time[-1] - loads[-1] - 0.05 * scene.span_seconds
    tail = max(quiet, 0.01 * scene.span_seconds)
    return replace(_by_time_on(scene, held), model_loads=loads, tail_seconds=min(tail, 0.4 * scene.span_seconds))


def on_shape_cache(scene: Scene) -> Container:
    """By requests, after a cache of shapes has filled."""
    return _by_request(scene, load.constant(scene), part.shape_cache(scene, 0.05, 0.4))


def on_flipping_pod(scene: Scene) -> Container:
    """By the clock, in a production pod that flips between idle and active."""
    traffic = load.switching(scene)
    parts = [part.base(scene), part.states(scene, traffic, 0.03, 0.3), part.level_shifts(scene, 0.002, 0.01, 2)]
    return Container(parts, serve(scene, traffic), leaks.by_time(scene))


def on_hourly_jobs(scene: Scene) -> Container:
    """By the clock, under a square wave as regular as a clock."""
    return _by_time_on(scene, part.square_wave(scene, 0.01, 0.3))


def across_deploys(scene: Scene) -> Container:
    """Every new process leaks anew, and is replaced before the limit."""
    cuts = restarts.deploy_times(scene, 1, 5)
    already = scene.span_seconds * scene.rng.choice([0.0, 0.1])
    parts = [restarts.processes(scene, cuts, scene.between(0.0, 0.05), already)]
    since, _ = restarts.since_start(scene, cuts, already)
    served = serve(scene, load.constant(scene))
    leak = leaks.since_restart(scene, since)
    fullest = 0.9 / float(leak.growth.max())  # no process gets as far as the limit
    return Container(parts, served, leak, (0.1 * fullest, fullest), restarts=cuts)


def oom_cycles(scene: Scene) -> Container:
    """Grows to the limit, is killed, begins anew."""
    cycle = scene.span_seconds / scene.between(2.2, 8)
    cuts = np.arange(scene.between(0.3, 1.0), 10) * cycle
    cuts = cuts[cuts < scene.time[-1]]
    parts = [restarts.processes(scene, cuts, 0.002, cycle - cuts[0])]
    since, _ = restarts.since_start(scene, cuts, cycle - cuts[0])
    served = serve(scene, load.constant(scene))
    leak = leaks.since_restart(scene, since)
    # Killed where the limit is: the longest life fills the headroom.
    share = float(1 / leak.growth.max())
    return Container(parts, served, leak, (share, share), (1.5, 4.0), always_limited=True, restarts=cuts)


def short(scene: Scene) -> Container:
    """A few hundred samples of a fresh process."""
    return _by_time_on(scene, part.warm_up(scene, 0.05, 0.3, slowest=0.06))


def mixed(scene: Scene) -> Container:
    """A leak behind two healthy mechanisms at once."""
    traffic = load.any_load(scene)
    makers = (
        lambda: part.warm_up(scene, 0.03, 0.3),
        lambda: part.follow_load(scene, traffic, 0.05, 0.3),
        lambda: collector.sawtooth(scene, 0.03, 0.3, scene.spread(8, 60), 0.1),
        lambda: part.bounded_walk(scene, 0.02, 0.15),
        lambda: part.pulses(scene, 0.05, 0.3, scheduled=False),
        lambda: part.thread_arenas(scene, 0.03, 0.3),
    )
    parts = [makers[int(i)]() for i in scene.rng.choice(len(makers), 2, replace=False)]
    return Container([part.base(scene), *parts], serve(scene, traffic), leaks.by_time(scene))
