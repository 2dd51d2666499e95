"""Simulated parts of a container, event by event: objects, caches, heaps, workers, models, queues, page cache."""

from collections import OrderedDict

import numpy as np

from benchmarks.second_author.scene import FloatArray, IntArray, Scene, UnfairError, accumulate, events


def live_objects(scene: Scene, mean_life: float, tail: float | None, per_page: int) -> FloatArray:
    """(n,) resident pages of an allocator: size classes, births with the load, lives in steps.

    Lives are exponential, or Pareto with exponent ``tail`` (cut at a fifth of the trace). A page of ``per_page``
    consecutive objects stays resident until its last object dies. The result has mean 1 over the last half.
    """
    rng, n = scene.rng, scene.n
    birth = events(rng, scene.load, 30000)
    birth = birth[: len(birth) // per_page * per_page]
    size = 2.0 ** rng.geometric(0.6, len(birth)).clip(1, 6)
    life = rng.exponential(mean_life, len(birth)) if tail is None else mean_life * rng.pareto(tail, len(birth))
    death = (birth + 1 + np.minimum(life, 0.2 * n)).astype(np.intp)
    if per_page > 1:
        birth, death = birth[::per_page], death.reshape(-1, per_page).max(axis=1)
        size = size.reshape(-1, per_page).mean(axis=1)
    gone = death < n
    live = accumulate(birth, size, n) - accumulate(death[gone], size[gone], n)
    return np.asarray(live / live[n // 2 :].mean())


def first_sightings(scene: Scene, kinds: int, exponent: float, draws: int) -> IntArray:
    """Grid indices at which a key of a Zipf population of ``kinds`` is seen for the first time, rising."""
    rng = scene.rng
    at = events(rng, scene.load, draws)
    cumulative = np.cumsum(np.arange(1, kinds + 1) ** -exponent)
    keys = np.searchsorted(cumulative, rng.random(len(at)) * cumulative[-1])
    return np.sort(at[np.unique(keys, return_index=True)[1]])


def since_last(
    total: FloatArray, period: float, spread: float, rng: np.random.Generator
) -> tuple[FloatArray, IntArray]:
    """(n,) how much of a rising ``total`` came since the last of its resets, and how many resets there were.

    A reset comes each time that ``period`` (times 1 +- ``spread``) more has come.
    """
    count = int(total[-1] / period * 1.5) + 20
    marks = np.concatenate(([0.0], np.cumsum(period * (1 + spread * rng.uniform(-1, 1, count)))))
    index = np.searchsorted(marks, total, side="right") - 1
    return np.asarray(total - marks[index]), index


def generational_heap(scene: Scene) -> FloatArray:
    """(n,) used heap: eden fills and empties, survivors are promoted, a major collection clears the old ones."""
    rng = scene.rng
    done = np.cumsum(scene.requests + 1e-9) / max(scene.requests.sum(), 1)
    minors = scene.n / rng.uniform(0.4, 12)
    eden, index = since_last(done * minors, 1.0, 0.05, rng)
    promoted = np.cumsum(rng.gamma(2.0, 0.5, index[-1] + 1))[index]
    old, major = since_last(promoted, promoted[-1] / rng.uniform(9, 70), 0.1, rng)
    live = 1 + rng.uniform(0.002, 0.01) * rng.normal(size=major[-1] + 1)[major]
    return np.asarray(live + rng.uniform(0.03, 0.2) * eden + rng.uniform(0.1, 0.6) * old / old.max())


def worker_pool(scene: Scene) -> FloatArray:
    """(n,) sum over workers that grow with each request and are recycled after ``max_requests`` (jittered)."""
    rng, workers = scene.rng, int(scene.rng.integers(2, 17))
    lives = rng.uniform(7, 40)
    total = np.zeros(scene.n)
    for _ in range(workers):
        served = np.cumsum(rng.poisson(scene.requests / workers)).astype(float)
        total += since_last(served, max(served[-1] / lives, 1.0), rng.uniform(0.05, 0.3), rng)[0]
    return np.asarray(1 + rng.uniform(0.1, 0.8) * total / total.max())


def models_on_demand(scene: Scene, spread: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(n,) each: memory of the resident models, and loads (on call) and evictions (of the oldest) in each step."""
    rng, kinds = scene.rng, int(scene.rng.integers(10, 50))
    room = max(3, int(kinds * rng.uniform(0.35, 0.7)))
    size = np.exp(spread * rng.normal(size=kinds)) / room
    at = events(rng, scene.load, rng.uniform(300, 1500))
    calls = np.minimum(rng.zipf(1.4, len(at)) - 1, 10**6) % kinds
    resident: OrderedDict[int, None] = OrderedDict()
    change, loads, evictions = np.zeros((3, scene.n))
    for when, model in zip(at.tolist(), calls.tolist(), strict=True):
        if model not in resident:
            loads[when] += 1
            change[when] += size[model]
            if len(resident) == room:
                evictions[when] += 1
                change[when] -= size[resident.popitem(last=False)[0]]
        resident[model] = None
        resident.move_to_end(model)
    if not evictions[: scene.skip + (scene.n - scene.skip) // 2].any():
        raise UnfairError("models are still new")
    return np.asarray(np.cumsum(change)), loads, evictions


def backlog(scene: Scene, outages: int) -> FloatArray:
    """(n,) items waiting (Lindley's recursion) while a dependency is down now and then; at most 1."""
    rng, shown = scene.rng, scene.n - scene.skip
    served = np.full(scene.n, scene.requests[scene.requests > 0].mean() * rng.uniform(1.6, 3.0))
    for _ in range(outages):
        start = scene.skip + int(rng.uniform(0.05, 0.7) * shown)
        served[start : start + max(2, int(rng.uniform(0.01, 0.05) * shown))] = 0
    free = np.cumsum(scene.requests - served)
    waiting = free - np.minimum.accumulate(np.minimum(free, 0))
    if waiting[-1] > 0.05 * waiting.max() or waiting.max() <= 0:
        raise UnfairError("the backlog has not drained")
    return np.asarray(waiting / waiting.max())


def warm_up(age_steps: FloatArray, length_steps: float, share: float) -> FloatArray:
    """(n,) level of a process ``age_steps`` after its start: 1 in the end, ``share`` of it comes late."""
    return np.asarray(1 - share * np.exp(-age_steps / length_steps))


def page_cache(scene: Scene, filled_at: float) -> FloatArray:
    """(n,) 0..1: file pages written in bursts until the room is full at ``filled_at`` of the trace, then reclaimed.

    Reclaim takes a batch each time that the room is full, so the cache stays just under it.
    """
    rng = scene.rng
    at = events(rng, scene.load, 4000)
    written = accumulate(at, rng.gamma(1.0, 1.0, len(at)), scene.n)
    written = written / written[-1] * scene.n / (scene.skip + filled_at * (scene.n - scene.skip))
    batch = rng.uniform(0.002, 0.02)
    return np.asarray(np.where(written > 1, 1 - batch + (written - 1) % batch, written))
