"""The gates before an action, each one reason. Pure; what is unknown is closed, what cannot be is not asked."""

import shlex
from collections.abc import Iterator
from math import inf

from leakwatch.act.decision import Case, Reason
from leakwatch.act.records import Act, View
from leakwatch.act.windows import is_open, next_opening
from leakwatch.act.wording import duration, times
from leakwatch.ports import Standing
from leakwatch.settings import ActSettings, Approval
from playbooks.types import Action as Remedy

NOT_APPLICABLE = "not applicable: the backend has no such thing"


def of_ledger(
    case: Case, remedy: Remedy, view: View, settings: ActSettings, standing: Standing | None
) -> Iterator[Reason]:
    """What was done before, and what people said."""
    workload = standing.workload if standing else None
    own = view.of(case.target, workload)
    yield _silence(case, view)
    yield _stop(case, view, workload)
    yield _open(own)
    yield _cooldown(own, remedy, settings)
    budget = settings.budget
    yield _budget("budget", own, budget.restarts, budget.per_seconds, "of this target or its workload")
    yield _budget("fleet_budget", view.acts, budget.fleet, budget.per_seconds, "of all targets")


def _silence(case: Case, view: View) -> Reason:
    names = (case.target, case.target.partition("/")[0])
    silence = next((one for one in view.silences if one.target in names), None)
    if silence is None:
        return Reason("silence", True, "it is not silenced")
    why = f"silenced by {silence.by} for another {duration(silence.left_seconds)}: {silence.why}"
    return Reason("silence", False, why, silence.left_seconds)


def _stop(case: Case, view: View, workload: str | None) -> Reason:
    stops = (one for one in view.stops if one.target == case.target or (workload and one.workload == workload))
    stop = next(stops, None)
    if stop is None:
        return Reason("stopped", True, "nothing has failed to help")
    return Reason("stopped", False, f"{stop.why}; nothing more is done until 'leakwatch act resume {stop.target}'", inf)


def _open(own: tuple[Act, ...]) -> Reason:
    """An action is over when it was verified, or given up; one on another replica of the workload counts as well."""
    for act in own:
        when = f"an action on {act.target} was begun {duration(act.age_seconds)} ago"
        if not act.ended:
            return Reason("under_way", False, f"{when} and is not over")
        if act.done and act.helped is None:
            return Reason("under_way", False, f"{when} and is still being verified")
    return Reason("under_way", True, "no action is under way")


def _cooldown(own: tuple[Act, ...], remedy: Remedy, settings: ActSettings) -> Reason:
    """A cheaper remedy does not make a dearer one wait: it may be what is needed because the cheap one did not help."""
    wait, costs = settings.cooldown_seconds, list(Remedy)
    ages = [act.age_seconds for act in own if costs.index(act.remedy) >= costs.index(remedy)]
    if not ages:
        return Reason("cooldown", True, "nothing like it was done to the target before")
    ago = min(ages)
    said = f"the last action was {duration(ago)} ago"
    if ago < wait:
        return Reason("cooldown", False, f"{said}, the next may come after {duration(wait)}", wait - ago)
    return Reason("cooldown", True, f"{said}, more than {duration(wait)}")


def _budget(gate: str, acts: tuple[Act, ...], allowed: int, per_seconds: float, whose: str) -> Reason:
    """Every action counts, also one that failed or was never finished."""
    ages = sorted((act.age_seconds for act in acts if act.age_seconds < per_seconds), reverse=True)
    said = f"{len(ages)} of {allowed} actions {whose} in {duration(per_seconds)} are used"
    if len(ages) < allowed:
        return Reason(gate, True, said)
    opens = per_seconds - ages[len(ages) - allowed] if allowed else inf
    return Reason(gate, False, f"{said}: acted {times(len(ages))}" if ages else said, opens)


def of_state(remedy: Remedy, standing: Standing, settings: ActSettings) -> Iterator[Reason]:
    """What the backend sees; only a restart disturbs more than the container itself."""
    absent = standing.not_applicable
    if remedy is not Remedy.RESTART:
        return
    yield _uptime(standing, settings)
    if "replicas" in absent:
        yield Reason("replicas", True, NOT_APPLICABLE)
    else:
        yield _at_least("replicas", standing.other_replicas_ready, "other replicas are ready")
    if "rollout" in absent:
        yield Reason("rollout", True, NOT_APPLICABLE)
    elif standing.rollout_in_progress is None:
        yield Reason("rollout", False, "whether a rollout is in progress is unknown")
    elif standing.rollout_in_progress:
        yield Reason("rollout", False, "its workload is in the middle of a rollout, or paused")
    else:
        yield Reason("rollout", True, "no rollout is in progress")
    if "disruption_budget" in absent:
        yield Reason("disruption_budget", True, NOT_APPLICABLE)
    else:
        yield _at_least("disruption_budget", standing.disruptions_allowed, "disruptions are allowed by its budgets")


def _uptime(standing: Standing, settings: ActSettings) -> Reason:
    if "uptime" in standing.not_applicable:
        return Reason("min_uptime", True, NOT_APPLICABLE)
    up, least = standing.uptime_seconds, settings.min_uptime_seconds
    if up is None or ("life" not in standing.not_applicable and standing.life is None):
        return Reason("min_uptime", False, "how long it has been up is unknown")
    if up < least:
        why = f"it has been up for {duration(up)}, and is left alone for its first {duration(least)}"
        return Reason("min_uptime", False, why, least - up)
    return Reason("min_uptime", True, f"it has been up for {duration(up)}")


def _at_least(gate: str, number: int | None, what: str) -> Reason:
    if number is None:
        return Reason(gate, False, f"how many {what} is unknown")
    return Reason(gate, number >= 1, f"{number} {what}")


def of_time(settings: ActSettings, now_seconds: float) -> Reason:
    """Raises what `leakwatch.act.windows` does of a zone that is not known."""
    windows = settings.maintenance_windows
    if not windows:
        return Reason("maintenance_window", True, "no maintenance windows are set: any time will do")
    if is_open(windows, now_seconds):
        return Reason("maintenance_window", True, "a maintenance window is open")
    opens = next_opening(windows, now_seconds)
    when = f"; the next opens in {duration(opens)}" if opens is not None else "; none opens within nine days"
    return Reason("maintenance_window", False, f"no maintenance window is open{when}", inf if opens is None else opens)


def of_people(case: Case, remedy: Remedy, view: View, settings: ActSettings) -> Iterator[Reason]:
    """Approval, where one is required; a yes is for the remedy that was asked about, in its incident."""
    if settings.approval is Approval.NONE:
        yield Reason("approval", True, "no approval is required")
        return
    asked = next((one for one in view.approvals if one.target == case.target), None)
    if asked is None or (asked.incident, asked.remedy) != (case.incident, remedy) or asked.answer is None:
        yield Reason("approval", False, f"a person has to agree: leakwatch act approve {shlex.quote(case.target)}")
    elif not asked.answer:
        yield Reason("approval", False, f"{asked.by} said no for this incident", inf)
    elif not asked.left_seconds:
        yield Reason("approval", False, f"the yes of {asked.by} is used up or too old; a person has to agree again")
    else:
        yield Reason("approval", True, f"{asked.by} agreed, for another {duration(asked.left_seconds)}")
