"""Fits the weights by which detectors.ruling turns evidence into a probability: ``python -m benchmarks.calibrate``.

Logistic regression on simulated containers (benchmarks.corpus) and, where ../shared/corpus is present, on production
pods as they are and with leaks added. The second author's containers and the seeds from 1000 on are left alone: they
judge the result.
"""

import argparse
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from rich.console import Console
from scipy.optimize import minimize

from benchmarks.corpus import FAMILIES, Labelled, generate, seed_range
from benchmarks.real_traces import SHARED, leaking, shared
from detectors.contest import contest
from detectors.ruling import features
from detectors.scene import prepare
from detectors.series import choose_metric
from detectors.types import FloatArray

ADDED_SHARES_PER_DAY = (0.05, 0.10, 0.20)
Row = tuple[float, ...]


def evidence(trace: Labelled) -> Row | None:
    """The features of one trace and, last, 1 where it leaks; None where there is nothing to judge."""
    metric = choose_metric(trace.columns)
    if metric is None:
        return None
    scene = prepare(trace.time_seconds, trace.columns[metric], trace.columns, trace.limit_bytes)
    return (*features(*contest(scene)), float(trace.leak))


def simulated(job: tuple[str, int]) -> Row | None:
    """The evidence of one simulated container."""
    return evidence(generate(*job))


def pods() -> Iterator[Labelled]:
    """Production pods as they are, and each with leaks from its first sample on."""
    with tempfile.TemporaryDirectory() as folder:
        for _, trace in shared(Path(folder)):
            yield trace
            if trace.family == "pod":
                yield from (leaking(trace, share, from_start=True) for share in ADDED_SHARES_PER_DAY)


def fit(rows: FloatArray) -> FloatArray:
    """Weights, the constant first, of the logistic regression of the last column on the others."""
    design = np.column_stack([np.ones(len(rows)), rows[:, :-1]])
    sign = 2.0 * rows[:, -1] - 1.0
    return np.asarray(minimize(lambda w: np.logaddexp(0.0, -sign * (design @ w)).mean(), np.zeros(design.shape[1])).x)


def main() -> None:
    """Print the weights and what each threshold on the probability would give on the same traces."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="100:140", type=seed_range)
    parser.add_argument("--jobs", default=2, type=int)
    arguments = parser.parse_args()
    jobs = [(family, seed) for family in FAMILIES for seed in arguments.seeds]
    real = list(pods()) if SHARED.is_dir() else []
    with ProcessPoolExecutor(arguments.jobs) as pool:
        found = [*pool.map(simulated, jobs, chunksize=16), *pool.map(evidence, real, chunksize=4)]
    rows = np.array([row for row in found if row is not None])
    weights = fit(rows)
    probability = 1.0 / (1.0 + np.exp(-(weights[0] + rows[:, :-1] @ weights[1:])))
    leaks = rows[:, -1] > 0.5
    console = Console()
    console.print("WEIGHTS =", tuple(round(float(w), 2) for w in weights))
    for threshold in np.arange(0.35, 0.96, 0.05):
        said = probability > threshold
        precision, recall = leaks[said].mean(), said[leaks].mean()
        console.print(f"above {threshold:.2f}: precision {precision:.3f} recall {recall:.3f} (before objections)")
    for low in np.arange(0.0, 1.0, 0.1):
        there = (probability >= low) & (probability < low + 0.1)
        console.print(f"said {low:.1f} to {low + 0.1:.1f}: leaks are {leaks[there].mean():.2f} of {there.sum()}")


if __name__ == "__main__":
    main()
