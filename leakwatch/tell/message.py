"""What to say of one target, and when: its incident so far and what happened now give the next message, or none. Pure.

One incident a target: opened, updated, acted, resolved; an escalation where a person has to look. Nothing is said
twice, and an incident that comes and goes speaks ever more seldom (`leakwatch.tell.incident.Pace`).
"""

import math
import re
from dataclasses import replace

from detectors.types import Level, LiveVerdict
from leakwatch.ports import Notification, Severity, Stage
from leakwatch.tell import first_line, units
from leakwatch.tell.changes import changes_of, waiting_lines
from leakwatch.tell.facts import facts_of
from leakwatch.tell.incident import IncidentState, News, Pace
from leakwatch.tell.sentences import metric_name

CRITICAL_SECONDS = 86_400.0
"""A leak that may reach its limit within a day does so before anyone has had a working day for it."""
_LEAST_SECONDS = 30.0
_NUMBERS = re.compile(r"[\d.,:]+")


def advance(
    state: IncidentState, news: News, now: float, pace: Pace | None = None
) -> tuple[IncidentState, Notification | None]:
    """The incident after what happened at ``now`` (Unix seconds), and what is to be said about it.

    Call it every cycle, also where nothing happened: a message that had to wait goes out then, and an incident that is
    over is resolved. A clock that was set back delays nothing.
    """
    pace = pace or Pace()
    seen = _remember(state, news, now, pace)
    if not seen.is_open:
        return seen, None
    changes, halved = changes_of(state, seen, news)
    stage = _stage(state, seen, news, now, pace)
    told = seen.told_at is not None
    if (
        stage is None
        and told
        and changes
        and seen.clear_at is None
        and _may_update(state, news, now, pace, halved=halved)
    ):
        stage = Stage.UPDATED
    if stage is None:
        return seen, None
    if stage is Stage.ESCALATED:
        seen = replace(seen, escalated=news.escalate)
    return _told(seen, news, stage, changes, now), _notification(seen, news, stage, changes, now)


def in_parts(state: IncidentState, news: News) -> tuple[News, ...]:
    """The news in the order in which they are told: an incident is opened before it is said what came of it."""
    told = state.is_open and state.told_at is not None
    if told or (news.outcome is None and news.escalate is None and news.verified is None):
        return (news,)
    opening = replace(news, deciding=False, outcome=None, escalate=None, verified=None)
    return opening, replace(news, began=(), ended=(), lines=(), alarms=())


def _remember(state: IncidentState, news: News, now: float, pace: Pace) -> IncidentState:
    """What is true now; opens an incident where something is wrong and none is open."""
    verdict = news.verdict
    leak = state.leak if verdict is None else verdict.level is Level.LEAK and not _is_over(verdict, state, now, pace)
    leak = leak and news.verified is None and news.gone is None
    over = {name for name, _ in news.ended}
    began = tuple((name, said) for name, said in news.began if name not in state.conditions)
    conditions = tuple(name for name in (*state.conditions, *(name for name, _ in began)) if name not in over)
    if news.gone is not None:
        conditions = ()
    ended = tuple(said for name, said in news.ended if name in state.conditions)
    acted = news.action is not None and news.outcome is not None and not news.action.dry_run
    wrong = leak or bool(conditions or news.alarms) or news.escalate is not None
    seen = state
    if not state.is_open:
        if not (wrong or acted):
            return replace(state, leak=leak, conditions=conditions)
        seen = _opened(state, verdict if leak else None, now, pace)
    events = (*(said for _, said in began), *ended, *news.alarms, *news.lines)
    events = tuple(f"{units.moment(now)[11:]} {said}" for said in events)
    if state.is_open and verdict is not None and leak != state.leak and news.verified is None and news.gone is None:
        events = (*events, f"{units.moment(now)[11:]} {'grows' if leak else first_line.NO_LONGER}")
    did = first_line.done(news, seen)
    carried_out = acted and news.outcome is not None and news.outcome.done
    return replace(
        seen.with_lines(events),
        leak=leak,
        conditions=conditions,
        about=(about := _about(seen, news, began, leak=leak)),
        grew=about if leak else seen.grew,
        pace=first_line.grew(verdict) if leak and verdict is not None else seen.pace,
        did=did,
        deed=did if carried_out else seen.deed,
        deed_at=now if carried_out else seen.deed_at,
        alarm=news.alarms[-1].rstrip(".") if news.alarms else seen.alarm,
        verified=None if leak or news.alarms else news.verified or seen.verified,
        verified_at=now if news.verified is not None else seen.verified_at,
        acts=seen.acts + carried_out,
        clear_at=None if wrong else (now if seen.clear_at is None else seen.clear_at),
    )


def _is_over(verdict: LiveVerdict, state: IncidentState, now: float, pace: Pace) -> bool:
    """Whether this leak is the one whose end was verified: the detector, which is slow to let go, holds it still."""
    ended_at = state.verified_at if state.is_open and state.verified is not None else state.closed_at
    if ended_at is None or verdict.since is None or verdict.since > ended_at:
        return False
    return abs(now - ended_at) < 4 * pace.settle_seconds


def _opened(state: IncidentState, verdict: LiveVerdict | None, now: float, pace: Pace) -> IncidentState:
    if state.closed_at is not None and abs(now - state.closed_at) < pace.most_settle_seconds:
        again = IncidentState(state.target, state.key, state.number, opened_at=now)
        again = replace(again, deed=state.deed, deed_at=state.deed_at)
        return replace(again, reopened=state.reopened + 1, updates=state.updates)
    since = verdict.since if verdict is not None else None
    began = since if since is not None and since > (state.closed_at or -math.inf) else now
    return IncidentState(state.target, key=f"{units.visible(state.target)}@{round(began)}", opened_at=now)


def _about(state: IncidentState, news: News, began: tuple[tuple[str, str], ...], *, leak: bool) -> str:
    verdict = news.verdict
    if leak:
        return first_line.growth(verdict, news.limit_bytes) if verdict is not None else state.about
    said = (*news.alarms, *(sentence for _, sentence in began))
    if said:
        return said[0].rstrip(".")
    if verdict is not None and state.leak:
        return f"{metric_name(verdict.metric)} {first_line.NO_LONGER}"
    return first_line.NO_LONGER if state.leak else state.about


def _stage(state: IncidentState, seen: IncidentState, news: News, now: float, pace: Pace) -> Stage | None:
    """What has to be said at once, whatever was said before; None where nothing has."""
    if (
        news.escalate is not None
        and _is_another(news.escalate, state.escalated)
        and (state.escalated is None or _may_update(state, news, now, pace, halved=False))
    ):
        return Stage.ESCALATED
    action, outcome = news.action, news.outcome
    if action is not None and outcome is not None and not action.dry_run:
        return Stage.ACTED
    if seen.told_at is None or (seen.leak and seen.told_low is None):
        waits = news.deciding and abs(now - (seen.opened_at or now)) < pace.most_decide_seconds
        return None if waits else Stage.OPENED
    if _plan(news) not in (None, state.planned):
        return Stage.ACTED
    if seen.clear_at is None:
        return None
    if seen.verified is not None or news.gone is not None:
        return Stage.RESOLVED
    settle_seconds = min(pace.settle_seconds * 4.0 ** min(seen.reopened, 20), pace.most_settle_seconds)
    return Stage.RESOLVED if abs(now - seen.clear_at) >= settle_seconds else None


def _is_another(reason: str, before: str | None) -> bool:
    """Whether it is another reason, and not the same one with other numbers: a gate that opens in 28 min, in 27 min."""
    return before is None or _NUMBERS.sub("", reason) != _NUMBERS.sub("", before)


def _plan(news: News) -> str | None:
    """Names the action that would be taken, or that waits for approval; None where there is none."""
    if news.action is None or not (news.action.dry_run or news.approval is not None):
        return None
    return f"{'would' if news.action.dry_run else 'asks to'} {first_line.what(news.action)}"


def _may_update(state: IncidentState, news: News, now: float, pace: Pace, *, halved: bool) -> bool:
    """Whether the last message is old enough; a kill waits a tenth of the time, a limit that comes near less yet."""
    if state.told_at is None:
        return True
    wait_seconds = min(pace.update_seconds * 2.0 ** min(state.updates, 20), pace.most_update_seconds)
    if news.alarms:
        wait_seconds /= 10
    if halved and state.told_left is not None:
        wait_seconds = min(wait_seconds, state.told_left / 4)
    return abs(now - state.told_at) >= max(wait_seconds, _LEAST_SECONDS)


def _told(seen: IncidentState, news: News, stage: Stage, changes: tuple[str, ...], now: float) -> IncidentState:
    verdict = news.verdict if seen.leak else None
    told = replace(
        seen,
        number=seen.number + 1,
        told_at=now,
        lines=(),
        withheld=0,
        alarm=None,
        severity=str(_severity(seen, news, stage)),
        # what is planned after an action is another plan, though it may read the same
        planned=None if stage is Stage.ACTED and news.outcome is not None else _plan(news) or seen.planned,
        updates=seen.updates + (stage is Stage.UPDATED),
        closed_at=now if stage is Stage.RESOLVED else None,
        verified=None if stage is Stage.RESOLVED else seen.verified,
        clear_at=None if stage is Stage.RESOLVED else seen.clear_at,
    )
    if verdict is None:
        return told
    trend, forecast = verdict.trend, verdict.forecast
    return replace(
        told,
        told_low=trend.low if trend is not None else 0.0,
        told_high=trend.high if trend is not None else math.inf,
        told_left=forecast.seconds_to_limit if forecast is not None else None,
    )


def _severity(seen: IncidentState, news: News, stage: Stage) -> Severity:
    if stage is Stage.RESOLVED:
        return Severity.INFO
    failed = news.outcome is not None and not news.outcome.done
    if stage is Stage.ESCALATED or seen.alarm is not None or failed:
        return Severity.CRITICAL
    forecast = news.verdict.forecast if news.verdict is not None else None
    if seen.leak and forecast is not None and forecast.low < CRITICAL_SECONDS:
        return Severity.CRITICAL
    return Severity(seen.severity) if news.verdict is None and seen.number else Severity.WARNING


def _notification(
    seen: IncidentState,
    news: News,
    stage: Stage,
    changes: tuple[str, ...],
    now: float,
) -> Notification:
    because = news.verdict.because if news.verdict is not None and seen.leak else ()
    verified = (seen.verified,) if stage is Stage.RESOLVED and seen.verified is not None else ()
    flapped = stage is Stage.OPENED and seen.reopened > 0 and seen.told_at is None
    return Notification(
        key=seen.key or seen.target,
        number=seen.number + 1,
        at_seconds=now,
        stage=stage,
        severity=_severity(seen, news, stage),
        target=seen.target,
        title=first_line.title(stage, seen, now, flapped=flapped, gone=news.gone),
        sentences=because,
        news=verified + (changes if seen.number else waiting_lines(seen)),
        facts=facts_of(seen, news, now),
        diagnosis=news.diagnosis,
        action=news.action,
        outcome=news.outcome,
        approval=news.approval,
    )
