"""What reading a week's trace costs, beside the libraries that could do it, in one run.

    python -m benchmarks.reading            prints the tables
    python -m benchmarks.reading --write    and puts them into benchmarks/RESULTS.md

Only ratios within one run mean anything on a shared machine; the seconds stand beside them for scale. Every figure is
the best of several rounds, and within a round the candidates take turns.
"""

import argparse
import bz2
import gzip
import importlib.util
import lzma
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from benchmarks.tables import Table, write_section
from leakwatch.sample.trace_files import read_traces

WEEK_ROWS = 40_320
HEADER = "timestamp,working_set_bytes,usage_bytes,anon_bytes,file_bytes,limit_bytes,requests_total"


def week(holes: bool, cut: bool = False, stamp: str = "unix") -> str:
    """A week at 15 s as CSV; ``holes``: about 3 % of the rows lack a cell; ``cut``: half of them are cut short."""
    random = np.random.default_rng(7)
    seconds = 1790000000 + 15 * np.arange(WEEK_ROWS)
    memory = (4e9 + random.normal(0, 1e6, (WEEK_ROWS, 4)).cumsum(axis=0)).astype(np.int64)
    requests = random.integers(0, 100, WEEK_ROWS).cumsum()
    stamps = [
        str(each)
        for each in (
            seconds.tolist() if stamp == "unix" else np.datetime_as_string(seconds.astype("M8[s]"), timezone="UTC")
        )
    ]
    lines = [HEADER]
    for i, (when, row, count) in enumerate(zip(stamps, memory.tolist(), requests.tolist(), strict=True)):
        cells = [when, *map(str, row), "8589934592", str(count)]
        if holes and i % 50 == 0:
            cells[3] = ""
        if holes and i % 70 == 0:
            cells[6] = ""
        lines.append(",".join(cells[: 2 if cut and i % 2 else 7]))
    return "\n".join(lines) + "\n"


def best_seconds(candidates: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The shortest run of each; one round that does not count warms them up."""
    best = dict.fromkeys(candidates, float("inf"))
    for i in range(rounds + 1):
        for name, run in candidates.items():
            start = time.perf_counter()
            run()
            best[name] = min(best[name], time.perf_counter() - start) if i else best[name]
    return best


def in_process(holes: Path, others: Mapping[str, Path]) -> dict[str, float]:
    """Seconds to parse the week in a process that has everything loaded."""
    readers: dict[str, Callable[[], object]] = {
        "pyarrow.csv": lambda: arrow_csv.read_csv(holes),
        "leakwatch": lambda: read_traces(str(holes)),
    }
    if importlib.util.find_spec("polars"):
        import polars  # type: ignore[import-not-found, unused-ignore]

        readers["polars"] = lambda: polars.read_csv(holes)
    if importlib.util.find_spec("pandas"):
        import pandas  # type: ignore[import-untyped, unused-ignore]

        readers["pandas"] = lambda: pandas.read_csv(holes)
    clean = others["clean"]
    readers["numpy.loadtxt, clean"] = lambda: np.loadtxt(clean, delimiter=",", skiprows=1)
    for name, path in others.items():
        readers[f"leakwatch, {name}"] = partial(read_traces, str(path))
    return best_seconds(readers, rounds=7)


def whole_process(clean: Path, holes: Path) -> dict[str, float]:
    """Seconds from the start of an interpreter to its end, imports and parse together."""
    to_numpy = "[x.to_numpy() for x in c.read_csv({!r}).columns]"
    reading = "from leakwatch.sample.trace_files import read_traces; read_traces({!r})"
    programs = {
        "numpy.loadtxt": f"import numpy; numpy.loadtxt({str(clean)!r}, delimiter=',', skiprows=1)",
        "import numpy alone": "import numpy",
        "pyarrow.csv to numpy": "import numpy, pyarrow.csv as c; " + to_numpy.format(str(holes)),
        "leakwatch, reading alone": reading.format(str(holes)),
    }
    for module in ("polars", "pandas"):
        if importlib.util.find_spec(module):
            programs[f"{module}.read_csv to numpy"] = f"import {module} as m; m.read_csv({str(holes)!r}).to_numpy()"
    commands = {name: [sys.executable, "-c", program] for name, program in programs.items()}
    if importlib.util.find_spec("leakwatch.cli"):
        commands["leakwatch --version"] = [sys.executable, "-m", "leakwatch", "--version"]
        commands["leakwatch analyze -o json"] = [sys.executable, "-m", "leakwatch", "analyze", str(holes), "-o", "json"]
        commands["leakwatch analyze (screen)"] = [sys.executable, "-m", "leakwatch", "analyze", str(holes)]
    return best_seconds({name: partial(run_quietly, command) for name, command in commands.items()}, rounds=5)


def run_quietly(command: list[str]) -> None:
    """Run to the end; any status of a verdict is fine, a failure is not."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 10, 11):
        raise SystemExit(f"{command} failed: {done.stderr[-300:]}")


def table(title: str, note: str, seconds: Mapping[str, float], base: str) -> Table:
    """Each time beside its ratio to the base."""
    rows = [(name, f"{took * 1000:.1f}", f"{took / seconds[base]:.2f}") for name, took in seconds.items()]
    return Table(title, note, ("reader", "ms", f"times {base}"), rows)


def report() -> tuple[Table, ...]:
    """Both tables, measured now."""
    with tempfile.TemporaryDirectory() as folder:
        holes = Path(folder, "week.csv")
        holes.write_text(week(holes=True))
        packed = holes.read_bytes()
        others = {
            "clean": week(holes=False).encode(),
            "RFC 3339 times": week(holes=True, stamp="rfc3339").encode(),
            "every second row cut short": week(holes=True, cut=True).encode(),
            "gzip": gzip.compress(packed),
            "bzip2": bz2.compress(packed),
            "xz": lzma.compress(packed),
            "zstd": pa.compress(packed, "zstd", asbytes=True),
        }
        paths = {name: Path(folder, f"{i}.csv") for i, name in enumerate(others)}
        for name, data in others.items():
            paths[name].write_bytes(data)
        size = f"{WEEK_ROWS} rows, 7 columns, {len(packed) / 1e6:.1f} MB; unless said otherwise some cells are empty."
        return (
            table(
                "Reading a week at 15 s: parse, everything loaded",
                f"{size} At most 3 times pyarrow.csv is asked for.",
                in_process(holes, paths),
                "pyarrow.csv",
            ),
            table(
                "Reading a week at 15 s: whole process",
                "From an interpreter's start to its end; of analyze 600 ms and 2.5 times numpy.loadtxt are asked.",
                whole_process(paths["clean"], holes),
                "numpy.loadtxt",
            ),
        )


def main() -> None:
    """Measure, print, and write where asked to."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--write", action="store_true", help="put the tables into benchmarks/RESULTS.md")
    wanted = arguments.parse_args()
    tables = report()
    for each in tables:
        each.show()
    if wanted.write:
        write_section("reading", "python -m benchmarks.reading --write", tables)


if __name__ == "__main__":
    main()
