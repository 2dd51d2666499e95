"""What leakwatch costs: a verdict in memory, the curve over the samples, whole processes, many traces, imports.

    python -m benchmarks.speed            prints the tables
    python -m benchmarks.speed --write    and puts them into benchmarks/RESULTS.md, the curve beside it
    python -m benchmarks.speed --tiny     the same on next to nothing, in a few seconds: does it run?

Ratios within one run come first: on a shared machine only they mean anything. Candidates take turns.
"""

import argparse
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line sets it

import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import corpus, verdict_cost
from benchmarks.tables import Table, write_section

WEEK_FAMILY = "leak_by_request_daily"
UNBUFFERED = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONPROFILEIMPORTTIME")
"""Variables that would make every process slower than a user's."""
HEAVY = ("scipy.stats", "scipy", "pandas", "pyarrow", "rich", "yaml", "numpy.ma", "numpy", "click")


@dataclass(frozen=True, slots=True)
class Effort:
    """How much to measure."""

    families: Sequence[str]
    curve_families: Sequence[str]
    samples: int
    sizes: Sequence[int]
    rank_sizes: Sequence[int]
    rounds: int
    traces: int
    verdicts: int


FULL = Effort(
    verdict_cost.FAMILIES,
    verdict_cost.OF_THE_CURVE,
    verdict_cost.WEEK_SAMPLES,
    verdict_cost.SIZES,
    verdict_cost.RANK_SIZES,
    9,
    1_000,
    verdict_cost.VERDICTS,
)
TINY = Effort(("healthy_flat", "leak_by_time"), ("leak_by_time",), 3_000, (1_000, 3_000, 9_000), (100, 200), 1, 6, 4)


@dataclass(frozen=True, slots=True)
class Run:
    """One process from its start to its end."""

    wall_seconds: float
    cpu_seconds: float


def run(command: Sequence[str], one_core: bool = False) -> Run:
    """Run to the end; any status of a verdict is fine, a failure is not."""
    environment = {name: value for name, value in os.environ.items() if name not in UNBUFFERED}
    pin = partial(os.sched_setaffinity, 0, {max(os.sched_getaffinity(0))}) if one_core else None
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said, env=environment, preexec_fn=pin)
        _, status, usage = os.wait4(child.pid, 0)
        took = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode not in (0, 10, 11):
            said.seek(0)
            raise SystemExit(f"{command} failed: {said.read().decode(errors='replace')[-300:]}")
    return Run(took, usage.ru_utime + usage.ru_stime)


def leakwatch(*arguments: str) -> list[str]:
    """The installed command."""
    return [str(Path(sys.executable).with_name("leakwatch")), *arguments]


def whole_processes(week: Path, rounds: int) -> Table:
    """``leakwatch analyze`` and numpy's own reader of the same file, in turn."""
    reading = f"import numpy; numpy.loadtxt({str(week)!r}, delimiter=',', skiprows=1)"
    commands = {
        "python -c 'import numpy; numpy.loadtxt(...)'": [sys.executable, "-c", reading],
        "leakwatch analyze": leakwatch("analyze", str(week)),
        "leakwatch analyze -o json": leakwatch("analyze", str(week), "-o", "json"),
        "leakwatch --version": leakwatch("--version"),
        "python -c pass": [sys.executable, "-c", "pass"],
    }
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for i in range(rounds + 1):
        for name, command in commands.items():
            one = run(command)
            if i:  # the first round warms the files up
                runs[name].append(one)
    base, rows = next(iter(runs.values())), []
    for name, those in runs.items():
        ratios = [one.wall_seconds / other.wall_seconds for one, other in zip(those, base, strict=True)]
        walls, cpus = [one.wall_seconds for one in those], [one.cpu_seconds for one in those]
        rows.append(
            (
                name,
                f"{min(walls) / min(one.wall_seconds for one in base):.2f}",
                f"{statistics.median(ratios):.2f}",
                *(f"{value * 1e3:.0f}" for value in (min(walls), statistics.median(walls), min(cpus))),
            )
        )
    note = (
        f"From start to end, in turn, {rounds} rounds. Asked for: analyze at most 2.5 times numpy.loadtxt and 600 ms, "
    )
    note += "--version at most 120 ms."
    heads = ("process", "ratio of the best", "median ratio", "best, ms", "median, ms", "best CPU, ms")
    return Table("Whole processes, a leaking week at 15 s", note, heads, rows)


def many_traces(folder: Path, families: Sequence[str], traces: int) -> Table:
    """One call over a folder of days at 60 s, held to one core."""
    distinct = [verdict_cost.stretched(corpus.generate(family, 1), 1_440, 60.0) for family in families]
    for i in range(traces):
        corpus.write(distinct[i % len(distinct)], folder / f"pod-{i:04}.csv")
    one = run(leakwatch("analyze", str(folder), "-o", "json"), one_core=True)
    start = run(leakwatch("analyze", str(folder / "pod-0000.csv"), "-o", "json"), one_core=True)
    note = f"{len(distinct)} different traces, one a family, in {traces:,} files; one core, the start of the process "
    note += "counted in. Asked for: at most 15 ms each."
    cells = [
        f"{value / traces * 1e3:.1f}"
        for value in (one.wall_seconds, one.cpu_seconds, one.wall_seconds - start.wall_seconds)
    ]
    heads = ("traces", "wall, ms each", "CPU, ms each", "wall without the start, ms each")
    return Table(f"{traces:,} traces of 1,440 points in one call", note, heads, [(f"{traces:,}", *cells)])


def imports(week: Path, rounds: int) -> Table:
    """What is imported, and what of it is heavy."""
    rows = []
    for arguments in (("--version",), ("analyze", str(week)), ("analyze", str(week), "-o", "json")):
        command = [sys.executable, "-X", "importtime", "-m", "leakwatch", *arguments]
        environment = {name: value for name, value in os.environ.items() if name not in UNBUFFERED}
        best, modules = float("inf"), set[str]()
        for _ in range(rounds):
            said = subprocess.run(command, capture_output=True, text=True, env=environment, check=False).stderr
            found = re.findall(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)", said)
            best, modules = min(best, sum(int(own) for own, _ in found) / 1e3), {name for _, name in found}
        heavy = ", ".join(name for name in HEAVY if name in modules) or "none"
        name = " ".join("week.csv" if argument == str(week) else argument for argument in arguments)
        rows.append((f"leakwatch {name}", str(len(modules)), f"{best:.0f}", heavy))
    heads = ("command", "modules", "ms of imports", f"of {', '.join(HEAVY)}")
    return Table("Imports", f"Time as -X importtime counts it, which costs some itself; best of {rounds}.", heads, rows)


def report(effort: Effort, picture: Path | None) -> list[Table]:
    """All tables, measured now."""
    many = effort.families if effort is TINY else tuple(corpus.FAMILIES)
    with tempfile.TemporaryDirectory() as folder:
        week, days = Path(folder, "week.csv"), Path(folder, "days")
        days.mkdir()
        corpus.write(verdict_cost.stretched(corpus.generate(WEEK_FAMILY, 0), effort.samples, 15.0), week)
        processes = [
            whole_processes(week, effort.rounds),
            many_traces(days, many, effort.traces),
            imports(week, effort.rounds),
        ]
    return [
        verdict_cost.by_family(effort.families, effort.samples, effort.rounds),
        verdict_cost.beside_peers(effort.families, effort.samples, min(effort.rounds, 3), effort.rank_sizes),
        verdict_cost.by_size(effort.curve_families, effort.sizes, min(effort.rounds, 5), picture),
        verdict_cost.kept_memory(effort.families, effort.samples, effort.verdicts),
        *processes,
    ]


def main() -> None:
    """Measure, print, and write where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the tables into benchmarks/RESULTS.md")
    parser.add_argument("--tiny", action="store_true", help="next to nothing, to see that it runs")
    wanted = parser.parse_args()
    tables = report(TINY if wanted.tiny else FULL, verdict_cost.PICTURE if wanted.write else None)
    for each in tables:
        each.show()
    if wanted.write:
        write_section("speed", "python -m benchmarks.speed --write", tables)


if __name__ == "__main__":
    main()
