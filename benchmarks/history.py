"""What thinning out the past costs: the slope of four weeks, from what the agent keeps and from all samples.

    python -m benchmarks.history            prints the table
    python -m benchmarks.history --write    and puts it into benchmarks/RESULTS.md

Weeks at a sample a minute with a daily load, a sawtooth of garbage collection, autocorrelated noise and spikes, healthy
and leaking 1 % of the level a day. Thinned out by `leakwatch.sample.thinning`, as an agent does it on the way.
"""

import argparse
from collections.abc import Iterator

import numpy as np

from benchmarks.tables import Table, write_section
from leakwatch import detect
from leakwatch.sample.thinning import TIERS, Row, kept
from leakwatch.trace import FloatArray, Target, Trace

DAY_SECONDS = 86_400.0
DAYS = 28
EVERY_SECONDS = 60.0
LEVEL_BYTES = 2.0**30
LEAK_A_DAY = 0.01
SEEDS = 20


def container(seed: int, leak_a_day: float) -> tuple[FloatArray, FloatArray]:
    """Times and levels of four weeks; the seed decides the noise."""
    noise = np.random.default_rng(seed)
    time = np.arange(0.0, DAYS * DAY_SECONDS, EVERY_SECONDS)
    shocks = noise.normal(0.0, 0.003, len(time))
    wander = np.empty(len(time))
    last = 0.0
    for i, shock in enumerate(shocks):
        last = wander[i] = 0.98 * last + shock
    daily = 0.08 * np.sin(2 * np.pi * time / DAY_SECONDS)
    sawtooth = 0.1 * ((time % 2_700.0) / 2_700.0)
    spikes = 0.5 * (noise.random(len(time)) < 0.002)
    return time, LEVEL_BYTES * (1.0 + leak_a_day * time / DAY_SECONDS + daily + sawtooth + wander + spikes)


def thinned(time: FloatArray, level: FloatArray) -> FloatArray:
    """Indices of the samples that are left at the end, by the age that each has then."""
    rows = [Row(i, at, 1, {"anon_bytes": size}) for i, (at, size) in enumerate(zip(time, level, strict=True))]
    end, left = float(time[-1]), []
    for tier in TIERS:
        edge = end - tier.keep_seconds
        left += [row.id for row in rows if row.time_seconds >= edge]
        old = [row for row in rows if row.time_seconds < edge]
        stay = kept(old, tier)
        rows = [row for row in old if row.id in stay]
    return np.array(sorted(left))


def trace(time: FloatArray, level: FloatArray) -> Trace:
    """One container's trace."""
    return Trace(Target("simulated"), time + 1.79e9, {"anon_bytes": level})


def slope(time: FloatArray, level: FloatArray) -> float:
    """Least squares, bytes a day."""
    return float(np.polyfit(time / DAY_SECONDS, level, 1)[0])


def errors(leak_a_day: float, seeds: int) -> Iterator[tuple[float, bool, float]]:
    """For each seed: slope kept less slope of all, in percent of the level a day; same verdict; share kept."""
    for seed in range(seeds):
        time, level = container(seed, leak_a_day)
        left = thinned(time, level)
        difference = slope(time[left], level[left]) - slope(time, level)
        answers = {detect.assess(trace(t, m)).verdict.verdict for t, m in ((time, level), (time[left], level[left]))}
        yield 100 * difference / LEVEL_BYTES, len(answers) == 1, len(left) / len(time)


def report(seeds: int) -> Table:
    """Healthy and leaking."""
    rows = []
    for name, leak in (("healthy", 0.0), (f"leaking {LEAK_A_DAY:.0%} of the level a day", LEAK_A_DAY)):
        found = list(errors(leak, seeds))
        sizes = np.abs([one[0] for one in found])
        same = sum(one[1] for one in found)
        rows.append(
            (
                name,
                f"{np.median(sizes):.4f}",
                f"{sizes.max():.4f}",
                f"{same} of {len(found)}",
                f"{100 * found[0][2]:.0f}",
            )
        )
    heads = ("container", "error, median", "error, largest", "same verdict", "samples kept, %")
    note = f"{DAYS} days at {EVERY_SECONDS:g} s, {seeds} seeds each. Error of the slope in percent of the level a day."
    return Table("The past, thinned out", note, heads, rows)


def main() -> None:
    """Measure, print, and write where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the table into benchmarks/RESULTS.md")
    wanted = parser.parse_args()
    table = report(SEEDS)
    table.show()
    if wanted.write:
        write_section("history", "python -m benchmarks.history --write", [table])


if __name__ == "__main__":
    main()
