"""Fleets: what many replicas prove that one cannot, how often that is wrong, and what 100,000 containers cost.

    python -m benchmarks.fleet [--tiny] [--groups 80] [--sizes 1000,10000,100000] [--folder DIR] [--write]

The slope that one container proves is the one at which 90 % of single containers are called leaks, on the same
simulated replicas; a third of it is what their group of 16 has to prove. False discoveries are counted on a fleet of
which half of the groups are healthy. Times and memory are of all processes of the command.
"""

import argparse
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line sets it

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import numpy as np
import psutil

from benchmarks.fleets.data import write
from benchmarks.fleets.replicas import WORLDS, World, replicas
from benchmarks.tables import Table, write_section
from detectors.types import Answer
from leakwatch.fleet.engine import DaskEngine, LocalEngine
from leakwatch.fleet.grouping import claim, group_tasks, judge_group
from leakwatch.members import Judged

SLOPES = np.geomspace(150.0, 12_000.0, 10)
"""Bytes per second, of containers of 2 GB under a limit of 8 GB: 0.2 to 17 % of the headroom a day."""

PICTURE = Path(__file__).parent / "fleet_cost.svg"
COUNT = 16
START_UP = 100
"""Containers that are hardly any work."""
ALONE_SEED, GROUPS_SEED = 910_000, 950_000
"""The first of the seeds of single containers and of groups: nothing was chosen on them."""
FOUND = 0.90
RIGHT = 40
"""Pixels of the picture's margin, for half of the last label."""


def single_recall(world: World, groups: int) -> list[float]:
    """Share of single containers called a leak, at each of `SLOPES`."""
    found = []
    for number, slope in enumerate(SLOPES):
        judged = [
            one
            for seed in range(groups // 4 or 1)
            for one in replicas(world, COUNT, slope, ALONE_SEED + 100 * number + seed)
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
        judged += replicas(world, COUNT, slope if seed % 2 else 0.0, GROUPS_SEED + seed)
    found = claim(
        [group for task in group_tasks(judged, ("workload",), world.grid) for group in judge_group(task)], world.grid
    )
    leaking = {f"ml/serving{GROUPS_SEED + seed}" for seed in range(1, groups, 2)}
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
    """Whole runs of the command over data sets of each size; drawn where there are several."""
    rows, runs = [], []
    for size in sizes:
        data = folder / f"fleet-{size}"
        write(data, size)
        bytes_ = sum(path.stat().st_size for path in data.iterdir())
        run = watched(["fleet", str(data), "-o", "json"])
        runs.append(run)
        rows.append(
            [
                f"{size:,}",
                f"{bytes_ / 1e6:.0f}",
                f"{run.seconds:.1f}",
                f"{size / run.seconds:.0f}",
                f"{1e3 * run.cpu_seconds / size:.1f}",
                f"{run.peak_bytes / 1e6:.0f}",
            ]
        )
    note = "1,440 points each, Parquet, all cores, local engine; CPU and memory of all processes together."
    note += " Asked: 100,000 in 20 minutes, under 1.5 GB."
    if len(sizes) > 1:
        PICTURE.write_text(drawn(sizes, runs))
        note += " Drawn: fleet_cost.svg."
    return Table("A fleet's cost", note, ("containers", "MB on disk", "s", "a second", "CPU ms each", "peak MB"), rows)


def overhead(tasks: int) -> Table:
    """What a task costs that does nothing: the engine's own part of every chunk."""
    rows = []
    for name, engine in (("local, 2 processes", LocalEngine(2)), ("Dask, 2 workers", DaskEngine(None, 2))):
        took = []
        for number in (20, 20, 20 + tasks):
            began = time.perf_counter()
            list(engine.run(str, range(number)))
            took.append(time.perf_counter() - began)
        rows.append([name, f"{1e3 * (took[2] - took[1]) / tasks:.2f}"])
        if isinstance(engine, DaskEngine):
            engine.close()
    return Table(
        "A task's overhead",
        f"{tasks} empty tasks more than 20, so that the start of processes drops out.",
        ("engine", "ms"),
        rows,
    )


def engines(size: int, folder: Path) -> Table:
    """The local engine beside Dask with as many processes, in turn: whole runs, and runs that are hardly more than the
    start of the processes."""
    local, dask = "local, 2 processes", "Dask, 2 workers"
    runs: dict[tuple[str, int], list[Run]] = {(name, n): [] for name in (local, dask) for n in (START_UP, size)}
    for n in (START_UP, size):
        write(folder / f"fleet-{n}", n)
        for _ in range(3):
            for name, how in ((local, "--workers"), (dask, "--dask-local")):
                runs[name, n].append(watched(["fleet", str(folder / f"fleet-{n}"), "-o", "json", how, "2"]))

    def seconds(name: str, n: int) -> float:
        return float(np.median([run.seconds for run in runs[name, n]]))

    def cpu(name: str) -> float:
        return float(np.median([run.cpu_seconds for run in runs[name, size]]))

    rows = []
    for name in (local, dask):
        whole, work = seconds(name, size), seconds(name, size) - seconds(name, START_UP)
        of_local = seconds(local, size), seconds(local, size) - seconds(local, START_UP)
        ratios = f"{whole / of_local[0]:.2f}", f"{work / of_local[1]:.2f}"
        rows.append([name, f"{whole:.1f}", ratios[0], f"{work:.1f}", ratios[1], f"{cpu(name):.0f}"])
    note = f"{size:,} containers, medians of 3 runs in turn; start-up is what {START_UP} of them take."
    note += " Asked: within 15 %."
    head = ("engine", "s", "times local", "s without start-up", "times local without", "CPU s")
    return Table("Engines", note, head, rows)


@dataclass(frozen=True, slots=True)
class Run:
    """A run of the command: wall seconds, CPU seconds and the most resident bytes of all of its processes together.

    Pages that they share are counted for each; what lies between two looks, a quarter of a second apart, is missed.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: float


def watched(arguments: Sequence[str]) -> Run:
    """Run the command and look at its processes meanwhile.

    Raises:
        RuntimeError: it failed.
    """
    began, peak = time.perf_counter(), 0
    spent: dict[int, float] = {}
    with tempfile.TemporaryFile("w+") as errors:
        command = [sys.executable, "-m", "leakwatch", *arguments]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors) as process:
            while process.poll() is None:
                resident = 0
                with contextlib.suppress(psutil.Error):
                    top = psutil.Process(process.pid)
                    for one in (top, *top.children(recursive=True)):
                        with contextlib.suppress(psutil.Error):
                            spent[one.pid] = sum(one.cpu_times()[:2])
                            resident += one.memory_info().rss
                peak = max(peak, resident)
                time.sleep(0.25)
        took = time.perf_counter() - began
        if process.returncode not in (0, 10):
            errors.seek(0)
            raise RuntimeError(errors.read())
    return Run(took, sum(spent.values()), float(peak))


def drawn(sizes: Sequence[int], runs: Sequence[Run]) -> str:
    """CPU seconds by containers as SVG, both axes logarithmic, with the straight line of a linear cost."""
    width, height, left, bottom = 560, 300, 60, 40
    took = [run.cpu_seconds for run in runs]
    low, high = np.log10(min(sizes)), np.log10(max(sizes))
    each = took[-1] / sizes[-1]
    floor, top = np.floor(np.log10(min(*took, each * min(sizes)))), np.ceil(np.log10(max(took)))

    def place(n: float, seconds: float) -> tuple[float, float]:
        x = left + (np.log10(n) - low) / (high - low) * (width - left - RIGHT)
        y = height - bottom - (np.log10(seconds) - floor) / (top - floor) * (height - bottom - 20)
        return round(float(x), 1), round(float(y), 1)

    (x1, y1), (x2, y2) = (place(n, each * n) for n in (min(sizes), max(sizes)))
    marks = [(n, *place(n, seconds)) for n, seconds in zip(sizes, took, strict=True)]
    levels = [(10.0**k, *place(min(sizes), 10.0**k)) for k in range(int(floor), int(top) + 1)]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"',
        ' font-family="sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="{left}" y="14">CPU seconds of a fleet, by containers; the line is {1e3 * each:.1f} ms each</text>',
        *(f'<path d="M{x} {y}H{width - RIGHT}" stroke="#ddd"/>' for _, x, y in levels),
        *(f'<text x="{x - 6}" y="{y + 4}" text-anchor="end">{seconds:g}</text>' for seconds, x, y in levels),
        f'<path d="M{x1} {y1}L{x2} {y2}" stroke="#c60"/>',
        *(f'<circle cx="{x}" cy="{y}" r="3" fill="#036"/>' for _, x, y in marks),
        *(f'<text x="{x}" y="{height - 24}" text-anchor="middle">{n:,}</text>' for n, x, _ in marks),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def main() -> None:
    """Measure and show."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--tiny", action="store_true", help="does it run?")
    arguments.add_argument("--groups", type=int, default=80)
    arguments.add_argument("--sizes", default="1000,10000,100000")
    arguments.add_argument("--engines", type=int, default=10_000, help="containers for the comparison of engines")
    arguments.add_argument("--folder", type=Path, help="where data sets are made and kept")
    arguments.add_argument("--jobs", type=int, default=2)
    arguments.add_argument("--write", action="store_true", help="into benchmarks/RESULTS.md")
    options = arguments.parse_args()
    sizes = [40] if options.tiny else [int(size) for size in options.sizes.split(",")]
    with tempfile.TemporaryDirectory(prefix="fleet-") as made:
        folder = options.folder or Path(made)
        tables = [pooling(4 if options.tiny else options.groups, options.jobs), cost(sizes, folder)]
        if not options.tiny:
            tables += [engines(options.engines, folder), overhead(1000)]
    for table in tables:
        table.show()
    if options.write:
        write_section("fleet", "python -m benchmarks.fleet --write", tables)


if __name__ == "__main__":
    main()
