"""Plays inside one process: allocator, caches, heap, tables, listeners."""

import numpy as np

from benchmarks.second_author.parts import first_sightings, generational_heap, live_objects, since_last
from benchmarks.second_author.play import Parts, by_requests, left_behind
from benchmarks.second_author.scene import Scene, UnfairError, accumulate, wander


def allocator(scene: Scene, leaking: bool) -> Parts:
    """Short-lived objects; of each bundle a part is never freed."""
    live = live_objects(scene, scene.n * 10 ** scene.rng.uniform(-3, -1.7), None, 1)
    share = scene.rng.uniform(0.03, 0.25)
    return by_requests(scene, 1 - share + share * live, leaking)


def fragmentation(scene: Scene, leaking: bool) -> Parts:
    """Heavy-tailed lives pin whole pages: resident memory climbs to a plateau."""
    life = scene.n * 10 ** scene.rng.uniform(-3.5, -2.5)
    pages = live_objects(scene, life, scene.rng.uniform(1.1, 1.9), int(scene.rng.integers(4, 32)))
    share = scene.rng.uniform(0.1, 0.5)
    return by_requests(scene, 1 - share + share * pages, leaking, 2000)


def lru_cache(scene: Scene, leaking: bool) -> Parts:
    """A cache of Zipf keys: full after a while; or keyed by session, so that it never hits and never ends."""
    share = scene.rng.uniform(0.1, 0.6)
    kinds = int(10 ** scene.rng.uniform(3.5, 5.3))
    sighted = first_sightings(scene, kinds, scene.rng.uniform(0.7, 1.2), 30000)
    full_at = scene.skip + scene.rng.uniform(0.1, 0.55) * (scene.n - scene.skip)
    sighted = sighted[sighted < full_at]
    entries = accumulate(sighted, scene.rng.gamma(2.0, 0.5, len(sighted)), scene.n)
    return by_requests(scene, 1 - share + share * entries / max(entries[-1], 1), leaking, 8000)


def heap(scene: Scene, leaking: bool) -> Parts:
    """Collector sawtooth on two generations; a leak is promoted and stays."""
    return by_requests(scene, generational_heap(scene), leaking)


def retracing(scene: Scene, leaking: bool) -> Parts:
    """A graph is traced for each new input shape: the shapes run dry, or never do."""
    shapes = int(scene.rng.integers(15, 60))
    seen = first_sightings(scene, shapes, scene.rng.uniform(0.2, 0.8), shapes * int(scene.rng.integers(25, 80)))
    if np.mean(seen > scene.skip + 0.5 * (scene.n - scene.skip)) > 0.04:
        raise UnfairError("shapes are still new")
    traced = accumulate(seen, scene.rng.gamma(6.0, 1 / 6, len(seen)), scene.n)
    share = scene.rng.uniform(0.05, 0.5)
    steady = 1 - share + share * traced / traced[-1]
    return by_requests(scene, steady, leaking, scene.rng.uniform(40, 200), 0.3)


def dictionary(scene: Scene, leaking: bool) -> Parts:
    """A dict of label sets: finite ones are immaterial; a leaking one holds every request and doubles its table."""
    seen = first_sightings(scene, 3000, 0.9, 20000)
    cells = accumulate(seen, np.ones(len(seen)), scene.n)
    steady = 0.85 + 0.15 * scene.follows(0.3) + scene.rng.uniform(0.0003, 0.002) * cells / cells[-1]
    if not leaking:
        return Parts(steady)
    left = left_behind(scene, scene.requests, 20000, 0.5)
    table = 2.0 ** np.ceil(np.log2(np.maximum(left, 1e-3) * 1.5)) * scene.rng.uniform(0.005, 0.02)
    return Parts(steady + table * 0.1, left, scene.requests)


def memtable(scene: Scene, leaking: bool) -> Parts:
    """A log-structured store: buffers fill and are flushed; each flushed table keeps an index for ever, if it leaks."""
    done = np.cumsum(scene.requests + 1e-9)
    filled, flushes = since_last(done, done[-1] / scene.rng.uniform(25, 300), scene.rng.uniform(0.02, 0.2), scene.rng)
    steady = 1 - 0.1 + scene.rng.uniform(0.1, 0.9) * filled / filled.max()
    if not leaking:
        return Parts(steady)
    flushed = np.diff(flushes, prepend=0).astype(float)
    left = np.cumsum(flushed * scene.rng.gamma(20.0, 1 / 20, scene.n))
    return Parts(steady, left / left[-1], scene.requests)


def listeners(scene: Scene, leaking: bool) -> Parts:
    """Session tables that wander within bounds; or listeners that each register more: a leak that feeds itself."""
    if not leaking:
        slow = wander(scene.rng, scene.n, scene.n * scene.rng.uniform(0.005, 0.03))
        return Parts(1 + scene.rng.uniform(0.02, 0.15) * np.tanh(slow))
    speed = scene.rng.uniform(1.2, 3.0)
    done = left_behind(scene, np.ones(scene.n), 5000, 0.8)
    left = np.expm1(speed * done) / np.expm1(speed)
    return Parts(scene.follows(scene.rng.uniform(0, 0.1)), left, np.ones(scene.n), doubling=speed)
