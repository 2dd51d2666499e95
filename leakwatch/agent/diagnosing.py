"""From what is held true of a live target to a cause: the offline view of its recent past under the live verdict."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from detectors.types import Answer, Assessment, Level, LiveVerdict, Verdict
from leakwatch import detect
from leakwatch.agent.target_state import TargetState
from leakwatch.sample.history import History
from playbooks.types import Diagnosis

if TYPE_CHECKING:
    from leakwatch.diagnose import Trees
    from leakwatch.surroundings import State

AGAIN_SECONDS = 600.0
"""A leak that goes on is diagnosed again so often: its cause does not change by the minute."""

KILL_MATTERS_SECONDS = 600.0
"""A kill without a leak is the matter of so many seconds; its incident is resolved before."""

_LONGEST_PAST_SECONDS = 14 * 86_400.0
_LEAST_CONFIDENCE = 0.95
"""The live detector tells no probability; its alerts are budgeted to one false one in 50 container-weeks."""


@dataclass(frozen=True, slots=True)
class Matter:
    """What a cause is sought for; a new one where any of it changes.

    Attributes:
        level: what the live detector holds true.
        conditions: names of those that hold.
        kills: how many there were, while the last is recent; else 0.
    """

    level: Level
    conditions: frozenset[str]
    kills: int

    @property
    def is_nothing(self) -> bool:
        """Whether all is well."""
        return self.level is Level.QUIET and not self.conditions and not self.kills


@dataclass(frozen=True, slots=True)
class Cause:
    """One diagnosis, and what came up on the way.

    Attributes:
        at_seconds: Unix seconds when it was made.
        bytes_per_request: by model, the empty name for all of them.
        model: the one that most of the leak belongs to; None where that is unknown.
    """

    at_seconds: float
    matter: Matter
    diagnosis: Diagnosis | None
    bytes_per_request: dict[str, float]
    model: str | None


def matter_of(state: TargetState, now: float) -> Matter:
    """What is wrong with a target now."""
    recent = state.killed_at is not None and abs(now - state.killed_at) < KILL_MATTERS_SECONDS
    return Matter(
        state.verdict.level if state.verdict is not None else Level.QUIET,
        frozenset(state.conditions.holding),
        sum(state.kills.counts.values()) if recent else 0,
    )


def is_due(before: Cause | None, matter: Matter, now: float) -> bool:
    """Whether the cause has to be asked for (again)."""
    if matter.is_nothing:
        return False
    return before is None or before.matter != matter or abs(now - before.at_seconds) >= AGAIN_SECONDS


def diagnosed(
    state: TargetState,
    matter: Matter,
    history: History,
    trees: "Trees | None",
    now: float,
    around: "Iterable[State]" = (),
) -> Cause:
    """The cause of what is wrong, from the stretch before and after the onset of what the live detector holds true.

    ``around`` is what is known of process, server and deployment.
    """
    from leakwatch.diagnose import diagnose, facts_of_kills  # an agent may watch for weeks before it needs them
    from leakwatch.surroundings import facts_of_states

    verdict, since = state.verdict, now - _LONGEST_PAST_SECONDS
    if verdict is not None and verdict.onset is not None:
        since = max(since, verdict.onset - (now - verdict.onset))
    trace = history.trace(state.target.name, since, now)
    restarts = tuple(at for at in state.restarts if at >= since)
    assessment = detect.assess(trace, restarts)
    if verdict is not None:
        assessment = _under(assessment, verdict, restarts)
    known = (*facts_of_kills(trace, assessment, state.incidents), *facts_of_states(around, trace))
    diagnosis = diagnose(trace, assessment, known, trees, matter.conditions)
    attribution = assessment.attribution
    per_request = {one.model: one.bytes_per_request.estimate for one in attribution.by_model} if attribution else {}
    most = max(attribution.by_model, key=lambda one: one.share) if attribution and attribution.by_model else None
    if verdict is not None and verdict.bytes_per_request is not None:
        per_request[""] = verdict.bytes_per_request.estimate
    model = most.model if most is not None and most.share > 0.5 else None
    return Cause(now, matter, diagnosis, per_request, model)


def _under(assessment: Assessment, live: LiveVerdict, restarts: tuple[float, ...]) -> Assessment:
    """The offline view, with what the live detector holds true in place of its own verdict."""
    offline = assessment.verdict
    agree = offline.verdict is live.verdict
    confidence = offline.confidence if agree or live.verdict is Answer.UNDECIDED else _LEAST_CONFIDENCE
    verdict = Verdict(live.verdict, live.shape, confidence, live.metric, live.trend, live.onset, restarts, live.because)
    attribution = assessment.attribution
    if attribution is not None and attribution.bytes_per_request is None and live.bytes_per_request is not None:
        attribution = replace(attribution, bytes_per_request=live.bytes_per_request)
    return replace(assessment, verdict=verdict, forecast=live.forecast, attribution=attribution)
