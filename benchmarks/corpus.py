"""Labelled memory traces of simulated containers: physical parts, truth by construction.

    python -m benchmarks.corpus DIR --seeds 0:10 [--families a,b]

writes one native CSV a trace, and truth.jsonl beside them. The parts stand in benchmarks/containers/.
"""

import argparse
import json
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.containers import families_healthy as healthy
from benchmarks.containers import families_leaking as leaking
from benchmarks.containers.container import Container, Physics, settle
from benchmarks.containers.decidable import leak_seen, looks_like_a_leak
from benchmarks.containers.labelled import Labelled, label
from benchmarks.containers.scene import Scene, draw_scene

__all__ = ["FAMILIES", "Family", "Labelled", "generate", "simulate", "write"]

MOST_REDRAWS = 200


@dataclass(frozen=True, slots=True)
class Family:
    """Containers of one kind.

    Attributes:
        name: key in FAMILIES.
        leak: whether they leak.
        generate: draws one from a scene.
        description: one line.
        least_days: the shortest trace that can show what the family is about, in days: with the richer columns, and
            without them, where a cycle must be seen twice to be known for one.
        most_samples: the longest, in samples.
        full: whether the richer columns must (True) or must not (False) be there; None leaves it to chance.
    """

    name: str
    leak: bool
    generate: Callable[[Scene], Container]
    description: str
    least_days: tuple[float, float] = (0.0, 0.0)
    most_samples: int = 50_000
    full: bool | None = None


def _families(leak: bool, kinds: Iterable[Callable[[Scene], Container]], **limits: object) -> list[Family]:
    prefix = "leak" if leak else "healthy"
    return [
        Family(f"{prefix}_{kind.__name__}", leak, kind, (kind.__doc__ or "").strip(), **limits)  # type: ignore[arg-type]
        for kind in kinds
    ]


_ALL = [
    *_families(
        False,
        (
            healthy.flat,
            healthy.warm_up,
            healthy.warm_up_log,
            healthy.bursty_load,
            healthy.load_ramp,
            healthy.traffic_step,
            healthy.high_water,
            healthy.thread_arenas,
            healthy.version_swaps,
            healthy.models_added,
            healthy.sawtooth,
            healthy.sawtooth_irregular,
            healthy.sawtooth_few,
            healthy.generational,
            healthy.deploys,
            healthy.batch_jobs,
            healthy.walking_cache,
            healthy.shape_cache,
            healthy.metric_cells,
            healthy.backlog,
            healthy.flipping_pod,
            healthy.hourly_jobs,
            healthy.packed_machine,
            healthy.mixed,
            healthy.burst_kills,
        ),
    ),
    *_families(False, (healthy.daily_load, healthy.daily_high_water), least_days=(1.0, 2.0)),
    *_families(False, (healthy.weekly_load,), least_days=(7.0, 14.0)),
    *_families(False, (healthy.page_cache,), full=True),
    *_families(False, (healthy.page_cache_filled,), full=False),
    *_families(
        True,
        (
            leaking.by_time,
            leaking.slow,
            leaking.late,
            leaking.accelerating,
            leaking.growing_traffic,
            leaking.by_request,
            leaking.by_request_bursty,
            leaking.by_request_flipping,
            leaking.in_chunks,
            leaking.under_bursts,
            leaking.after_traffic_step,
            leaking.on_warm_up,
            leaking.on_sawtooth,
            leaking.on_generations,
            leaking.on_walking_cache,
            leaking.on_high_water,
            leaking.on_batch_jobs,
            leaking.on_version_swaps,
            leaking.on_shape_cache,
            leaking.on_flipping_pod,
            leaking.on_hourly_jobs,
            leaking.across_deploys,
            leaking.oom_cycles,
            leaking.mixed,
        ),
    ),
    *_families(True, (leaking.by_request_daily, leaking.under_daily_load), least_days=(1.0, 2.0)),
    *_families(True, (leaking.under_weekly_load,), least_days=(7.0, 14.0)),
    *_families(True, (leaking.per_model, leaking.on_page_cache), full=True),
    *_families(True, (leaking.short,), most_samples=600),
]

FAMILIES: Mapping[str, Family] = {family.name: family for family in _ALL}


def simulate(family: str, seed: int) -> Physics:
    """Draw one container, before noise and sampling; the same for the same family and seed.

    Containers that could not be judged even in principle are drawn again (containers/decidable.py).

    Raises:
        KeyError: no such family.
        RuntimeError: the family yields nothing that can be judged, which is a fault of the family.
    """
    kind = FAMILIES[family]
    for attempt in range(MOST_REDRAWS):
        rng = np.random.default_rng([zlib.crc32(family.encode()), seed, attempt])
        scene = draw_scene(rng, kind.least_days, kind.most_samples, kind.full)
        physics = settle(scene, kind.generate(scene))
        if leak_seen(physics) if kind.leak else not looks_like_a_leak(physics):
            return physics
    raise RuntimeError(f"{family}, seed {seed}: nothing decidable in {MOST_REDRAWS} draws")


def generate(family: str, seed: int) -> Labelled:
    """Draw one labelled trace; the same for the same family and seed. Raises as simulate() does."""
    return label(family, seed, simulate(family, seed))


def _truth(trace: Labelled, file: str) -> dict[str, object]:
    """One line of truth.jsonl.

    ``per_request`` is the truth about all requests alike; where one of several models leaks, its own stands under
    ``model_per_request``.
    """
    return {
        "file": file,
        "leak": trace.leak,
        "family": trace.family,
        "full": trace.full,
        "slope": trace.slope_bytes_per_second,
        "eta": trace.seconds_to_limit,
        "onset": trace.onset_seconds,
        "per_request": None if trace.leaking_model else trace.bytes_per_request,
        "leaking_model": trace.leaking_model,
        "model_per_request": trace.bytes_per_request if trace.leaking_model else None,
    }


def write(trace: Labelled, path: Path) -> None:
    """Write one native CSV (contracts.md section 1): whole bytes, empty cells where unknown."""
    import pyarrow as pa
    import pyarrow.csv

    columns = {"timestamp": pa.array(trace.time_seconds)}
    for name, values in trace.columns.items():
        unknown = np.isnan(values)
        columns[name] = pa.array(np.where(unknown, 0, values).astype(np.int64), mask=unknown)
    if trace.limit_bytes is not None:
        columns["limit_bytes"] = pa.array(np.full(len(trace.time_seconds), int(trace.limit_bytes)))
    pyarrow.csv.write_csv(pa.table(columns), path, pyarrow.csv.WriteOptions(quoting_style="none"))


def seed_range(text: str) -> range:
    """``A:B`` is A to B-1, ``N`` is 0 to N-1."""
    first, _, last = text.rpartition(":")
    return range(int(first or 0), int(last))


def main() -> None:
    """Write traces and truth.jsonl."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("dir", type=Path)
    arguments.add_argument("--seeds", type=seed_range, default=range(10), metavar="A:B")
    arguments.add_argument("--families", default=",".join(FAMILIES), metavar="NAME,NAME")
    given = arguments.parse_args()
    given.dir.mkdir(parents=True, exist_ok=True)
    with (given.dir / "truth.jsonl").open("w") as truth:
        for family in given.families.split(","):
            for seed in given.seeds:
                trace = generate(family, seed)
                file = f"{family}_{seed}.csv"
                write(trace, given.dir / file)
                truth.write(json.dumps(_truth(trace, file)) + "\n")


if __name__ == "__main__":
    main()
