"""What an exporter and a scraper make of a container: columns, pages, counters, gaps."""

import numpy as np

from benchmarks.containers.container import Physics
from benchmarks.containers.scene import FloatArray, Scene

PAGE_BYTES = 4_096


def _counter(scene: Scene, counts: FloatArray, restarts: FloatArray, before: float) -> FloatArray:
    """A counter as the process shows it: some count from before the trace, zero after every restart."""
    at = np.searchsorted(scene.time, restarts)
    at = at[(at > 0) & (at < len(counts))]
    segment = np.searchsorted(at, np.arange(len(counts)), side="right")
    offsets = np.concatenate([[-before], counts[at - 1]]) if len(at) else np.array([-before])
    shown: FloatArray = counts - offsets[segment]
    return shown


def observed(physics: Physics) -> dict[str, FloatArray]:
    """The columns as an exporter would write them, every row there."""
    scene, container, noise = physics.scene, physics.container, physics.noise
    n = len(scene.time)
    random = noise.white_bytes * scene.rng.standard_normal(n) + noise.slow_bytes * scene.autocorrelated(
        noise.correlation_seconds
    )
    if scene.chance(0.3):  # short-lived big allocations caught by a sample
        hit = scene.rng.random(n) < scene.spread(0.0005, 0.008)
        random += hit * noise.white_bytes * scene.rng.pareto(2.5, n).clip(0, 40) * 3
    anon = np.clip(physics.held_bytes + physics.leaked_bytes + random, 2**20, physics.limit_bytes)
    working = np.minimum(anon + physics.active_file_bytes, physics.limit_bytes)
    memory = {"working_set_bytes": working}
    if scene.full:
        file = np.maximum(
            physics.file_bytes + 0.3 * noise.slow_bytes * scene.autocorrelated(noise.correlation_seconds), 0.0
        )
        memory["anon_bytes"] = anon
        memory["file_bytes"] = np.minimum(file, np.maximum(physics.limit_bytes - anon, 0.0))
        memory["usage_bytes"] = np.maximum(memory["anon_bytes"] + memory["file_bytes"], working)
    columns = {name: np.floor(values / PAGE_BYTES) * PAGE_BYTES for name, values in memory.items()}
    if not scene.full:
        return columns
    traffic = container.traffic
    fresh = scene.chance(0.4)
    old = {m: 0.0 if fresh else float(np.floor(c[-1] * scene.between(0, 5))) for m, c in traffic.counts.items()}
    shown = {m: _counter(scene, c, container.restarts, old[m]) for m, c in traffic.counts.items()}
    columns["requests_total"] = np.sum(list(shown.values()), axis=0)
    if len(shown) > 1:
        columns |= {f"requests_total:{m}": c for m, c in shown.items()}
    loads = np.searchsorted(container.model_loads, scene.time, side="right").astype(np.float64)
    columns["model_loads_total"] = _counter(scene, loads, container.restarts, 0.0) + float(len(shown))
    return columns


def sampled(scene: Scene, columns: dict[str, FloatArray]) -> tuple[FloatArray, dict[str, FloatArray]]:
    """Lose what scrapers lose: whole stretches, and single cells."""
    n = len(scene.time)
    keep = np.ones(n, bool)
    if scene.chance(0.3):
        for _ in range(scene.rng.integers(1, 4)):
            begin = int(scene.rng.integers(1, n))
            keep[begin : begin + int(n * scene.spread(0.003, 0.04))] = False
        keep[[0, -1]] = True
    if scene.chance(0.2):
        share = scene.spread(0.001, 0.02)
        columns = {name: np.where(scene.rng.random(n) < share, np.nan, values) for name, values in columns.items()}
    return scene.time[keep], {name: values[keep] for name, values in columns.items()}
