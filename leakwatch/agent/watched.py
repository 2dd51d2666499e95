"""One target of the agent: its sources and its state together, through the verbs."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from detectors.types import Level, LiveVerdict
from leakwatch.act.decision import Case
from leakwatch.agent.backfill import Backfill
from leakwatch.agent.diagnosing import Cause, diagnosed, is_due, matter_of
from leakwatch.agent.looking import LookCounts, Looking
from leakwatch.agent.survey import Survey
from leakwatch.agent.target_state import TargetState
from leakwatch.ports import Clock, Source
from leakwatch.sample.history import History
from leakwatch.sample.sources import history_of
from leakwatch.settings import Settings, TargetSettings
from leakwatch.tell import units
from leakwatch.tell.metrics_page import PageTarget
from leakwatch.trace import MEMORY_COLUMNS, Sample, Trace

if TYPE_CHECKING:
    from leakwatch.diagnose import Trees
    from leakwatch.surroundings import Question

KILLS_NOTE = "kills"
PAST_SECONDS = 35 * 86_400.0
GONE_SECONDS = 900.0
"""What is not there for so long is gone for good: a pod that crashes waits at most 5 min for its next try."""

_NAMES_MODEL = ("requests_total:", "model_loads_total:")
_DAY_SECONDS = 86_400.0
_SHOWN_MEMORY = (*MEMORY_COLUMNS, "limit_bytes", "peak_bytes")


class Watched:
    """A target with all that is known of it.

    Args:
        sources: the memory's first.
        stagger: 0..1, where in the judging period its turn is, so that not all targets are judged in one beat.
    """

    def __init__(
        self,
        target: TargetSettings,
        settings: Settings,
        sources: Sequence[Source],
        clock: Clock,
        counts: LookCounts,
        stagger: float = 0.0,
    ) -> None:
        self.name, self._settings = target.name, settings
        self.looking = Looking(target, sources, settings.sample_every_seconds, clock, counts)
        self.state = TargetState(target, settings.conditions)
        self.cause: Cause | None = None
        self._past = history_of(target)
        self._backfill: Backfill | None = None
        self._survey = Survey(target.name, clock)
        self._judged: LiveVerdict | None = None
        self.is_being_diagnosed = False
        self._judge_at = clock.steady() + stagger * settings.judge_every_seconds

    def restore(self, history: History, now: float) -> int:
        """Take in what an earlier agent kept; returns the number of samples."""
        past = history.samples(self.name, now - PAST_SECONDS, now)
        count = self.state.restore(past, history.notes(self.name).get(KILLS_NOTE))
        if count:
            self.state.judge(now)
        elif self._past is not None:
            self._backfill = Backfill(self.name, self._past, now)
        return count

    def _take_past(self, history: History, now: float) -> None:
        """The past that has come by now goes before what was sampled meanwhile."""
        past = self._backfill.take() if self._backfill else ()
        if past:
            first = next(iter(history.samples(self.name, past[0].time_seconds, now)), None)
            for sample in past:
                if first is None or sample.time_seconds < first.time_seconds:
                    history.add(self.name, sample)
            history.flush(now)
            self.state.restore_detector(history.samples(self.name, now - PAST_SECONDS, now))

    def sample(self, history: History, now: float, step_seconds: float = 0.0) -> None:
        """What the sources told since the last beat; ``step_seconds`` is by how much the clock was set meanwhile."""
        self._take_past(history, now)
        before = self.state.kills.as_note()
        for sample, has_memory in self.looking.samples():
            if abs(sample.time_seconds + step_seconds - now) < abs(sample.time_seconds - now):  # taken before the step
                sample = Sample(sample.time_seconds + step_seconds, sample.values, sample.life)
            if has_memory:
                history.add(self.name, sample)
                self.state.observe(sample, self.looking.memory_source, self.looking.identity(sample))
            else:
                self.state.observe_conditions(sample)
        note = self.state.kills.as_note()
        if note != before:
            history.note(self.name, KILLS_NOTE, note)

    def detect(self, now: float, steady: float) -> None:
        """What is true, where it is time to judge, and there is something to judge."""
        if steady >= self._judge_at and self.state.last is not None and self.gone is None:
            self._judge_at = max(self._judge_at + self._settings.judge_every_seconds, steady)
            self._judged = self.state.judge(now)

    def diagnose(self, history: History, trees: "Trees | None", now: float) -> LiveVerdict | None:
        """The new verdict, with its cause where it has one; None in between.

        Where a cause has to be sought, process, server and deployment are asked first, and the verdict waits for them;
        what answers late is taken in when it comes.
        """
        if self.gone is not None:
            self.cause, self._judged, self.is_being_diagnosed = None, None, False
            return None
        matter = matter_of(self.state, now)
        if matter.is_nothing:
            self.cause = None
        if is_due(self.cause, matter, now) and not self.is_being_diagnosed:
            self._survey.begin(self._questions(now))
            self.is_being_diagnosed = True
        if self.is_being_diagnosed or (self.cause is not None and self._survey.has_news):
            self.is_being_diagnosed = not self._survey.is_over
            if self.is_being_diagnosed:
                return None
            self.cause = diagnosed(self.state, matter, history, trees, now, self._survey.states())
        judged, self._judged = self._judged, None
        return judged

    def _questions(self, now: float) -> "Mapping[str, Question]":
        from leakwatch.surroundings import questions_about  # an agent may watch for weeks before it needs them

        columns = self.state.last.values if self.state.last is not None else {}
        models = {name.partition(":")[2] for name in columns if name.startswith(_NAMES_MODEL)}
        return questions_about(self.state.target, self.looking.pid, sorted(models), now)

    @property
    def gone(self) -> str | None:
        """Why there is nothing left that could leak, as a clause; None while it is there, or was until lately."""
        absence = self.looking.gone
        if absence is None or absence[0] < GONE_SECONDS:
            return None
        return f"gone for {units.duration(absence[0])} ({absence[1]})"

    def case(self, verdict: LiveVerdict, incident: str, history: History, now: float) -> Case:
        """What acting is to consider; with the samples so far where the limit is near, for the evidence."""
        state, cause, near = self.state, self.cause, self._settings.act.act_before_limit_seconds
        forecast = verdict.forecast if verdict.level is Level.LEAK else None
        trace = None
        if forecast is not None and forecast.low < near:
            trace = history.trace(self.name, max(verdict.onset or 0.0, now - PAST_SECONDS) - near, now)
        return Case(
            target=self.name,
            incident=incident,
            verdict=verdict,
            diagnosis=cause.diagnosis if cause else None,
            memory_bytes=state.level_bytes,
            limit_bytes=state.judged_limit_bytes,
            model=cause.model if cause else None,
            trace=trace,
            sentences=tuple(said for one in state.incidents for said in one.because[:1]),
        )

    def recent(self, history: History, now: float) -> Trace:
        """What a picture of the present shows: from well before the onset on, or the last day."""
        onset = self.state.verdict.onset if self.state.verdict else None
        since = now - _DAY_SECONDS if onset is None else onset - (now - onset)
        return history.trace(self.name, max(since, now - PAST_SECONDS), now)

    def shift(self, by_seconds: float, history: History, now: float) -> None:
        """The clock was set by so much: go on as if it had always been right."""
        self.state.shift(by_seconds)
        self.cause = None
        self.state.restore_detector(history.samples(self.name, now - PAST_SECONDS, now))

    def page(self) -> PageTarget:
        """What the metrics page says of it."""
        state, verdict = self.state, self.state.verdict
        values = state.last.values if state.last is not None else {}
        memory = {name.removesuffix("_bytes"): values[name] for name in _SHOWN_MEMORY if name in values}
        if not memory.get("limit", 1.0):
            del memory["limit"]  # 0 is none
        if verdict is None:
            return PageTarget(self.name, memory_bytes=memory, oom_events=state.kills.counts)
        word = "suspected" if verdict.level is Level.SUSPECTED else str(verdict.verdict)
        return PageTarget(
            self.name,
            word,
            verdict.trend.slope_per_second if verdict.trend else None,
            verdict.forecast.seconds_to_limit if verdict.forecast else None,
            self.cause.bytes_per_request if self.cause else {},
            memory,
            state.kills.counts,
        )
