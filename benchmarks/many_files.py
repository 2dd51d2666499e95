"""Many files in one call: what worker processes cost to start, and from how many files on they pay.

    python -m benchmarks.many_files            prints the table
    python -m benchmarks.many_files --write    and puts it into benchmarks/RESULTS.md

Only ratios within one run mean anything on a shared machine, and the gain needs cores that are idle.
"""

import argparse
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line sets it

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.tables import Table, write_section
from leakwatch.analyze import WORKERS_START_SECONDS, Reading, analyze_in_parallel, analyze_source

SAMPLES, COUNTS, ROUNDS = 1440, (2, 20, 100, 400), 2


def written(folder: Path, count: int) -> list[str]:
    """A day at 60 s a file, every fifth one leaking."""
    random = np.random.default_rng(11)
    seconds = 1_790_000_000 + 60 * np.arange(SAMPLES)
    sources = []
    for i in range(count):
        level = 1.5e9 + random.normal(0, 5e6, SAMPLES) + (8000 if i % 5 == 0 else 0) * (seconds - seconds[0])
        path = folder / f"pod-{i:03}.csv"
        np.savetxt(path, np.column_stack([seconds, level]), "%.0f", ",", header="timestamp,anon_bytes", comments="")
        sources.append(str(path))
    return sources


def best_seconds(run: Callable[[], object]) -> float:
    """The shortest of `ROUNDS` runs."""
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        run()
        took.append(time.perf_counter() - began)
    return min(took)


def measured() -> Table:
    """One process beside as many as there are cores."""
    cores, reading = len(os.sched_getaffinity(0)), Reading(keep_columns=False)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        sources = written(Path(folder), max(COUNTS))
        analyze_source(sources[0], reading)  # pays for the imports
        for count in COUNTS:
            some = sources[:count]
            alone = best_seconds(lambda some=some: [analyze_source(source, reading) for source in some])
            shared = best_seconds(lambda some=some: list(analyze_in_parallel(some, reading, cores)))
            rows.append(
                (str(count), f"{alone:.2f}", f"{shared:.2f}", f"{alone / shared:.2f}", f"{shared - alone / cores:.2f}")
            )
    note = f"The last column is what starting the workers cost; the program reckons with {WORKERS_START_SECONDS} s."
    heads = ("files", "one process, s", f"{cores} processes, s", "times faster", "start, s")
    return Table(f"Many files of {SAMPLES:,} samples in one call", note, heads, rows)


def main() -> None:
    """Measure, show, and write where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the table into benchmarks/RESULTS.md")
    write = parser.parse_args().write
    table = measured()
    table.show()
    if write:
        write_section("many-files", "python -m benchmarks.many_files --write", [table])


if __name__ == "__main__":
    main()
