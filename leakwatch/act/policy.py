"""May we, now? Pure: a case, what the backend and the ledger know, the settings and the time in; a decision out.

Every gate is asked, also when one is closed already, so that a person reads all reasons for and against. Gates that
open with time say when; where one cannot open before the limit may be reached, a person is called.
"""

from collections.abc import Iterator, Mapping
from zoneinfo import ZoneInfoNotFoundError

from detectors.types import Level
from leakwatch.act.decision import Case, Decision, Reason, Ruling
from leakwatch.act.gates import of_ledger, of_people, of_state, of_time
from leakwatch.act.records import Act, View
from leakwatch.act.wording import duration
from leakwatch.ports import Action, Standing
from leakwatch.settings import ActSettings
from playbooks.types import Action as Remedy

RAISE_RATIO = 1.25
"""How much more memory a raised limit gives: time for one more look, and never so much that a node is surprised."""

_SPENT_AT_MOST = 0.5
"""Of the low end of the time to the limit, for evidence, drain and stop together (the other half is for surprises)."""


def worth_asking(case: Case, settings: ActSettings) -> bool:
    """Whether the backend need be asked at all: it leaks, and the limit is near."""
    forecast = case.verdict.forecast
    near = forecast is not None and forecast.low <= settings.act_before_limit_seconds
    return case.verdict.level is Level.LEAK and near


def decide(
    case: Case,
    standing: Standing | None,
    view: View,
    settings: ActSettings,
    now_seconds: float,
    offers: Mapping[Remedy, str],
    unknown_because: str = "the backend was not asked",
) -> Decision:
    """What to do about a case.

    Args:
        standing: what the backend knows; None is unknown, and ``unknown_because`` says why.
        offers: which remedies can be carried out here, and the backend of each.
    """
    if case.verdict.level is not Level.LEAK:
        why = f"it is {case.verdict.level}, and only a leak is acted on"
        return Decision(case, Ruling.NOTHING, (Reason("leak", False, why),), now_seconds, revision=view.revision)
    if standing is not None and standing.elsewhere:
        gone = Reason("leak", False, "what leaked has gone, and another instance stands in its place")
        return Decision(case, Ruling.NOTHING, (gone,), now_seconds, revision=view.revision)
    leaks = Reason("leak", True, "it leaks")
    remedy, fits = choose(case, view, offers)
    if remedy is None:
        return Decision(case, Ruling.NOTHING, (leaks, fits), now_seconds, revision=view.revision)
    reasons = [leaks, fits, limit_near(case, settings)]
    if view.problem is not None:
        reasons.append(Reason("ledger", False, view.problem))
    else:
        reasons += of_ledger(case, remedy, view, settings, standing)
    if standing is None:
        reasons.append(Reason("state", False, unknown_because))
    else:
        reasons += of_state(remedy, standing, settings)
    reasons += _windows(settings, now_seconds)
    reasons += of_people(case, remedy, view, settings)
    ruling = _ruling(case, reasons, settings)
    evidence, drain, stop = time_plan(case, remedy, standing, settings)
    action = Action(
        remedy,
        case.target,
        _reason(case),
        settings.dry_run,
        drain,
        stop,
        case.model if remedy is Remedy.RELOAD_MODEL else None,
        round(case.limit_bytes * RAISE_RATIO) if remedy is Remedy.RAISE_LIMIT and case.limit_bytes else None,
    )
    return Decision(
        case,
        ruling,
        tuple(reasons),
        now_seconds,
        action,
        offers[remedy],
        evidence,
        view.revision,
        standing.life if standing else None,
        standing.workload if standing else None,
    )


def choose(case: Case, view: View, offers: Mapping[Remedy, str]) -> tuple[Remedy | None, Reason]:
    """The cheapest remedy that fits the cause, can be carried out here, and has not failed to help already."""
    if case.diagnosis is None or case.diagnosis.remedy is None:
        return None, Reason("remedy", False, "no remedy is known for the cause")
    named = case.diagnosis.remedy.action
    tried = [act for act in view.of(case.target) if act.incident == case.incident]
    passed_over: list[str] = []
    for remedy in dict.fromkeys((named, Remedy.RESTART)):
        obstacle = _obstacle(case, remedy, tried, offers)
        if obstacle is None:
            said = "".join(f"; {one}" for one in passed_over)
            return remedy, Reason("remedy", True, f"{remedy} fits the cause, by the backend {offers[remedy]}{said}")
        passed_over.append(obstacle)
    return None, Reason("remedy", False, "; ".join(passed_over))


def _obstacle(case: Case, remedy: Remedy, tried: list[Act], offers: Mapping[Remedy, str]) -> str | None:
    if remedy not in offers:
        return f"{remedy} cannot be done here"
    if remedy is Remedy.RELOAD_MODEL and case.model is None:
        return f"{remedy} needs to know which model leaks"
    if remedy is Remedy.RAISE_LIMIT and case.limit_bytes is None:
        return f"{remedy} needs to know the limit"
    if remedy is not Remedy.RESTART and any(act.remedy is remedy for act in tried):
        return f"{remedy} was tried in this incident already"
    return None


def limit_near(case: Case, settings: ActSettings) -> Reason:
    """Whether the low end of the time to the limit lies under the bound."""
    forecast, bound = case.verdict.forecast, settings.act_before_limit_seconds
    if forecast is None:
        return Reason("limit_near", False, "no time to a limit is known, so there is nothing to be early for")
    left = f"the limit may be reached in {duration(forecast.low)}"
    if forecast.low > bound:
        return Reason("limit_near", False, f"{left}, which is more than {duration(bound)}", forecast.low - bound)
    return Reason("limit_near", True, f"{left}, which is within {duration(bound)}")


def time_plan(
    case: Case, remedy: Remedy, standing: Standing | None, settings: ActSettings
) -> tuple[float, float, float]:
    """Seconds for evidence, drain and stop: together at most half of the time that is surely left, cut alike."""
    drained = remedy is Remedy.RESTART and standing is not None and "drain" not in standing.not_applicable
    wanted = (
        settings.evidence.time_seconds,
        settings.drain_seconds if drained else 0.0,
        settings.stop_timeout_seconds,
    )
    forecast = case.verdict.forecast
    if forecast is None or not sum(wanted):
        return wanted
    share = min(1.0, _SPENT_AT_MOST * max(forecast.low, 0.0) / sum(wanted))
    evidence, drain, stop = (share * seconds for seconds in wanted)
    return evidence, drain, stop


def _windows(settings: ActSettings, now_seconds: float) -> Iterator[Reason]:
    try:
        yield of_time(settings, now_seconds)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        yield Reason("maintenance_window", False, f"the zone of a maintenance window cannot be read: {error}")


def _ruling(case: Case, reasons: list[Reason], settings: ActSettings) -> Ruling:
    closed = {reason.gate: reason for reason in reasons if not reason.passes}
    asks = "approval" in closed and closed["approval"].opens_in_seconds is None
    if not closed or (asks and settings.dry_run and len(closed) == 1):
        return Ruling.WOULD_ACT if settings.dry_run else Ruling.ACT
    if asks and len(closed) == 1:
        return Ruling.ASK
    forecast = case.verdict.forecast
    people_know = "silence" in closed or ("approval" in closed and not asks)
    # What is under way is verified, and escalates itself where it did not help; till then the verdict is of the past.
    if people_know or closed.keys() & {"limit_near", "under_way"} or forecast is None:
        return Ruling.WAIT
    patience = settings.act_before_limit_seconds / 2  # what is unknown may yet become known
    for gate, reason in closed.items():
        opens = reason.opens_in_seconds
        if gate != "approval" and (forecast.low <= patience if opens is None else opens >= forecast.low):
            return Ruling.ESCALATE
    return Ruling.WAIT


def _reason(case: Case) -> str:
    cause = case.diagnosis.cause.rstrip(".") if case.diagnosis else "it leaks"
    forecast = case.verdict.forecast
    return cause if forecast is None else f"{cause}; the limit may be reached in {duration(forecast.low)}"
