"""The peers' rules, run over and over on a watched container as their users' alerting does."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.live_mix import Leaking, Watched
from benchmarks.live_mix.stage import DAY_SECONDS
from benchmarks.peers import RULES

EVERY_SECONDS = 3_600.0
WINDOW_SECONDS = DAY_SECONDS
STEPS_OF_WAY = 40


@dataclass(frozen=True, slots=True)
class PeerRun:
    """What one rule did on one container: incidents before the onset (all, where nothing leaks); way to its first new
    alarm, None: none, or it was alarming all along."""

    early: int
    way: float | None


def run(watched: Watched, leak: Leaking | None) -> Mapping[str, PeerRun]:
    """Each rule of `benchmarks.peers` on the last day before every look: hourly, and 40 times between onset and limit.

    An alarm within a day of the one before is the same incident.
    """
    time, memory = watched.time_seconds, watched.columns["anon_bytes"]
    limit = float(watched.columns["limit_bytes"][0])
    end = float(time[-1]) if leak is None else leak.onset_seconds
    before = np.arange(time[0] + EVERY_SECONDS, end, EVERY_SECONDS)
    after = np.empty(0)
    if leak is not None:
        after = np.linspace(leak.onset_seconds, leak.limit_at_seconds, STEPS_OF_WAY + 1)
    out = {}
    for name, rule in RULES.items():

        def alarming(at: float, rule=rule) -> bool:
            low, high = np.searchsorted(time, [at - WINDOW_SECONDS, at], side="right")
            return high - low >= 20 and rule(time[low:high], memory[low:high], limit)

        early, until = 0, -np.inf
        for at in before:
            if alarming(at):
                early += at > until
                until = at + DAY_SECONDS
        way, was = None, alarming(after[0]) if len(after) else False
        for i, at in enumerate(after[1:], 1):
            now = alarming(at)
            if now and not was:
                way = i / STEPS_OF_WAY
                break
            was = now
        out[name] = PeerRun(int(early), way)
    return out
