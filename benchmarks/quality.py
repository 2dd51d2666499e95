"""How good the verdicts are, beside the peers' rules on the same traces in the same run.

    python -m benchmarks.quality [--seeds A:B] [--tiny] [--jobs 2] [--write] [--mistakes]

Simulated containers by two authors (benchmarks/containers, benchmarks/second_author), the sample traces, and, where
they stand beside the repository, real pods, machines and ageing servers; pods also with leaks added.
"""

import argparse
import importlib
import multiprocessing
import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks import quality_tables as tables
from benchmarks import real_traces
from benchmarks.corpus import Labelled, seed_range
from benchmarks.judged import Judged, judge
from benchmarks.tables import Table, write_section

SIMULATED = {"containers": "benchmarks.corpus", "second author": "benchmarks.second_author"}
PODS = ("pod", "leaking pods")
UNTOUCHED_SEEDS = range(1_000, 1_010)

# Material, name of the answer, and what to judge: a trace, or family and seed to draw one.
Job = tuple[str, str, Labelled | tuple[str, int]]


def _answer(job: Job) -> tuple[str, Judged]:
    material, name, given = job
    if isinstance(given, Labelled):
        return name, judge(material, given)
    return name, judge(material, importlib.import_module(SIMULATED[material]).generate(*given))


def _simulated(seeds: Sequence[int]) -> list[Job]:
    return [
        (material, f"{family} {seed}", (family, seed))
        for material, module in SIMULATED.items()
        for family in importlib.import_module(module).FAMILIES
        for seed in seeds
    ]


def _pod_name(share: float, from_start: bool) -> str:
    return f"{share} {from_start}"


POD_CASES = {_pod_name(0.0, True): (0.0, True)} | {
    _pod_name(share, from_start): (share, from_start)
    for share in real_traces.LEAK_SHARES_PER_DAY
    for from_start in (True, False)
}


def _real(tiny: bool) -> list[Job]:
    jobs: list[Job] = [(material, trace.family, trace) for material, trace in real_traces.samples()]
    with tempfile.TemporaryDirectory() as folder:
        outside = list(real_traces.shared(Path(folder)))
    if tiny:
        outside = outside[::10]
    for family, trace in outside:
        jobs.append((family, _pod_name(0.0, True) if family == "pod" else str(trace.seed), trace))
        if family == "pod":
            cases = [case for case in POD_CASES.items() if case[1][0]]
            jobs += [("leaking pods", name, real_traces.leaking(trace, *case)) for name, case in cases]
    return jobs


def _run(jobs: Sequence[Job], processes: int) -> list[tuple[str, Judged]]:
    from rich.console import Console
    from rich.progress import track

    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # read by the workers when they load numpy
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        answers = pool.imap_unordered(_answer, jobs, chunksize=4)
        return list(track(answers, "judging", len(jobs), console=Console(file=sys.stderr)))


def _by(judged: Iterable[Judged], key: str) -> Mapping[str, list[Judged]]:
    groups: dict[str, list[Judged]] = defaultdict(list)
    for one in judged:
        groups[getattr(one, key)].append(one)
    return groups


def report(answers: Sequence[tuple[str, Judged]]) -> list[Table]:
    """All tables, from (name, verdict) pairs in any order."""
    simulated = [one for _, one in answers if one.material in SIMULATED]
    real = [one for _, one in answers if one.material not in SIMULATED]
    pods = [one for one in real if one.material in PODS]
    by_pod: dict[tuple[float, bool], list[Judged]] = defaultdict(list)
    for name, one in answers:
        if one.material in PODS:
            by_pod[POD_CASES[name]].append(one)
    slices = {
        "simulated, all": simulated,
        **{f"simulated, {author}": of for author, of in _by(simulated, "material").items()},
        "simulated, working set alone": [one for one in simulated if not one.full],
        "simulated, with requests": [one for one in simulated if one.full],
        "simulated, no limit": [one for one in simulated if not one.limited],
        **{f"real, {material}": of for material, of in sorted(_by(real, "material").items())},
    }
    made = [
        tables.aims(simulated, by_pod),
        tables.summary("Leakwatch", slices),
        tables.peers("Leakwatch and its peers on the simulated traces", simulated),
    ]
    if pods:
        made.append(tables.peers("The same on real pods, as they are and with leaks added", pods))
        made.append(tables.pods("Production pods, as they are and with leaks added", by_pod))
    for author, of in _by(simulated, "material").items():
        made += tables.families(author, _by(of, "family"))
    return made


def main() -> None:
    """Judge, print, and write where asked."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seeds", type=seed_range, default=UNTOUCHED_SEEDS, metavar="A:B")
    arguments.add_argument("--tiny", action="store_true", help="one seed, a tenth of the real traces: does it run?")
    arguments.add_argument("--jobs", type=int, default=2)
    arguments.add_argument("--write", action="store_true", help="into benchmarks/RESULTS.md")
    arguments.add_argument("--mistakes", action="store_true", help="name every wrong answer")
    given = arguments.parse_args()
    jobs = _simulated(given.seeds[:1] if given.tiny else given.seeds) + _real(given.tiny)
    answers = _run(jobs, given.jobs)
    made = report(answers)
    for table in made:
        table.show()
    if given.mistakes:
        tables.mistakes(answers).show()
    if given.write:
        seeds = f"{given.seeds.start}:{given.seeds.stop}"
        write_section("quality", f"python -m benchmarks.quality --seeds {seeds} --write", made)


if __name__ == "__main__":
    main()
