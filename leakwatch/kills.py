"""Logs beside a trace: which memory events may be this container's, and whether its trend led to the kills."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from detectors.types import Answer, Assessment, Incident, OomEvent
from leakwatch import detect
from leakwatch.tell import units
from leakwatch.trace import Trace
from playbooks.types import Fact

AT_LIMIT_RATIO = 0.92
"""A container that was seen at this share of its limit or above grew into it, as Robusta judges; below, it jumped."""
FALLEN_RATIO = 0.8
"""A new process starts with less than this share of what the killed one held."""
LIMIT_TOLERANCE = 0.05
"""A kill by a limit further than this from the trace's was another cgroup's."""
LONGEST_RESTART_SECONDS = 300.0
"""The kubelet waits up to this long before it starts a container that keeps failing (its back-off's upper end)."""
LEAST_MARGIN_SECONDS = 60.0
_TOLD_ONE_BY_ONE = 3
_SAMPLES_BEFORE = 3

_IDENTIFIER = re.compile(r"[0-9a-f]{12,64}|[0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class LogEvidence:
    """What logs tell, each with the path of its log; incident numbers are unique over all of them."""

    events: tuple[tuple[str, OomEvent], ...] = ()
    incidents: tuple[Incident, ...] = ()


def with_kills(trace: Trace, assessment: Assessment, evidence: LogEvidence) -> Assessment:
    """The assessment with the events that fall into the trace and may be this container's, and sentences about them.

    A proven kill after which the memory fell is a restart, also where the trace alone did not show one. An event that
    names a container, a pod or a limit that is not the trace's is left out; one that names none, or in
    a trace without a name, cannot be told apart and stays.
    """
    if not len(trace.time_seconds):
        return assessment
    margin = _margin(trace)
    dates = {incident.number: incident.at for incident in evidence.incidents}
    mine = {incident.number: incident for incident in _own(trace, evidence)}
    events = tuple(
        (source, event)
        for source, event in evidence.events
        if _within(event.at if event.at is not None else dates.get(event.incident or 0), trace, margin)
        and (event.incident in mine if event.incident is not None else _may_be(trace, event.fields, None))
    )
    incidents = sorted(mine.values(), key=lambda one: one.at or 0.0)
    verdict = replace(assessment.verdict, restarts=_restarts(trace, assessment, incidents, margin))
    sentences = tuple(_sentences(trace, replace(assessment, verdict=verdict), incidents, margin))
    verdict = replace(verdict, because=(*verdict.because, *sentences))
    return replace(assessment, verdict=verdict, oom_events=events)


def cut_at_kills(trace: Trace, assessment: Assessment, evidence: LogEvidence) -> Assessment:
    """The trace judged anew, cut where logs prove a kill that its numbers alone did not show; else ``assessment``."""
    if not len(trace.time_seconds):
        return assessment
    restarts = _restarts(trace, assessment, _own(trace, evidence), _margin(trace))
    return detect.assess(trace, restarts) if len(restarts) > len(assessment.verdict.restarts) else assessment


def facts_of_logs(trace: Trace, assessment: Assessment, evidence: LogEvidence) -> tuple[Fact, ...]:
    """What the logs tell a playbook about this container; ``assessment`` is that of `with_kills`."""
    from leakwatch.diagnose import facts_of_kills  # YAML: 20 ms

    events = tuple(event for _, event in assessment.oom_events)
    numbers = {event.incident for event in events}
    return facts_of_kills(trace, assessment, [one for one in evidence.incidents if one.number in numbers], events)


def _margin(trace: Trace) -> float:
    """How far apart, in seconds, a log and a trace may say that the same thing happened."""
    steps = np.diff(trace.time_seconds)
    return max(LEAST_MARGIN_SECONDS, 2 * float(np.median(steps))) if len(steps) else LEAST_MARGIN_SECONDS


def _own(trace: Trace, evidence: LogEvidence) -> list[Incident]:
    """The incidents that fall into the trace and may be this container's."""
    fields, margin = _fields_by_incident(evidence), _margin(trace)
    return [
        incident
        for incident in evidence.incidents
        if _within(incident.at, trace, margin) and _may_be(trace, fields.get(incident.number, {}), incident)
    ]


def _fields_by_incident(evidence: LogEvidence) -> dict[int, dict[str, object]]:
    """Everything that the lines of each incident name."""
    fields: dict[int, dict[str, object]] = {}
    for _, event in evidence.events:
        if event.incident is not None:
            fields.setdefault(event.incident, {}).update(event.fields)
    for one in evidence.incidents:
        ids = {"container_id": one.container_id, "pod_uid": one.pod_uid}
        fields.setdefault(one.number, {}).update({name: said for name, said in ids.items() if said})
    return fields


def _within(at: float | None, trace: Trace, margin: float) -> bool:
    return at is not None and trace.time_seconds[0] - margin <= at <= trace.time_seconds[-1] + margin


def _may_be(trace: Trace, fields: Mapping[str, object], incident: Incident | None) -> bool:
    if incident is not None and incident.scope == "node":
        return True  # whoever was killed, the node was full, and this container was on it
    limit = incident.limit_bytes if incident is not None else None
    if limit and trace.limit_bytes and abs(limit / trace.limit_bytes - 1) > LIMIT_TOLERANCE:
        return False
    name = trace.target.container
    if name is None:
        return True
    named = {re.sub("[-_]", "", found) for found in _IDENTIFIER.findall(name)}
    for key in ("container_id", "pod_uid"):
        said = re.sub("[-_]", "", str(fields.get(key) or ""))
        alike = [one for one in named if (len(one) == 32) == (key == "pod_uid")]
        if said and alike:
            return any(said.startswith(one) or one.startswith(said) for one in alike)
    for key in ("container", "pod"):
        said = str(fields.get(key) or "")
        if said and said not in name and name not in said:
            return False
    return True


def _restarts(trace: Trace, assessment: Assessment, incidents: Sequence[Incident], margin: float) -> tuple[float, ...]:
    """Those that the trace shows, and the first samples after proven kills from which the memory fell."""
    found = list(assessment.verdict.restarts)
    column = trace.columns.get(assessment.verdict.metric or "")
    for at in (one.at for one in incidents if one.proves_oom and one.scope == "container" and one.at is not None):
        row = int(np.searchsorted(trace.time_seconds, at, side="right"))
        before = _level_before(trace, assessment, at)
        if column is None or row == len(column) or before is None or not column[row] < FALLEN_RATIO * before:
            continue
        if all(abs(seen - trace.time_seconds[row]) > margin for seen in found):
            found.append(float(trace.time_seconds[row]))
    return tuple(sorted(found))


def _sentences(trace: Trace, assessment: Assessment, incidents: Sequence[Incident], margin: float) -> Iterator[str]:
    proven = [one for one in incidents if one.proves_oom]
    for one in proven[:_TOLD_ONE_BY_ONE]:
        yield _kill(trace, assessment, one, margin)
    if len(proven) > _TOLD_ONE_BY_ONE:
        last = units.moment(proven[-1].at or 0.0)
        yield f"the logs prove {units.count(len(proven), 'kill')} for want of memory in this trace, the last at {last}"
    unproven = [one for one in incidents if not one.proves_oom]
    if unproven and not proven:
        why = f": {unproven[0].because[0]}" if unproven[0].because else ""
        yield f"at {units.moment(unproven[0].at or 0.0)} the logs show trouble but prove no OOM kill{why}"


def _kill(trace: Trace, assessment: Assessment, incident: Incident, margin: float) -> str:
    at = incident.at or 0.0
    when = units.moment(at)
    victim = units.visible(incident.victim or "a process") + (f" (pid {incident.pid})" if incident.pid else "")
    level = _level_before(trace, assessment, at)
    limit = incident.limit_bytes or trace.limit_bytes
    share = level / limit if level is not None and limit else None
    stood = f"; the container stood at {units.share(share)} of its limit" if share is not None else ""
    if incident.scope == "gpu":
        return f"memory of the GPU, not of the container, ran out for {victim} at {when}"
    if incident.scope == "node":
        return f"the node ran out of memory and the kernel killed {victim} at {when}{stood}"
    restart = _restart_after(trace, assessment, at, margin)
    if incident.scope == "child" or not restart:
        child = ", a child process," if incident.scope == "child" else ""
        killed = f"the kernel killed {victim}{child} at {when} for want of memory"
        return f"{killed}, and the container went on: no restart follows"
    if share is None or limit is None:
        return f"the kernel killed {victim} at {when} for want of memory, and the container started again"
    if share < AT_LIMIT_RATIO:
        jumped = f"a sudden allocation, for the last sample stood at {units.share(share)} of the limit"
        return f"the kernel killed {victim} at {when}, after {jumped} of {units.size(limit)}"
    trend, onset = assessment.verdict.trend, assessment.verdict.onset
    if assessment.verdict.verdict is Answer.LEAK and trend is not None:
        since = f" since {units.moment(onset)}" if onset is not None and onset < at else ""
        grown = f"growth of {units.rate(trend.slope_per_second)}{since}"
        return f"{grown} reached the limit of {units.size(limit)}; the kernel killed {victim} at {when}"
    return f"the kernel killed {victim} at {when}, at {units.share(share)} of the limit of {units.size(limit)}"


def _restart_after(trace: Trace, assessment: Assessment, at: float, margin: float) -> bool:
    """Whether a life ended there: a restart follows, or the trace has nothing after it."""
    restarts = np.asarray(assessment.verdict.restarts)
    follows = (restarts >= at - margin) & (restarts <= at + LONGEST_RESTART_SECONDS + margin)
    return bool(follows.any()) or bool(trace.time_seconds[-1] <= at + margin)


def _level_before(trace: Trace, assessment: Assessment, at: float) -> float | None:
    """The highest of the last samples before the kill, which a scrape during it does not hide.

    A log's clock may run late: a restart just before the time that it tells is this kill's, and ends what was before.
    """
    column = trace.columns.get(assessment.verdict.metric or "")
    if column is None:
        return None
    margin = _margin(trace)
    ended = max((one for one in assessment.verdict.restarts if at - margin <= one <= at), default=None)
    if ended is None:
        known = column[: int(np.searchsorted(trace.time_seconds, at, side="right"))]
    else:
        known = column[: int(np.searchsorted(trace.time_seconds, ended, side="left"))]
    known = known[np.isfinite(known)][-_SAMPLES_BEFORE:]
    return float(known.max()) if len(known) else None
