"""Fits the scores and the thresholds of the live detector, and writes them to detectors/live.

    python -m benchmarks.live_sights FOLDER
    python -m benchmarks.calibrate_live FOLDER [--write]

Trees are fitted to all looks that stand in the folder (`benchmarks.live_fit`). The thresholds are chosen on scores
that are each given by trees fitted without that part of the containers: those at which the hard mix, one sample a
minute, raises `BUDGETS` false alarms in 50 weeks of watching.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.live_fit import fit, highest, nodes_of, opened
from benchmarks.live_mix.stage import DAY_SECONDS, WEEK_SECONDS
from benchmarks.live_sights import FACTS
from detectors.live.evidence import NAMES
from detectors.live.incident import HOLD as HOLD_LASTED
from detectors.live.incident import LEAST_HOLD_BLOCKS
from detectors.live.levels import block_seconds
from detectors.live.rules import HOLD, LEAK, SUSPECTED, is_urgent, strangeness
from detectors.live.sight import LEAST_FOUND
from detectors.types import FloatArray, Level

ROOT = Path(__file__).parents[1]
BUDGETS = {Level.SUSPECTED: 3.4, Level.LEAK: 0.9}
"""False alarms in 50 weeks that the thresholds are chosen for, on trees fitted to half of the containers; those fitted
to all of them do no worse on others."""
MATERIALS = ("hard", "fine", "alone", "coarse", "incident")
LEAST_OF_CLIMB = 0.3
"""A look in a leaking container is one at the leak where the leak makes up so much of the climb that it sees."""
STRETCHES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8)
STRETCH_WEIGHTS = {
    Level.SUSPECTED: (1.0, 4.0, 4.0, 2.0, 0.5, 0.2, 0.1),
    Level.LEAK: (0.3, 0.5, 1.0, 1.0, 1.5, 3.0, 3.0),
}
"""A leak's way up to each of these gives examples of its own; what is seen of it later comes too late. To suspect it,
the early ones weigh most; to call it a leak, the late ones: what is told by then is right, what is not is missed."""
OF_A_DAY, OF_A_STRETCH, OTHERS = 4, 3, 20_000
"""How many looks of each healthy day, of each stretch of a leak, and of healthy containers by chance are examples."""
LEAK_SHARE = 0.3
"""What all examples of leaks weigh, over all others."""
FOLDS, ROUNDS = 2, 3
MODULE = '''"""The log-odds from which on growth is suspected, and called a leak: by benchmarks/calibrate_live.py."""

SUSPECTED_AT, LEAK_AT = {suspected:.2f}, {leak:.2f}
'''
FAR_BELOW = -30.0
TIME, ONSET, END, LEVEL, BASE, GROWN, SCALE, SEEN = range(len(FACTS))


@dataclass(frozen=True, slots=True)
class Looks:
    """All that was written down.

    Attributes:
        facts: (n, facts). evidence: (n, evidence). container: (n,) which. weeks, onset, limit_at: of each container;
            ``weeks`` those without a leak. fold: which it is judged with. material: its name.
    """

    facts: FloatArray
    evidence: FloatArray
    container: np.ndarray
    weeks: FloatArray
    onset: FloatArray
    limit_at: FloatArray
    fold: np.ndarray
    material: np.ndarray

    @property
    def leaks(self) -> np.ndarray:
        """(containers,) which of them leak."""
        return np.isfinite(self.onset)

    @property
    def way(self) -> FloatArray:
        """(n,) how far the leak had come; negative before it, NaN where there is none."""
        onset, end = self.onset[self.container], self.limit_at[self.container]
        with np.errstate(invalid="ignore"):
            return np.asarray((self.facts[:, TIME] - onset) / (end - onset))


def load(folder: Path) -> Looks:
    """All parts in the folder."""
    facts, evidence, container, facts_of, fold, material = [], [], [], [], [], []
    count = 0
    for number, file in enumerate(sorted(folder.glob("*.npz"), key=_in_order)):
        part = np.load(file)
        told = ~(part["looks"][:, len(FACTS) + NAMES.index("share")] < np.log(LEAST_FOUND))
        facts.append(part["looks"][told, : len(FACTS)].astype(np.float64))
        evidence.append(part["looks"][told, len(FACTS) :])
        container.append(part["container"][told] + count)
        facts_of.append(part["containers"])
        of = len(part["containers"])
        count += of
        fold.append((number + np.arange(of) // max(of // 4, 1)) % FOLDS)
        material.append([_in_order(file)[0]] * of)
    weeks, onset, limit_at = np.concatenate(facts_of).T
    return Looks(
        np.concatenate(facts),
        np.concatenate(evidence),
        np.concatenate(container),
        np.minimum(weeks, onset / WEEK_SECONDS),
        onset,
        limit_at,
        np.concatenate(fold),
        np.concatenate(material),
    )


def _in_order(file: Path) -> tuple[str, int]:
    name, first = file.stem.split("_")
    return name, int(first)


def examples(looks: Looks, scores: FloatArray, level: Level) -> tuple[np.ndarray, np.ndarray, FloatArray]:
    """Looks that would decide by these ``scores``: (m,) their rows, whether they are at a leak, and what they weigh for
    this level."""
    facts, of, way = looks.facts, looks.container, looks.way
    grows = facts[:, SEEN] > 0
    with np.errstate(invalid="ignore"):
        seen = facts[:, END] - np.maximum(facts[:, ONSET], looks.onset[of])
        part = seen / (looks.limit_at[of] - looks.onset[of]) / np.exp(looks.evidence[:, NAMES.index("share")])
        ill = np.flatnonzero(grows & (way > 0) & (way < STRETCHES[-1]) & (part > LEAST_OF_CLIMB))
    well = np.flatnonzero(grows & ~(way > 0))
    day = of * 1_000 + (facts[:, TIME] // DAY_SECONDS).astype(np.int64)
    stretch = of * len(STRETCHES) + np.searchsorted(STRETCHES, np.nan_to_num(way))
    by_chance = np.random.default_rng(0).choice(well, min(OTHERS, len(well)), replace=False)
    healthy = np.union1d(highest(day, scores, well, OF_A_DAY), by_chance)
    leaking = highest(stretch, scores, ill, OF_A_STRETCH)
    of_leaks = np.take(STRETCH_WEIGHTS[level], np.searchsorted(STRETCHES, way[leaking]))
    of_leaks *= LEAK_SHARE * len(healthy) / of_leaks.sum()
    rows, weight = np.concatenate([healthy, leaking]), np.concatenate([np.ones(len(healthy)), of_leaks])
    return rows, np.repeat((0, 1), (len(healthy), len(leaking))), weight


def fitted(looks: Looks) -> dict[Level, tuple[FloatArray, FloatArray]]:
    """For each level the nodes of trees fitted to all looks; and (n,) each look's score by trees fitted without its
    fold."""
    honest = looks.evidence[:, NAMES.index("weakest")].astype(np.float64)
    for _ in range(ROUNDS):
        honest = _honest(looks, honest, Level.LEAK)
    found = {}
    for level in STRETCH_WEIGHTS:
        rows, leaking, weight = examples(looks, honest, level)
        nodes = nodes_of(fit(looks.evidence[rows], leaking, weight), len(NAMES))
        found[level] = nodes, honest if level is Level.LEAK else _honest(looks, honest, level)
    return found


def _honest(looks: Looks, scores: FloatArray, level: Level) -> FloatArray:
    """(n,) each look's score by trees fitted without its fold, to examples chosen by these ``scores``."""
    rows, leaking, weight = examples(looks, scores, level)
    fold_of, grows = looks.fold[looks.container], looks.facts[:, SEEN] > 0
    honest = np.full(len(scores), FAR_BELOW)
    for fold in range(FOLDS):
        others, judged = fold_of[rows] != fold, grows & (fold_of == fold)
        trees = fit(looks.evidence[rows[others]], leaking[others], weight[others])
        honest[judged] = trees.decision_function(looks.evidence[judged])
    return honest


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a threshold gives on one material: false alarms in 50 weeks, and of each leak how far it had come (infinite:
    never found) and how many incidents it made."""

    alarms: int
    weeks: float
    ways: FloatArray
    incidents: FloatArray

    def __str__(self) -> str:
        told = f"{self.alarms:4d} in {self.weeks:5.0f} weeks: {50.0 * self.alarms / max(self.weeks, 1e-9):6.2f} in 50"
        if len(self.ways):
            median, late = np.quantile(self.ways, (0.5, 0.9), method="higher")
            never, one = np.isinf(self.ways).mean(), np.mean(self.incidents[self.incidents > 0] == 1)
            told += f"; {len(self.ways)} leaks: median {median:.2f}, nine in ten {late:.2f}, never {never:.3f}"
            told += f", one incident {one:.2f}"
        return told


def outcome(looks: Looks, scores: FloatArray, level: Level, threshold: float, material: str) -> Outcome:
    """Replay the looks of a material."""
    there = looks.material == material
    rule = LEAK if level is Level.LEAK else SUSPECTED
    rows = np.flatnonzero((scores >= threshold - max(HOLD, rule.urgent_credit)) & there[looks.container])
    rows = rows[np.lexsort((looks.facts[rows, TIME], looks.container[rows]))]
    facts = looks.facts[rows]
    unknown = np.isnan(looks.evidence[rows, NAMES.index("load_now")])
    blind = rule.blind * unknown * strangeness(facts[:, END] - facts[:, ONSET])
    asked = threshold + np.where(is_urgent(looks.evidence[rows].T), -rule.urgent_credit, blind)
    finds, holds = scores[rows] >= asked, scores[rows] >= threshold - HOLD
    if rule.quiet_seconds:
        finds &= looks.evidence[rows, NAMES.index("since_load")] >= np.log(rule.quiet_seconds)
    least = np.array([LEAST_HOLD_BLOCKS * block_seconds(int(scale), 60.0) for scale in facts[:, SCALE]])
    back, way = _given_back(looks, rows), looks.way[rows]
    alarms, ways, incidents = 0, np.full(len(there), np.inf), np.zeros(len(there))
    for part in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(looks.container[rows])) + 1):
        if not finds[part].any():
            continue
        which = looks.container[rows[part[0]]]
        lasted = HOLD_LASTED * (facts[part, END] - facts[part, ONSET])
        for i in opened(facts[part, TIME], lasted, least[part], back[part], finds[part], holds[part]):
            if way[part[i]] > 0:
                incidents[which] += 1
                ways[which] = min(ways[which], way[part[i]])
            else:
                alarms += 1
    ill = there & looks.leaks
    return Outcome(alarms, float(looks.weeks[there].sum()), ways[ill], incidents[ill])


def _given_back(looks: Looks, rows: np.ndarray) -> FloatArray:
    """(rows,) when the growth that each of them saw was found given back, at the next look that saw none."""
    ends = np.flatnonzero(looks.facts[:, SEEN] == 0)
    key = looks.container * 64 + looks.facts[:, SCALE].astype(np.int64)
    order = ends[np.lexsort((looks.facts[ends, TIME], key[ends]))]
    sortable = key[order] * 1e8 + looks.facts[order, TIME]
    at = np.searchsorted(sortable, key[rows] * 1e8 + looks.facts[rows, TIME], side="right")
    back = np.full(len(rows), np.inf)
    there = at < len(order)
    end = order[np.minimum(at, len(order) - 1)]
    fallen = looks.facts[end, LEVEL] < looks.facts[rows, BASE] + 0.5 * looks.facts[rows, GROWN]
    there &= (key[end] == key[rows]) & fallen
    back[there] = looks.facts[end[there], TIME]
    return back


def threshold_for(looks: Looks, scores: FloatArray, level: Level, budget: float) -> float:
    """The lowest threshold within the budget on the hard mix, by halving."""
    low, high = -10.0, 15.0
    while high - low > 0.02:
        middle = 0.5 * (low + high)
        found = outcome(looks, scores, level, middle, "hard")
        low, high = (low, middle) if 50.0 * found.alarms / found.weeks <= budget else (middle, high)
    return high


def write(nodes: dict[Level, FloatArray], thresholds: dict[Level, float]) -> None:
    """The data, and the module."""
    folder = ROOT / "detectors" / "live"
    nodes[Level.SUSPECTED].astype("<f4").tofile(folder / "suspicion.f32")
    nodes[Level.LEAK].astype("<f4").tofile(folder / "leak.f32")
    text = MODULE.format(suspected=thresholds[Level.SUSPECTED], leak=thresholds[Level.LEAK])
    (folder / "thresholds.py").write_text(text)


def main() -> None:
    """Fit, tell what the thresholds give on each material, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    looks = load(given.folder)
    found = fitted(looks)
    thresholds: dict[Level, float] = {}
    for level, budget in BUDGETS.items():
        honest = found[level][1]
        thresholds[level] = threshold_for(looks, honest, level, budget)
        print(f"{level} from {thresholds[level]:.2f} on")
        for material in MATERIALS:
            print(f"  {material:9s} {outcome(looks, honest, level, thresholds[level], material)}")
    if given.write:
        write({level: nodes for level, (nodes, _) in found.items()}, thresholds)


if __name__ == "__main__":
    main()
