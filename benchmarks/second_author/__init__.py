"""Labelled traces by a second author, who has read neither the first corpus nor the detector.

Each family simulates events (births, evictions, collections, loads, kills) and is then observed as a container is:
sampled with jitter, gaps and page quantisation, with the working set alone or with all columns.
"""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from benchmarks.corpus import Labelled
from benchmarks.second_author import memory_plays, service_plays
from benchmarks.second_author.observe import observe
from benchmarks.second_author.play import Pair
from benchmarks.second_author.scene import UnfairError, draw_scene

__all__ = ["FAMILIES", "Family", "Labelled", "generate"]


PAIRS: Final = (
    Pair("objects_freed", "objects_never_freed", memory_plays.allocator),
    Pair("fragmentation_plateau", "leak_on_fragmentation", memory_plays.fragmentation),
    Pair("cache_fills", "cache_keyed_by_session", memory_plays.lru_cache),
    Pair("generational_heap", "tenured_leak", memory_plays.heap),
    Pair("models_on_demand", "models_leave_residue", service_plays.model_server),
    Pair("workers_recycled", "master_leaks", service_plays.workers),
    Pair("pool_high_water", "connections_lost", service_plays.connections),
    Pair("shapes_run_dry", "shapes_without_end", memory_plays.retracing),
    Pair("metric_cells", "dict_of_requests", memory_plays.dictionary),
    Pair("cache_of_writes", "leak_beneath_page_cache", service_plays.written_files, full_if_leaking=True),
    Pair("nightly_batch", "nightly_residue", service_plays.nightly, (5.0, 12.0)),
    Pair("deploys", "deploys_of_a_leak", service_plays.deploys),
    Pair("poisonous_requests", "killed_and_back", service_plays.killed),
    Pair("memtables", "tables_keep_indexes", memory_plays.memtable),
    Pair("backlog_drains", "leak_with_outages", service_plays.queue),
    Pair("launch", "flag_switched_on", service_plays.rollout, launch=True, full_if_healthy=True),
    Pair("bounded_sessions", "listeners_multiply", memory_plays.listeners, cyclic=False),
)


@dataclass(frozen=True, slots=True)
class Family:
    """A named generator: ``generate(seed)`` gives the same trace each time."""

    name: str
    leak: bool
    generate: Callable[[int], Labelled]
    description: str


def generate(family: str, seed: int) -> Labelled:
    """The trace of a family (a key of FAMILIES) and a seed; raises KeyError for an unknown family."""
    return FAMILIES[family].generate(seed)


def _draw(pair: Pair, leaking: bool, seed: int) -> Labelled:
    name = pair.leaking if leaking else pair.healthy
    rng = np.random.default_rng([zlib.crc32(name.encode()), seed])
    full = bool(rng.random() < 0.5) or (pair.full_if_leaking if leaking else pair.full_if_healthy)
    for _ in range(300):
        try:
            scene = draw_scene(rng, pair.days, pair.cyclic, pair.launch and not leaking, full)
            return observe(name, seed, scene, pair.play(scene, leaking))
        except UnfairError:
            continue
    raise RuntimeError(f"{name}, seed {seed}: no fair trace in 300 draws")


def _families() -> dict[str, Family]:
    families = {}
    for pair in PAIRS:
        for leaking, name in ((False, pair.healthy), (True, pair.leaking)):
            says = (pair.play.__doc__ or "").strip()
            families[name] = Family(name, leaking, partial(_draw, pair, leaking), says)
    return families


FAMILIES: Final[Mapping[str, Family]] = _families()
