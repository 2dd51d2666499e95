"""What the agent knows of one target: samples and incidents go in, what is true and what is news come out. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from detectors.types import Incident, Level, LiveVerdict
from leakwatch import detect
from leakwatch.agent.belonging import Identity, belongs
from leakwatch.agent.kill_count import SAME_KILL_SECONDS, KillCount
from leakwatch.settings import ConditionSettings, TargetSettings
from leakwatch.tell import units
from leakwatch.trace import MEMORY_COLUMNS, Sample

ASKED_SECONDS = 120.0
"""A restart within so long of an action is the one that was asked for."""
FALLEN_RATIO = 0.8
"""A new process starts with less than this share of what the killed one held (as in `leakwatch.kills`)."""

_LIVES_REMEMBERED = 3
_INCIDENTS_REMEMBERED = 20
KILLS_NOTE = "kills"


@dataclass(frozen=True, slots=True)
class Pending:
    """What happened since it was last told: conditions as (name, sentence), and sentences."""

    began: tuple[tuple[str, str], ...] = ()
    ended: tuple[tuple[str, str], ...] = ()
    lines: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()


class TargetState:
    """One target's detector, conditions, lives and kills.

    Attributes:
        last: the newest sample; None before the first.
        verdict: as last judged; None before; ``judged_limit_bytes``: the limit that it was judged under.
        restarts: Unix seconds of restarts seen, the newest last.
        kills: counted, by kind.
        acted_at: Unix seconds when leakwatch last began or ended an action on it; None before.
    """

    def __init__(self, target: TargetSettings, conditions: ConditionSettings) -> None:
        self.target = target
        self.detector = detect.live_detector(limit_bytes=target.limit_bytes)
        self.conditions = detect.condition_watch(conditions)
        self.kills = KillCount()
        self.last: Sample | None = None
        self.verdict: LiveVerdict | None = None
        self.judged_limit_bytes: float | None = None
        self.restarts: list[float] = []
        self._incidents: dict[tuple[str, int], Incident] = {}
        self._lives: list[Identity] = []
        self._killed_at: float | None = None
        self.acted_at: float | None = None
        self._pending: list[tuple[str, str, str]] = []

    @property
    def killed_at(self) -> float | None:
        """Unix seconds of the last kill that was seen; None before."""
        return self._killed_at

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """Memory incidents of this target that logs told, the newest last."""
        return tuple(self._incidents.values())

    @property
    def limit_bytes(self) -> float | None:
        """The limit as last seen; None where there is none, or none known."""
        seen = self.last.values.get("limit_bytes") if self.last else None
        return seen or self.target.limit_bytes

    @property
    def level_bytes(self) -> float | None:
        """The newest level of the metric that the verdict rests on."""
        return None if self.last is None else _level(self.last, self.verdict.metric if self.verdict else None)

    def restore(self, samples: Iterable[Sample], kills_note: str | None) -> int:
        """Take in what an earlier agent saw; returns how many samples that were. Nothing of it is news."""
        self.kills = KillCount.from_note(kills_note)
        return self.restore_detector(samples)

    def restore_detector(self, samples: Iterable[Sample]) -> int:
        """Begin the detector anew with these samples, in the order of time."""
        self.detector = detect.live_detector(limit_bytes=self.target.limit_bytes)
        self.last, self.restarts, count = None, [], 0
        for sample in samples:
            if self._is_other_life(sample):
                self.detector.restarted(sample.time_seconds)
                self._restarted_at(sample.time_seconds)
            self.detector.observe(sample.time_seconds, sample.values)
            self.last = sample
            count += 1
        return count

    def observe(self, sample: Sample, source: str, identity: Identity | None = None) -> None:
        """Take one new sample; ``identity`` comes with the first one of a life."""
        if identity is not None:
            self._lives = [*self._lives, identity][-_LIVES_REMEMBERED:]
        at, killed = sample.time_seconds, self.kills.of_sample(sample, source)
        for _ in range(killed):
            self._kill(at, "the kernel killed a process of it for want of memory")
        if self._is_other_life(sample) or (killed and self._has_fallen(sample)):
            self._restart(at)
        self.detector.observe(at, sample.values)
        self.last = sample
        self.observe_conditions(sample)

    def observe_conditions(self, sample: Sample) -> None:
        """The conditions of a sample, which may be one without memory: a page answers while the memory is hidden."""
        for turn in self.conditions.observe(sample.time_seconds, sample.values):
            self._pending.append(("began" if turn.began else "ended", turn.name, turn.sentence))

    def observe_incident(self, log: str, incident: Incident, kind: str, now: float, *, own_log: bool) -> bool:
        """Take one memory incident of a log, or what is new of one; returns whether it is this target's."""
        if not belongs(incident, tuple(self._lives), own_log=own_log):
            return False
        known = self._incidents.pop((log, incident.number), None)
        self._incidents[log, incident.number] = incident
        while len(self._incidents) > _INCIDENTS_REMEMBERED:
            del self._incidents[next(iter(self._incidents))]
        if incident.proves_oom and (known is None or not known.proves_oom):
            at = incident.at if incident.at is not None else now
            if self.kills.of_log(at, kind):
                self._kill(at, _told(incident))
            else:
                self._pending.append(("lines", "", f"the log says: {_told(incident)}"))
        return True

    def judge(self, now: float) -> LiveVerdict:
        """What is true now."""
        self.verdict, self.judged_limit_bytes = self.detector.judge(now), self.limit_bytes
        return self.verdict

    def take_pending(self) -> Pending:
        """What happened since the last call."""
        pending, self._pending = self._pending, []
        named = {
            word: tuple((name, said) for what, name, said in pending if what == word) for word in ("began", "ended")
        }
        said = {word: tuple(said for what, _, said in pending if what == word) for word in ("lines", "alarms")}
        return Pending(named["began"], named["ended"], said["lines"], said["alarms"])

    def shift(self, by_seconds: float) -> None:
        """The clock was set by so much; `restore_detector` is to follow."""
        self.kills.shift(by_seconds)
        self._killed_at = None if self._killed_at is None else self._killed_at + by_seconds

    def _is_other_life(self, sample: Sample) -> bool:
        return self.last is not None and None not in (sample.life, self.last.life) and sample.life != self.last.life

    def _has_fallen(self, sample: Sample) -> bool:
        before, now = (_level(one, None) if one is not None else None for one in (self.last, sample))
        return before is not None and now is not None and now < FALLEN_RATIO * before

    def _restart(self, at: float) -> None:
        killed = self._killed_at is not None and abs(at - self._killed_at) <= SAME_KILL_SECONDS
        self.detector.restarted(at, killed=killed)
        self.conditions.restarted(at)
        self._restarted_at(at)
        asked = self.acted_at is not None and abs(at - self.acted_at) <= ASKED_SECONDS
        why = "killed for want of memory" if killed else "as leakwatch asked" if asked else "nobody said why"
        self._pending.append(("lines", "", f"it restarted, {why}"))

    def _restarted_at(self, at: float) -> None:
        self.restarts = [*self.restarts, at][-100:]

    def _kill(self, at: float, sentence: str) -> None:
        self._killed_at = at
        level, limit = _level(self.last, None) if self.last else None, self.limit_bytes
        if level is not None and limit:
            sentence += f", last seen at {units.share(level / limit)} of its limit of {units.size(limit)}"
        verdict = self.verdict
        if verdict is not None and verdict.level is not Level.QUIET and verdict.trend is not None:
            sentence += f", after it had grown {units.rate(verdict.trend.slope_per_second)}"
        self._pending.append(("alarms", "", sentence))


def _level(sample: Sample, metric: str | None) -> float | None:
    name = metric or next((name for name in MEMORY_COLUMNS if name in sample.values), "")
    return sample.values.get(name)


def _told(incident: Incident) -> str:
    victim = units.visible(incident.victim) if incident.victim else "a process"
    pid = f" (pid {incident.pid})" if incident.pid is not None else ""
    whose = {"container": "at the container's limit", "child": "in the container, which lives on"}
    said = f"{victim}{pid} was killed for want of memory {whose.get(incident.scope, f'of the {incident.scope}')}"
    return said if incident.limit_bytes is None else f"{said} of {units.size(incident.limit_bytes)}"
