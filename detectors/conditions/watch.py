"""All conditions of one container. No clock, no input or output."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping

from detectors.conditions.gate import Gate
from detectors.conditions.loads import SlowLoads
from detectors.conditions.readings import FailedShare, Waits, by_name, memory
from detectors.types import ConditionTurn, Thresholds
from detectors.wording import count, duration

RESTARTS = 3
RESTARTS_SECONDS = 3600.0
"""So many restarts within so long are a condition; each alone is told by whoever sees it. Kubelet's own back-off lets
a crash-looping container start about so often once it waits its full five minutes."""

MOST_NAMES = 200
"""A server with more models than this has the rest of them watched as a whole only."""

Reading = tuple[str, float, float | None, str]
"""Name, threshold, value, clause."""


class ConditionWatch:
    """Watches one container: `observe` each sample, `restarted` at each new life.

    Args:
        thresholds: beyond what a condition begins; the hold of ended loads and of restarts is none, they are facts.
    """

    def __init__(self, thresholds: Thresholds) -> None:
        self._thresholds = thresholds
        self._gates: dict[str, Gate] = {}
        self._said: dict[str, str] = {}
        self._failed, self._loads = FailedShare(thresholds.hold_seconds), SlowLoads(thresholds.load_seconds)
        self._waits = Waits()
        self._restarts: deque[float] = deque(maxlen=RESTARTS)

    def observe(self, now: float, values: Mapping[str, float]) -> tuple[ConditionTurn, ...]:
        """The conditions that begin or end with this sample (Unix seconds, values by column). Never raises."""
        turns: list[ConditionTurn] = []
        readings = {name: (enter, value, clause) for name, enter, value, clause in self._readings(now, values)}
        for name in (*readings, *(name for name in self._gates if name not in readings)):
            enter, value, clause = readings.get(name, (0.0, None, f"{name} is told no longer"))
            gate = self._gates.get(name)
            if gate is None:
                if value is None or value <= enter or len(self._gates) >= MOST_NAMES:
                    continue
                gate = self._gates[name] = Gate(enter, self._hold_seconds(name))
            if name in readings:
                gate.enter = enter
            since, turned = gate.since, gate.turn(now, value)
            if turned is not None:
                lasted = f", after {duration(now - since)}" if since is not None and not turned else ""
                at = since if turned and since is not None else now
                turns.append(ConditionTurn(name, turned, at, clause + lasted))
            if gate.holds:
                self._said[name] = clause
            elif gate.is_idle:
                del self._gates[name]
                self._said.pop(name, None)
        return tuple(turns)

    def resume(self, names: Iterable[str], now: float) -> None:
        """These held when an earlier watch ended: they hold until samples say otherwise, or say nothing of them."""
        for name in names:
            self._gates[name] = Gate(0.0, self._hold_seconds(name), holds=True, since=now)
            self._said[name] = f"{name} held before"

    def restarted(self, at: float) -> None:
        """A life ended at this time; counters and loads begin anew with the next sample."""
        self._restarts.append(at)
        self._loads.restarted()

    @property
    def holding(self) -> Mapping[str, tuple[float, str]]:
        """The conditions that hold: since when, and what is true of each."""
        return {
            name: (gate.since or 0.0, self._said[name])
            for name, gate in self._gates.items()
            if gate.holds and name in self._said
        }

    def _readings(self, now: float, values: Mapping[str, float]) -> Iterator[Reading]:
        limits = self._thresholds
        ratio, clause = memory(values)
        yield "memory", limits.memory_ratio, ratio, clause
        ratio, clause = self._failed.observe(now, values)
        yield "errors", limits.error_ratio, ratio, clause
        for name, seconds in by_name(values, "latency_p95_seconds"):
            said = f"95 % of the requests to {name} are answered within {duration(seconds)}"
            yield f"latency:{name}", limits.latency_p95_seconds, seconds, said
        for name, seconds, said in self._waits.observe(now, values):
            yield f"queue:{name}", limits.queue_seconds, seconds, said
        ratio, clause = self._loads.observe(now, values)
        yield "load", 1.0, ratio, clause
        for name, (of_allowed, said) in self._loads.ended(now, values).items():
            yield f"load:{name}", 1.0, of_allowed, said
        recent = sum(0.0 <= now - at < RESTARTS_SECONDS for at in self._restarts)
        yield (
            "restarts",
            RESTARTS - 0.5,
            float(recent),
            f"{count(recent, 'restart')} within {duration(RESTARTS_SECONDS)}",
        )

    def _hold_seconds(self, name: str) -> float:
        return 0.0 if name == "restarts" or name.startswith("load") else self._thresholds.hold_seconds
