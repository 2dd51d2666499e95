"""Fleets: what many replicas prove that one cannot, how often that is wrong, and what 100,000 containers cost.

    python -m benchmarks.fleet [--tiny] [--groups 40] [--sizes 1000,10000,100000] [--folder DIR] [--write]

The slope that one container proves is the one at which 90 % of single containers are called leaks, on the same
simulated replicas; a third of it is what their group of 16 has to prove. False discoveries are counted on a fleet of
which half of the groups are healthy. Times are of whole processes on all cores; memory is the largest resident set of
any process.
"""

import argparse
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line sets it

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path

import numpy as np

from benchmarks.fleets.data import write
from benchmarks.fleets.replicas import WORLDS, World, replicas
from benchmarks.tables import Table, write_section
from detectors.types import Answer
from leakwatch.fleet.grouping import claim, group_tasks, judge_group
from leakwatch.members import Judged

SLOPES = np.geomspace(150.0, 12_000.0, 10)
"""Bytes per second, of containers of 2 GB under a limit of 8 GB: 0.2 to 17 % of the headroom a day."""

COUNT = 16
FOUND = 0.90


def single_recall(world: World, groups: int) -> list[float]:
    """Share of single containers called a leak, at each of `SLOPES`."""
    found = []
    for number, slope in enumerate(SLOPES):
        judged = [
            one
            for seed in range(groups // 4 or 1)
            for one in replicas(world, COUNT, slope, 10_000 + 100 * number + seed)
        ]
        found.append(float(np.mean([one.verdict is Answer.LEAK for one in judged])))
    return found


def provable(recalls: Sequence[float]) -> float | None:
    """The slowest slope from which on 90 % are found, interpolated in its logarithm; None where none of them is."""
    for at in range(1, len(SLOPES)):
        if recalls[at] >= FOUND and all(recall >= FOUND - 0.05 for recall in recalls[at:]):
            share = (FOUND - recalls[at - 1]) / max(recalls[at] - recalls[at - 1], 1e-9)
            low, high = np.log(SLOPES[at - 1]), np.log(SLOPES[at])
            return float(np.exp(low + min(max(share, 0.0), 1.0) * (high - low)))
    return None


def pooled(world: World, slope: float, groups: int) -> tuple[float, float, float, float]:
    """On half healthy and half leaking groups: recall of groups, share of false claims, recall of single containers,
    coverage of the claimed slopes' intervals."""
    judged: list[Judged] = []
    for seed in range(groups):
        judged += replicas(world, COUNT, slope if seed % 2 else 0.0, 50_000 + seed)
    found = claim(
        [group for task in group_tasks(judged, ("workload",), world.grid) for group in judge_group(task)], world.grid
    )
    leaking = {f"ml/serving{50_000 + seed}" for seed in range(1, groups, 2)}
    claimed = [group for group in found if group.claimed]
    right = [group for group in claimed if group.name in leaking]
    false = len(claimed) - len(right)
    alone = [one.verdict is Answer.LEAK for one in judged if f"ml/{one.labels['workload']}" in leaking]
    covered = [group.trend.low <= slope <= group.trend.high for group in right if group.trend is not None]
    return (
        len(right) / len(leaking),
        false / max(len(claimed), 1),
        float(np.mean(alone)),
        float(np.mean(covered or [0])),
    )


def of_world(world: World, groups: int) -> list[str]:
    """A row of the table."""
    slope = provable(single_recall(world, groups))
    if slope is None:
        return [world.name, "none of those tried", "-", "-", "-", "-"]
    recall, false, alone, covered = pooled(world, slope / 3.0, groups)
    return [
        world.name,
        f"{slope * 3600 / 2**20:.2f} MiB/h",
        f"{recall:.2f}",
        f"{alone:.2f}",
        f"{false:.3f}",
        f"{covered:.2f}",
    ]


def pooling(groups: int, jobs: int) -> Table:
    """Groups of 16 beside single containers."""
    with ProcessPoolExecutor(jobs) as pool:
        rows = list(pool.map(of_world, WORLDS, repeat(groups)))
    head = ("replicas are disturbed by", "one proves (90 %)", "16 prove a third of it", "one proves a third of it")
    note = (
        f"{groups} groups of {COUNT}, half of them healthy; asked: at least .90 found, at most .05 of the claims false."
    )
    return Table("What replicas prove together", note, (*head, "false claims", "slope covered"), rows)


def cost(sizes: Sequence[int], folder: Path) -> Table:
    """Whole runs of the command over data sets of each size."""
    rows = []
    for size in sizes:
        data = folder / f"fleet-{size}"
        write(data, size)
        bytes_ = sum(path.stat().st_size for path in data.iterdir())
        took, peak = timed(["fleet", str(data), "-o", "json"])
        rows.append(
            [
                f"{size:,}",
                f"{bytes_ / 1e6:.0f}",
                f"{took:.1f}",
                f"{1e3 * took / size:.2f}",
                f"{size / took:.0f}",
                f"{peak:.0f}",
            ]
        )
    note = "1,440 points each, Parquet, all cores, local engine. Asked: 100,000 in 20 minutes, under 1.5 GB."
    return Table("A fleet's cost", note, ("containers", "MB on disk", "s", "ms each", "a second", "peak MB"), rows)


def engines(size: int, folder: Path) -> Table:
    """The local engine beside Dask with as many processes, in turn."""
    data = folder / f"fleet-{size}"
    write(data, size)
    runs: dict[str, list[float]] = {"local, 2 processes": [], "Dask, 2 workers": []}
    for _ in range(3):
        runs["local, 2 processes"].append(timed(["fleet", str(data), "-o", "json", "--workers", "2"])[0])
        runs["Dask, 2 workers"].append(timed(["fleet", str(data), "-o", "json", "--dask-local", "2"])[0])
    local = np.median(runs["local, 2 processes"])
    rows = [[name, f"{np.median(took):.1f}", f"{np.median(took) / local:.2f}"] for name, took in runs.items()]
    note = f"{size:,} containers, medians of 3 runs in turn, start-up counted in. Asked: within 15 %."
    return Table("Engines", note, ("engine", "s", "times local"), rows)


def timed(arguments: Sequence[str]) -> tuple[float, float]:
    """Seconds of a run of the command, and the largest resident set of a process of it in MB."""
    began = time.perf_counter()
    run = subprocess.run([sys.executable, "-m", "leakwatch", *arguments], capture_output=True, text=True, check=False)
    took = time.perf_counter() - began
    if run.returncode not in (0, 10):
        raise RuntimeError(run.stderr)
    return took, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000.0


def main() -> None:
    """Measure and show."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--tiny", action="store_true", help="does it run?")
    arguments.add_argument("--groups", type=int, default=40)
    arguments.add_argument("--sizes", default="1000,10000,100000")
    arguments.add_argument("--engines", type=int, default=4000, help="containers for the comparison of engines")
    arguments.add_argument("--folder", type=Path, help="where data sets are made and kept")
    arguments.add_argument("--jobs", type=int, default=2)
    arguments.add_argument("--write", action="store_true", help="into benchmarks/RESULTS.md")
    options = arguments.parse_args()
    sizes = [40] if options.tiny else [int(size) for size in options.sizes.split(",")]
    with tempfile.TemporaryDirectory(prefix="fleet-") as made:
        folder = options.folder or Path(made)
        tables = [pooling(4 if options.tiny else options.groups, options.jobs), cost(sizes, folder)]
        if not options.tiny:
            tables.append(engines(options.engines, folder))
    for table in tables:
        table.show()
    if options.write:
        write_section("fleet", "python -m benchmarks.fleet --write", tables)


if __name__ == "__main__":
    main()
