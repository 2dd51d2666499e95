"""From what is held true of a live target to a cause: the offline view of its recent past under the live verdict."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from detectors.types import Answer, Assessment, Level, LiveVerdict, Verdict
from leakwatch import detect
from leakwatch.agent.target_state import TargetState
from leakwatch.sample.history import History
from leakwatch.trace import Trace
from playbooks.types import Diagnosis, Fact

if TYPE_CHECKING:
    from leakwatch.diagnose import Trees

AGAIN_SECONDS = 600.0
"""A leak that goes on is diagnosed again so often: its cause does not change by the minute."""

_LONGEST_PAST_SECONDS = 14 * 86_400.0
_LEAST_CONFIDENCE = 0.95
"""The live detector tells no probability; its alerts are budgeted to one false one in 50 container-weeks."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One diagnosis, and what came up on the way.

    Attributes:
        at_seconds: Unix seconds when it was made.
        bytes_per_request: by model, the empty name for all of them.
        model: the one that most of the leak belongs to; None where that is unknown.
    """

    at_seconds: float
    level: Level
    diagnosis: Diagnosis | None
    bytes_per_request: dict[str, float]
    model: str | None


def is_due(before: Cause | None, verdict: LiveVerdict, now: float) -> bool:
    """Whether the cause has to be asked for (again)."""
    if verdict.level is Level.QUIET:
        return False
    return before is None or before.level is not verdict.level or abs(now - before.at_seconds) >= AGAIN_SECONDS


def diagnosed(
    state: TargetState,
    verdict: LiveVerdict,
    history: History,
    trees: "Trees | None",
    now: float,
    pid: int | None = None,
) -> Cause:
    """The cause of what the live detector holds true, from the stretch before and after its onset.

    ``pid`` is the server's process, where it can be seen from here: its flags, environment and threads count as well.
    """
    from leakwatch.diagnose import diagnose  # an agent may watch for weeks before it needs them

    since = now - _LONGEST_PAST_SECONDS
    if verdict.onset is not None:
        since = max(since, verdict.onset - (now - verdict.onset))
    trace = history.trace(state.target.name, since, now)
    restarts = tuple(at for at in state.restarts if at >= since)
    assessment = _under(detect.assess(trace, restarts), verdict, restarts)
    diagnosis = diagnose(trace, assessment, _known(state, trace, assessment, pid), trees)
    attribution = assessment.attribution
    per_request = {one.model: one.bytes_per_request.estimate for one in attribution.by_model} if attribution else {}
    most = max(attribution.by_model, key=lambda one: one.share) if attribution and attribution.by_model else None
    if verdict.bytes_per_request is not None:
        per_request[""] = verdict.bytes_per_request.estimate
    model = most.model if most is not None and most.share > 0.5 else None
    return Cause(now, verdict.level, diagnosis, per_request, model)


def _known(state: TargetState, trace: Trace, assessment: Assessment, pid: int | None) -> tuple[Fact, ...]:
    from leakwatch.diagnose import facts_of_kills, facts_of_process
    from leakwatch.sample.processes.state import process_state_of

    told = facts_of_kills(trace, assessment, state.incidents)
    process = process_state_of(pid) if pid is not None else None
    if process is None or not process.running:  # it may be there and not to be seen from here
        return told
    return (*told, *facts_of_process(process, trace))


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
