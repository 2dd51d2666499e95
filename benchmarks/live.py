"""How the live detector does: false alarms per container-week, delay on the way to the limit, and the incident.

    python -m benchmarks.live [--tiny] [--write] [--seeds A:B] [--only PART,PART]

The mix of benchmarks/live_mix, frozen before the detector was tuned, on seeds that nothing was tuned on (the score was
fitted to some under 10,000 and looked at on 7000 to 7071; earlier rules were judged on those from 10,000 and 20,000
on); the same at other sampling periods, without counters, and milder; real pods and machines where they stand beside
the repository; and the replayed incident.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from benchmarks import live_peers, live_tables, real_traces
from benchmarks.corpus import seed_range
from benchmarks.live_mix import HARD, MILD, Watched, healthy, leaking
from benchmarks.live_mix.incident import Scenario, fast_leak, model_load, slow_leak
from benchmarks.live_runs import Changes, Found, found, memory_alone, watch
from benchmarks.tables import Table, write_section
from detectors.types import Level

UNTOUCHED_SEEDS = range(30_000, 30_110)
LEAKS_PER_CONTAINER = 3
LEVELS = (Level.LEAK, Level.SUSPECTED)
PARTS = ("hard", "mild", "alone", "periods", "real", "incident", "peers")

Runs = tuple[list[Changes], dict[Level, list[Found]]]


def _watched(what: str, items: Iterable[object]) -> Iterable[object]:
    from rich.console import Console
    from rich.progress import track

    return track(list(items), what, console=Console(file=sys.stderr))


def mix_runs(mix: object, healthy_seeds: Sequence[int], leaking_seeds: Sequence[int], *, blind: bool = False) -> Runs:
    """Watch healthy containers for three weeks each, and leaking ones to their limit."""
    seen = memory_alone if blind else (lambda watched: watched)
    well = [watch(seen(healthy(mix, seed))) for seed in _watched(f"{mix.name}, healthy", healthy_seeds)]
    ill: dict[Level, list[Found]] = {level: [] for level in LEVELS}
    for seed in _watched(f"{mix.name}, leaking", leaking_seeds):
        leak = leaking(mix, seed)
        changes = watch(seen(leak.watched))
        for level in LEVELS:
            ill[level].append(found(leak, changes, level))
    return well, ill


def period_runs(seeds: Sequence[int], step_seconds: float, weeks: float) -> Runs:
    """Healthy containers of the hard mix at another sampling period."""
    name = f"every {step_seconds:.0f} s"
    return [watch(healthy(HARD, s, weeks=weeks, step_seconds=step_seconds)) for s in _watched(name, seeds)], {}


def real_runs(tiny: bool) -> list[Changes]:
    """Pods and machines as labelled, where they stand beside the repository."""
    with tempfile.TemporaryDirectory() as folder:
        traces = [t for _, t in real_traces.shared(Path(folder)) if t.family in ("pod", "machine") and not t.leak]
    seen = []
    for trace in _watched("real", traces[::10] if tiny else traces):
        limit = (
            {} if trace.limit_bytes is None else {"limit_bytes": np.full(len(trace.time_seconds), trace.limit_bytes)}
        )
        seen.append(watch(Watched(trace.time_seconds, {**limit, **trace.columns}, ())))
    return seen


def incident_rows(runs: int) -> list[list[str]]:
    """Each scenario over several seeds and lengths of watching before."""
    rows = []
    for play in (fast_leak, model_load, slow_leak):
        scenarios: list[Scenario] = [play(seed) for seed in range(runs)]
        seen = [watch(scenario.watched, acting=True) for scenario in _watched("incident", scenarios)]
        after = {level: _after(scenarios, seen, level) for level in LEVELS}
        ends = [one.limit_at_seconds for one in scenarios]
        ways = ["-"] * 2
        if ends[0] is not None:
            to_limit = ends[0] - scenarios[0].onset_seconds
            acted = [
                None if s.acted_at is None else s.acted_at - one.onset_seconds
                for one, s in zip(scenarios, seen, strict=True)
            ]
            ways = [_told(after[Level.LEAK], to_limit), _told(acted, to_limit)]
        raised = sum(value is not None for value in after[Level.LEAK])
        row = [scenarios[0].name, str(runs), _told(after[Level.SUSPECTED]), _told(after[Level.LEAK])]
        rows.append([*row, *ways, f"{raised} of {runs}"])
    return rows


def _after(scenarios: Sequence[Scenario], seen: Sequence[Changes], level: Level) -> list[float | None]:
    """Seconds from the onset to the first incident of this level; None where none was opened."""
    out = []
    for one, changes in zip(scenarios, seen, strict=True):
        after = [at - one.onset_seconds for at in changes.opened(level) if at > one.onset_seconds]
        out.append(after[0] if after else None)
    return out


def _told(values: Sequence[float | None], whole: float | None = None) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "never"
    median, worst = statistics.median(known), max(known)
    if whole is not None:
        return f"{median / whole:.2f} ({worst / whole:.2f})"
    hours = worst > 3 * 3_600
    return f"{median / 3600:.1f} h ({worst / 3600:.1f} h)" if hours else f"{median:.0f} s ({worst:.0f} s)"


def measure(seeds: range, parts: Sequence[str], *, tiny: bool) -> list[Table]:
    """All tables."""
    leaks = range(seeds.start, seeds.start + LEAKS_PER_CONTAINER * len(seeds))
    part, few = seeds[: max(len(seeds) // 3, 1)], seeds[: max(len(seeds) // 6, 1)]
    part_of_leaks = leaks[: max(len(leaks) // 3, 1)]
    real = real_runs(tiny) if "real" in parts else None
    hard = mix_runs(HARD, seeds, leaks) if "hard" in parts else ([], {level: [] for level in LEVELS})
    rows = {"hard mix": hard} if "hard" in parts else {}
    if "mild" in parts:
        rows["mild mix"] = mix_runs(MILD, part, part_of_leaks)
    if "alone" in parts:
        rows["hard mix, memory alone"] = mix_runs(HARD, part, part_of_leaks, blind=True)
    if "periods" in parts:
        rows["hard mix, every 5 s"] = period_runs(few, 5.0, 0.2 if tiny else 1.0)
        rows["hard mix, every 300 s"] = period_runs(part, 300.0, 3.0)
    if real:
        rows["real pods and machines"] = (real, {})
    made = [live_tables.mixes(rows)] if rows else []
    if "hard" in parts:
        made = [live_tables.aims(*hard, real), *made, live_tables.by_speed(hard[1])]
    if "incident" in parts:
        made.append(live_tables.incidents(incident_rows(2 if tiny else 10)))
    if "peers" in parts:
        made.append(_peers(few, leaks[: 3 * len(few)], tiny))
    if hard[0]:
        made.append(live_tables.cost(hard[0]))
    return made


def _peers(seeds: Sequence[int], leaks: Sequence[int], tiny: bool) -> Table:
    weeks = 0.2 if tiny else 3.0
    well = [live_peers.run(healthy(HARD, seed, weeks=weeks), None) for seed in _watched("peers, healthy", seeds)]
    drawn = [leaking(HARD, seed) for seed in leaks]
    ill = [live_peers.run(leak.watched, leak) for leak in _watched("peers, leaking", drawn)]
    before = sum(leak.onset_seconds - float(leak.watched.time_seconds[0]) for leak in drawn)
    return live_tables.peers(well, ill, weeks * len(seeds) + before / (7 * 86_400.0))


def main() -> None:
    """Watch, print, and write where asked."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seeds", type=seed_range, default=UNTOUCHED_SEEDS, metavar="A:B")
    arguments.add_argument("--tiny", action="store_true", help="one seed of everything: does it run?")
    arguments.add_argument("--only", default=",".join(PARTS), metavar="PART,PART", help=", ".join(PARTS))
    arguments.add_argument("--write", action="store_true", help="into benchmarks/RESULTS.md; without hard: beside it")
    given = arguments.parse_args()
    made = measure(given.seeds[:1] if given.tiny else given.seeds, given.only.split(","), tiny=given.tiny)
    for table in made:
        table.show()
    if given.write:
        seeds, parts = f"{given.seeds.start}:{given.seeds.stop}", given.only
        section = "live" if "hard" in parts else "live_beside"
        write_section(section, f"python -m benchmarks.live --seeds {seeds} --only {parts} --write", made)


if __name__ == "__main__":
    main()
