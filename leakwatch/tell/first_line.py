"""The first line of a message: what, which, how fast, how long left, and what was done. Pure."""

import math

from detectors.types import LiveVerdict
from leakwatch.ports import Action, Outcome, Stage
from leakwatch.tell import units
from leakwatch.tell.incident import IncidentState, News
from leakwatch.tell.sentences import metric_name
from playbooks.types import Action as Remedy

_DO = {Remedy.RELOAD_MODEL: "reload", Remedy.RAISE_LIMIT: "raise the limit", Remedy.RESTART: "restart"}
_DID = {Remedy.RELOAD_MODEL: "reloaded", Remedy.RAISE_LIMIT: "raised the limit", Remedy.RESTART: "restarted"}
_ABOUT = "about to"
_NOW_SECONDS = 60.0
NO_LONGER = "no longer grows"
_WORDS = {Stage.ESCALATED: "ESCALATED", Stage.RESOLVED: "RESOLVED"}


def title(stage: Stage, state: IncidentState, now: float, *, flapped: bool = False, gone: str | None = None) -> str:
    """LEAK serving: anon grows 12.1 MiB/h (11.6 to 12.7), 3 h 20 min left to 16 GiB; nothing done (dry run): ..."""
    # what was done was done about the leak, which may have ended with it before the backend said so
    about = state.grew or state.about if stage is Stage.ACTED else state.about
    leaks = state.leak or (stage is Stage.ACTED and state.grew)
    word = _WORDS.get(stage) or ("KILLED" if state.alarm else "LEAK" if leaks else "WARNING")
    name = units.shortened(units.visible(state.target))
    if stage is Stage.RESOLVED:
        lasted = units.duration(max(0.0, now - state.opened_at)) if state.opened_at is not None else "some time"
        parts = (f"open for {lasted}", *_looking_back(state), gone, *_deeds(state, now))
        return f"{word} {name}: {'; '.join(part for part in parts if part)}{_verified(state)}"
    reason = state.escalated if stage is Stage.ESCALATED else None
    parts = (reason, state.alarm, about if about != state.alarm else "", *_deeds(state, now))
    said = "; ".join(part.rstrip(".") for part in parts if part)
    return f"{word} {name}: {said}" + (f" (back for the {_ordinal(state.reopened + 1)} time)" if flapped else "")


def _looking_back(state: IncidentState) -> tuple[str, ...]:
    """What was wrong."""
    over = not state.about or state.about == state.grew or state.about.endswith(NO_LONGER)
    return tuple(part for part in (state.pace, "" if over else state.about) if part) or ("well again",)


def _deeds(state: IncidentState, now: float) -> tuple[str, ...]:
    """What was done about it, with the time where that is not now; also what was done before it came back."""
    if state.deed is None or state.deed_at is None:
        return (state.did,)
    at = f" at {units.moment(state.deed_at)[11:16]}Z"
    if abs(now - state.deed_at) >= 86_400:
        at = f" at {units.moment(state.deed_at)}"
    if state.did != state.deed:
        return state.did, f"before that {state.deed}{at}"
    return (state.did + (at if abs(now - state.deed_at) >= _NOW_SECONDS else ""),)


def _verified(state: IncidentState) -> str:
    """Whether it is known that what was done helped; nothing where nothing was."""
    if not state.acts:
        return ""
    return ", verified" if state.verified is not None else ", not verified"


def grew(verdict: LiveVerdict) -> str:
    """anon grew 12.1 MiB/h (11.6 to 12.7)."""
    return f"{metric_name(verdict.metric)} grew{_rate(verdict)}"


def growth(verdict: LiveVerdict, limit_bytes: float | None) -> str:
    """anon grows 12.1 MiB/h (11.6 to 12.7), 3 h 20 min left to 16 GiB."""
    said = f"{metric_name(verdict.metric)} grows{_rate(verdict)}"
    if not limit_bytes:
        return f"{said}, no limit known"
    limit, forecast = units.size(limit_bytes), verdict.forecast
    if forecast is None or not math.isfinite(forecast.seconds_to_limit):
        return f"{said}, limit {limit}"
    if forecast.seconds_to_limit <= 0:
        return f"{said}, the limit of {limit} is reached"
    return f"{said}, {units.duration(forecast.seconds_to_limit)} left to {limit}"


def _rate(verdict: LiveVerdict) -> str:
    trend = verdict.trend
    if trend is None:
        return ""
    _, scale = units.size_unit(trend.slope_per_second * 3600)
    low, high = (units.number(end * 3600 / scale) for end in (trend.low, trend.high))
    return f" {units.rate(trend.slope_per_second)} ({low} to {high})"


def done(news: News, state: IncidentState) -> str:
    """What was done, or why nothing was; as before where this cycle says nothing about it.

    Why nothing more is done is no news after something was.
    """
    action, outcome = news.action, news.outcome
    if action is not None and action.dry_run:
        return f"nothing done (dry run): would {what(action)}"
    if action is not None and outcome is not None:
        return _carried_out(action, outcome)
    if action is not None and news.approval is not None:
        return f"nothing done: waits for approval to {what(action)}"
    if news.held is not None and not state.acts:
        return f"nothing done: {news.held}"
    if action is None and news.escalate is not None and state.did.startswith(_ABOUT):
        return "nothing more done"  # what was about to be done was not, or nobody knows
    return f"{_ABOUT} {what(action)}" if action is not None else state.did


def what(action: Action) -> str:
    """restart; reload MODEL; raise the limit to 20 GiB."""
    return f"{_DO[action.remedy]}{_object(action)}"


def _carried_out(action: Action, outcome: Outcome) -> str:
    if not outcome.done:
        return f"could not {what(action)}: {outcome.detail}"
    return f"{_DID[action.remedy]}{_object(action)} in {units.duration(outcome.took_seconds)}"


def _object(action: Action) -> str:
    if action.remedy is Remedy.RELOAD_MODEL and action.model is not None:
        return f" {units.visible(action.model)}"
    if action.remedy is Remedy.RAISE_LIMIT and action.limit_bytes is not None:
        return f" to {units.size(action.limit_bytes)}"
    return ""


def _ordinal(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
