"""The word for what the memory does, on traces that do it."""

from collections.abc import Mapping

import numpy as np
import pytest

from detectors.assess import assess
from detectors.types import Answer, Assessment, Shape

MIB = 2.0**20
N = 1500
STEP = 60.0
SHARE = np.linspace(0.0, 1.0, N)
TIME = STEP * np.arange(N)
RATE = 50.0 + 40.0 * np.sin(2 * np.pi * 6.3 * SHARE + 0.4) ** 2


def noise(scale: float, seed: int = 3) -> np.ndarray:
    return scale * MIB * np.random.default_rng(seed).normal(size=N)


def judged(level: np.ndarray, metric: str = "anon_bytes", **columns: np.ndarray) -> Assessment:
    return assess(TIME, {metric: level * 1.0, **columns}, limit_bytes=4096 * MIB)


def teeth(count: int, height: float) -> np.ndarray:
    return height * MIB * (SHARE * count % 1.0)


def bounded_walk() -> np.ndarray:
    level, walk = 0.0, []
    for push in np.random.default_rng(5).normal(size=N):
        level = 0.99 * level + push
        walk.append(level)
    return 20 * MIB * np.array(walk)


HEALTHY: Mapping[str, tuple[np.ndarray, set[Shape]]] = {
    "level": (500 * MIB + noise(1), {Shape.FLAT}),
    "idle": (np.full(N, 500 * MIB), {Shape.FLAT}),
    "warm-up": (500 * MIB + 200 * MIB * (1 - np.exp(-SHARE / 0.1)) + noise(1), {Shape.PLATEAU}),
    "steps": (500 * MIB + 120 * MIB * (SHARE > 0.3) + 90 * MIB * (SHARE > 0.55) + noise(1), {Shape.STEPS}),
    "few teeth": (500 * MIB + teeth(9, 150) + noise(1), {Shape.SAWTOOTH}),
    "many teeth": (500 * MIB + teeth(75, 150) + noise(1), {Shape.SAWTOOTH}),
    "a cycle": (500 * MIB + 60 * MIB * np.sin(2 * np.pi * 6 * SHARE) + noise(1), {Shape.CYCLES}),
    "a walk": (900 * MIB + bounded_walk(), {Shape.IRREGULAR}),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_healthy_memory_gets_its_word(name: str) -> None:
    """What does not leak is described as a person would."""
    level, fitting = HEALTHY[name]
    verdict = judged(level).verdict
    assert (verdict.verdict, verdict.shape in fitting) == (Answer.NO_LEAK, True), verdict


def test_memory_that_goes_with_the_load_follows_it() -> None:
    """With a request count a cycle is the load's."""
    requests = np.cumsum(RATE * STEP)
    verdict = judged(500 * MIB + MIB * RATE + noise(1), requests_total=requests).verdict
    assert (verdict.verdict, verdict.shape) == (Answer.NO_LEAK, Shape.LOAD_FOLLOWING)


def test_growth_of_cached_files_is_page_cache() -> None:
    """Level anonymous memory beside a growing file cache, and a working set that grows by its files, are page cache."""
    file = 800 * MIB * (1 - np.exp(-SHARE / 0.15)) + noise(1)
    beside = judged(300 * MIB + noise(0.3), file_bytes=file).verdict
    assert (beside.verdict, beside.shape) == (Answer.NO_LEAK, Shape.PAGE_CACHE)
    inside = judged(300 * MIB + file, "working_set_bytes", file_bytes=file).verdict
    assert (inside.verdict, inside.shape) == (Answer.NO_LEAK, Shape.PAGE_CACHE)


def test_a_little_page_cache_does_not_hide_a_warm_up() -> None:
    """Only what is mostly files is called files."""
    level = 300 * MIB + 400 * MIB * (1 - np.exp(-SHARE / 0.1)) + noise(1)
    assert judged(level, "working_set_bytes", file_bytes=20 * MIB + 30 * MIB * SHARE).verdict.shape is Shape.PLATEAU


@pytest.mark.parametrize(
    ("level", "shape"),
    [
        (500 * MIB + 200 * MIB * SHARE + noise(1), Shape.LINEAR),
        (500 * MIB + 300 * MIB * SHARE**3 + noise(1), Shape.ACCELERATING),
        (500 * MIB + teeth(9, 100) + 150 * MIB * SHARE + noise(1), Shape.SAWTOOTH),
    ],
)
def test_a_leak_gets_its_word(level: np.ndarray, shape: Shape) -> None:
    """A leak is a line, a curve that gets steeper, or teeth on a floor that rises."""
    verdict = judged(level).verdict
    assert (verdict.verdict, verdict.shape) == (Answer.LEAK, shape)


def test_growth_that_slows_is_no_leak_yet() -> None:
    """A warm-up that is not yet over is not called a leak: it slows down, or has nearly ended."""
    verdict = judged(500 * MIB + 300 * MIB * (1 - np.exp(-SHARE / 0.3)) + noise(1)).verdict
    assert verdict.verdict is not Answer.LEAK
    assert verdict.shape in (Shape.DECELERATING, Shape.PLATEAU)


def test_a_handful_of_samples_is_too_short() -> None:
    """Seven samples have no shape."""
    short = assess(TIME[:7], {"anon_bytes": np.full(7, 5 * MIB)}, limit_bytes=None).verdict
    assert (short.verdict, short.shape) == (Answer.UNDECIDED, Shape.TOO_SHORT)


def test_sudden_rises_and_slow_falls_are_no_teeth() -> None:
    """A collector's teeth climb slowly and fall at once; the same upside down is something else."""
    rng, held, top = np.random.default_rng(1), 0.0, 150.0
    heap = []
    for _ in range(N):
        held += 4.0
        if held >= top:
            held, top = held * rng.uniform(0.3, 0.8), rng.uniform(60, 220)
        heap.append(held)
    level = 500 * MIB + MIB * np.array(heap) + noise(1)
    assert judged(level).verdict.shape is Shape.SAWTOOTH
    assert judged(1400 * MIB - level).verdict.shape is not Shape.SAWTOOTH
