"""Gives a play its size and its limit, and samples it as a collector would."""

from dataclasses import replace
from typing import Final

import numpy as np

from benchmarks.corpus import Labelled
from benchmarks.second_author.play import Parts
from benchmarks.second_author.scene import DAY_SECONDS, FloatArray, Scene, UnfairError, wander
from benchmarks.second_author.truth import bytes_per_driver, check_visible, seconds_to_limit

PAGE_BYTES: Final = 4096.0

MIB: Final = 2.0**20


def observe(name: str, seed: int, scene: Scene, parts: Parts) -> Labelled:
    """Gives the parts their size and limit, checks that the label is fair, and samples."""
    rng, skip, step = scene.rng, scene.skip, scene.step_seconds
    base = float(np.exp(rng.uniform(np.log(80 * MIB), np.log(100 * 1024 * MIB)))) / 1.2
    steady = (parts.steady + scene.wobble()) * base
    peak = float(steady[skip:].max())
    bound = parts.reaches_limit or parts.burst is not None or parts.file_share is not None
    limit = peak * float(np.exp(rng.uniform(np.log(1.2), np.log(8))))
    limited = bound or bool(rng.random() > 0.1)
    kernel = np.full(scene.n, base * rng.uniform(0.0005, 0.003))
    headroom = limit - peak - kernel[0]
    level, leak = steady, None
    slope = per_request = onset = to_limit = None
    if parts.leak is not None and parts.driver is not None:
        if parts.reaches_limit:
            level = steady + parts.leak * (limit - steady)
            leak = parts.leak * float(limit - np.median(steady[skip:]))
        else:
            leak = parts.leak * headroom * float(np.exp(rng.uniform(np.log(0.05), np.log(0.7))))
            level = steady + leak
        first = max(parts.onset, skip)
        per_driver = bytes_per_driver(parts, leak, first)
        check_visible(parts, steady, leak, first, scene, headroom)
        onset = float((first - skip) * step)
        if parts.doubling is None:
            slope = per_driver * float(parts.driver[first:].mean()) / step
            if parts.whole_days:
                slope = per_driver / DAY_SECONDS
            if parts.driver is scene.requests:
                per_request = per_driver
        if limited:
            to_limit = seconds_to_limit(parts, scene, level if scene.full else level + kernel, leak, limit, per_driver)
    if parts.burst is not None:
        level = steady + parts.burst * (limit - steady)
    columns = _columns(scene, parts, level, kernel, limit, base)
    seconds = np.arange(scene.n, dtype=np.float64) * step
    stated = limit if limited else None
    unsampled = Labelled(
        name, seed, seconds, columns, stated, leak is not None, slope, onset, to_limit, per_request, scene.full
    )
    return _sample(unsampled, scene)


def _columns(
    scene: Scene, parts: Parts, level: FloatArray, kernel: FloatArray, limit: float, base: float
) -> dict[str, FloatArray]:
    """(n,) each: what the cgroup files and the server's own counters would say."""
    rng, n = scene.rng, scene.n
    room = limit - level - kernel
    if float(room[scene.skip :].min()) < 0 and parts.burst is None and not parts.reaches_limit:
        raise UnfairError("already at the limit")
    room = np.maximum(room, 0.0)
    if parts.file_share is not None:
        file, active = parts.file_share * room, rng.uniform(0.2, 0.7)
    else:
        logs = np.arange(n) / n * rng.choice([0.0, rng.uniform(0.01, 0.2)])
        mapped = 0.01 + 0.01 * np.tanh(wander(rng, n, n * 0.01))
        file, active = np.minimum((mapped + logs) * base * rng.uniform(0.1, 1.0), room), 0.0
    working_set = np.minimum(level + kernel + active * file, limit)
    if not scene.full:
        return {"working_set_bytes": working_set}
    columns = {
        "working_set_bytes": working_set,
        "anon_bytes": np.minimum(level, limit - kernel),
        "file_bytes": file,
        "usage_bytes": np.minimum(level + kernel + file, limit),
    }
    parts_of_load = rng.dirichlet((3.0, 2.0)) if rng.random() < 0.3 else np.ones(1)
    counts = [rng.binomial(scene.requests.astype(np.int64), share) for share in parts_of_load[:-1]]
    counts.append(scene.requests.astype(np.int64) - sum(counts))
    columns["requests_total"] = _counter(scene.requests, parts.restarts)
    if len(counts) > 1:
        for model, count in zip(("ranker", "encoder"), counts, strict=True):
            columns[f"requests_total:{model}"] = _counter(count.astype(float), parts.restarts)
    if parts.loads is not None:
        columns["model_loads_total"] = _counter(parts.loads, parts.restarts)
    return columns


def _counter(counts: FloatArray, restarts: tuple[int, ...]) -> FloatArray:
    """(n,) running total that begins at 0 again with each restart."""
    total = np.cumsum(counts)
    for restart in restarts:
        total[restart:] -= total[restart] - counts[restart]
    return np.asarray(total)


def _sample(truth: Labelled, scene: Scene) -> Labelled:
    """What a collector writes down: from the first sample on, with jitter, missing samples, gaps, whole pages."""
    rng, shown, step = scene.rng, scene.n - scene.skip, scene.step_seconds
    keep = rng.random(shown) >= rng.choice([0.0, 0.003, 0.03])
    for _ in range(rng.choice([0, 1, 2], p=[0.75, 0.17, 0.08])):
        start = int(rng.uniform(0.05, 0.85) * shown)
        keep[start : start + int(rng.uniform(0.005, 0.05) * shown)] = False
    keep[[0, -1]] = True
    begin = float(np.round(1.79e9 + rng.uniform(0, 1e7)))
    jitter = step * rng.choice([0.0, 0.03]) * rng.normal(size=shown).clip(-4, 4)
    jitter[-1] = 0.0
    kept = np.flatnonzero(keep)
    onset, limit = truth.onset_seconds, truth.limit_bytes
    columns = {name: values[scene.skip :][kept] for name, values in truth.columns.items()}
    return replace(
        truth,
        time_seconds=np.round(begin + kept * step + jitter[kept], 3),
        columns={name: _whole_pages(col) if name.endswith("_bytes") else col for name, col in columns.items()},
        limit_bytes=None if limit is None else float(_whole_pages(np.array(limit))),
        onset_seconds=None if onset is None else begin + onset,
    )


def _whole_pages(size_bytes: FloatArray) -> FloatArray:
    return np.asarray(np.floor(size_bytes / PAGE_BYTES) * PAGE_BYTES)
