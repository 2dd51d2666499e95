"""Plays of a service in its surroundings: models, workers, connections, files, nights, releases, kills, outages."""

import numpy as np

from benchmarks.second_author.parts import backlog, models_on_demand, page_cache, since_last, warm_up, worker_pool
from benchmarks.second_author.play import Parts, by_requests, left_behind
from benchmarks.second_author.scene import DAY_SECONDS, FloatArray, IntArray, Scene, UnfairError


def model_server(scene: Scene, leaking: bool) -> Parts:
    """Models loaded on demand and evicted; each eviction leaves a residue, if it leaks."""
    resident, loads, evictions = models_on_demand(scene, 0.12 if leaking else 0.5)
    steady = 0.3 + 0.7 * resident / max(resident.max(), 1e-9)
    if not leaking:
        return Parts(steady, loads=loads)
    left = np.cumsum(evictions * scene.rng.gamma(8.0, 1 / 8, scene.n))
    return Parts(steady, left / left[-1], evictions, onset=int(np.argmax(evictions > 0)), loads=loads)


def workers(scene: Scene, leaking: bool) -> Parts:
    """Workers recycled after max_requests; the master process leaks, if it leaks."""
    return by_requests(scene, worker_pool(scene), leaking)


def connections(scene: Scene, leaking: bool) -> Parts:
    """A pool that keeps its busiest moment for long; connections that are never given back, if it leaks."""
    busy = scene.rng.poisson(scene.load / scene.load.mean() * scene.rng.uniform(30, 300)).astype(float)
    kept = busy.mean() / (scene.n * 10 ** scene.rng.uniform(-2, 0.5)) * np.arange(scene.n)
    pool = np.maximum.accumulate(busy + kept) - kept
    share = scene.rng.uniform(0.05, 0.4)
    return by_requests(scene, 1 - share + share * pool / pool.mean(), leaking, scene.rng.uniform(150, 2000), 0.0)


def written_files(scene: Scene, leaking: bool) -> Parts:
    """Page cache of written files fills the limit and is reclaimed; anonymous memory is level, or leaks beneath."""
    filled_at = scene.rng.uniform(0.1, 1.4) if scene.full else scene.rng.uniform(0.05, 0.4)
    cache = page_cache(scene, filled_at)
    parts = by_requests(scene, scene.follows(scene.rng.uniform(0.02, 0.2)), leaking)
    return Parts(parts.steady, parts.leak, parts.driver, file_share=cache)


def nightly(scene: Scene, leaking: bool) -> Parts:
    """A batch job each night over a daily load; each night leaves a residue, if it leaks."""
    day = DAY_SECONDS / scene.step_seconds
    clock = np.arange(scene.n) / day + scene.rng.random()
    running = (clock % 1) < scene.rng.uniform(0.02, 0.09)
    started = running & ~np.roll(running, 1)
    started[0] = False
    night = np.cumsum(started)
    height = scene.rng.uniform(0.1, 0.8) * scene.rng.normal(1, 0.07, night[-1] + 1)
    steady = scene.follows(scene.rng.uniform(0, 0.15)) + running * height[night]
    if not leaking:
        return Parts(steady)
    left = np.cumsum(started * scene.rng.normal(1, 0.06, scene.n))
    return Parts(steady, left / left[-1], started.astype(float), whole_days=True)


def ages(scene: Scene, restarts: IntArray) -> FloatArray:
    """(n,) steps since the process last started."""
    start = np.zeros(scene.n)
    start[restarts] = restarts
    return np.asarray(np.arange(scene.n) - np.maximum.accumulate(start))


def deploys(scene: Scene, leaking: bool) -> Parts:
    """Releases restart the process, each a little different; each warms up, and leaks, if it leaks."""
    shown = scene.n - scene.skip
    places = np.sort(scene.rng.uniform(0.08, 0.6, scene.rng.integers(1, 5)))
    restarts = (scene.skip + places * shown).astype(np.intp)
    age = ages(scene, restarts)
    version = 1 + scene.rng.uniform(0, 0.06) * scene.rng.normal(size=len(restarts) + 1)
    steady = version[np.searchsorted(restarts, np.arange(scene.n), side="right")]
    steady = steady * warm_up(age, shown * scene.rng.uniform(0.002, 0.015), scene.rng.uniform(0.1, 0.6))
    steady = steady * scene.follows(scene.rng.uniform(0, 0.08))
    if not leaking:
        return Parts(steady, restarts=tuple(restarts.tolist()))
    total = left_behind(scene, np.ones(scene.n), 6000, 0.8)
    start = np.concatenate(([0.0], total[restarts]))[np.searchsorted(restarts, np.arange(scene.n), side="right")]
    left = total - start
    return Parts(steady, left / left.max(), np.ones(scene.n), restarts=tuple(restarts.tolist()))


def killed(scene: Scene, leaking: bool) -> Parts:
    """OOM kills: by a leak that comes back after each, or by single poisonous requests that burst to the limit."""
    shown = scene.n - scene.skip
    if leaking:
        life = shown * scene.rng.uniform(0.12, 0.4)
        done = np.cumsum(scene.requests + 1e-9)
        left, lives = since_last(done, done[-1] / scene.n * life, 0.0, scene.rng)
        restarts = np.flatnonzero(np.diff(lives)) + 1
        left = left / (done[-1] / scene.n * life)
        if not 0.1 < left[-1] < 0.9:
            raise UnfairError("the last life has just begun or is about to end")
        steady = warm_up(ages(scene, restarts), life * scene.rng.uniform(0.005, 0.03), scene.rng.uniform(0.05, 0.4))
        return Parts(steady, left, scene.requests, restarts=tuple(restarts.tolist()), reaches_limit=True)
    deaths = np.sort(scene.skip + scene.rng.uniform(0.05, 0.85, scene.rng.integers(1, 6)) * shown).astype(np.intp)
    burst, length = np.zeros(scene.n), int(scene.rng.integers(2, 9))
    for death in deaths.tolist():
        burst[death - length : death] = np.linspace(0.2, 1, length)
    steady = warm_up(ages(scene, deaths), shown * scene.rng.uniform(0.002, 0.012), scene.rng.uniform(0.05, 0.5))
    steady = steady * scene.follows(scene.rng.uniform(0, 0.1))
    return Parts(steady, restarts=tuple(deaths.tolist()), burst=burst)


def queue(scene: Scene, leaking: bool) -> Parts:
    """Outages downstream pile up a backlog which drains; requests leave something behind all the while, if it leaks."""
    height = scene.rng.uniform(0.1, 1.2)
    waiting = backlog(scene, int(scene.rng.integers(1, 4)))
    return by_requests(scene, scene.follows(scene.rng.uniform(0, 0.2)) + height * waiting, leaking)


def rollout(scene: Scene, leaking: bool) -> Parts:
    """A launch raises the load and the memory with it, for good; or a flag is switched on and a leak begins by time."""
    shown = scene.n - scene.skip
    if leaking:
        onset = scene.skip + int(scene.rng.uniform(0.15, 0.75) * shown)
        left = left_behind(scene, np.ones(scene.n), 3000, 0.8, onset)
        return Parts(scene.follows(scene.rng.uniform(0, 0.3)), left, np.ones(scene.n), onset=onset)
    return Parts(scene.follows(scene.rng.uniform(0.2, 0.8), shown * scene.rng.uniform(0.0005, 0.005)))
