"""What logs and exit codes tell about how a process ended, and where its memory stood then -> facts."""

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from detectors.types import Answer, Assessment, FloatArray, Incident, OomEvent
from leakwatch.diagnose.page_facts import last_rise
from leakwatch.trace import Trace
from playbooks.types import Fact
from playbooks.vocabulary import FACTS

_KINDS = FACTS["oom_kind"].words
"""The most telling first."""
_ENDS = {0: "success", 132: "illegal_instruction", 134: "abort", 137: "sigkill", 139: "segfault", 143: "sigterm"}
_SAMPLES_BEFORE = 3
_CLOCKS_APART_SECONDS = 60.0
_LONG_SECONDS = 3600.0
"""A trace that shows the process for so long before the kill says that it was no start, also without its beginning."""


def facts_of_incidents(incidents: Sequence[Incident], events: Sequence[OomEvent] = ()) -> tuple[Fact, ...]:
    """What logs that were read tell of one container; nothing where they hold neither an incident nor an event.

    Args:
        incidents: the container's own, in any order. The last that is proven counts, else the last.
        events: the lines that they come from, from which the kind and the exit code are taken.
    """
    return tuple(_told(incidents, events))


def facts_of_kills(
    trace: Trace, assessment: Assessment, incidents: Sequence[Incident], events: Sequence[OomEvent] = ()
) -> tuple[Fact, ...]:
    """What incidents tell (`facts_of_incidents`), and where the memory stood before the one that counts.

    Those from before the growth that is to be explained are left out: they had another cause, or nobody can tell.
    """
    since = matters_since(trace, assessment)
    over = {one.number for one in incidents if one.at is not None and one.at < since}
    incidents = [one for one in incidents if one.number not in over]
    last = last_incident(incidents)
    told = facts_of_incidents(incidents, [event for event in events if event.incident not in over])
    if last is None or last.at is None:
        return told
    return (*told, *facts_of_kill(trace, assessment, last.at, last.limit_bytes))


def matters_since(trace: Trace, assessment: Assessment) -> float:
    """From when on a kill has to do with what is judged: the onset of a leak, else the start of the trace."""
    verdict, time = assessment.verdict, trace.time_seconds
    began = verdict.onset if verdict.verdict is Answer.LEAK and verdict.onset is not None else None
    if began is None:
        began = float(time[0]) if len(time) else -math.inf
    return began - _CLOCKS_APART_SECONDS


def without_doubts(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """The same, but that a proof of a kill is not undone by another source that has none."""
    facts = tuple(facts)
    proven = any(fact.name == "oom_proven" and fact.value is True for fact in facts)
    return tuple(fact for fact in facts if not (proven and fact.name == "oom_proven" and fact.value is not True))


def last_incident(incidents: Sequence[Incident]) -> Incident | None:
    """The one that counts."""
    return max(incidents, key=lambda one: (one.proves_oom, one.at or 0.0, one.number), default=None)


def facts_of_exit_code(exit_code: int) -> tuple[Fact, ...]:
    """How a process ended, from the exit code that a shell or a runtime reports (128 and the number of a signal)."""
    return (Fact("ended_by", _ENDS.get(exit_code, "error"), f"it ended with exit code {exit_code}"),)


def facts_of_kill(
    trace: Trace, assessment: Assessment, at_seconds: float, limit_bytes: float | None = None
) -> tuple[Fact, ...]:
    """Where the memory stood before a kill, and how long before it the process started or a model was loaded.

    Args:
        trace, assessment: of the container that was killed.
        at_seconds: Unix seconds of the kill.
        limit_bytes: of the cgroup that was at its limit, where that is known; else the trace's.
    """
    return tuple(_before(trace, assessment, at_seconds, limit_bytes or trace.limit_bytes))


def _told(incidents: Sequence[Incident], events: Sequence[OomEvent]) -> Iterator[Fact]:
    one = last_incident(incidents)
    if one is None and not events:
        return
    reasons = one.because if one is not None else ()
    killed = next((reason for reason in reasons if "killed" in reason), "".join(reasons[:1]))
    yield Fact("oom_proven", one is not None and one.proves_oom, killed or "the logs hold no line that proves a kill")
    if one is not None:
        victim = f" ({one.victim})" if one.victim else ""
        if FACTS["oom_scope"].fits(one.scope):
            yield Fact("oom_scope", one.scope, f"what ran out was the memory of the {one.scope}{victim}")
    own = [event for event in events if one is None or event.incident == one.number]
    kinds = sorted({event.kind for event in own if event.kind in _KINDS}, key=_KINDS.index)
    if kinds:
        yield Fact("oom_kind", kinds[0], f"the logs hold a line of the kind {kinds[0]}")
    codes = [code for event in own if (code := _exit_code(event)) is not None]
    if codes:
        yield from facts_of_exit_code(codes[-1])


def _exit_code(event: OomEvent) -> int | None:
    said = event.fields.get("exit_code")
    if isinstance(said, int) or (isinstance(said, str) and said.isascii() and said.isdigit()):
        return int(said)
    return 137 if event.kind == "process_killed_137" else None


def last_running_level(life: FloatArray) -> float | None:
    """The highest of a life's last samples; None where nothing is known of it.

    The samples of an outage, between the end of one process and the start of the next, lie far below its level: only
    those from half of the life's maximum on are looked at, and of them the last ones.
    """
    known = life[np.isfinite(life)]
    running = known[known >= known.max(initial=0.0) / 2]
    return float(running[-_SAMPLES_BEFORE:].max()) if len(running) else None


def _before(trace: Trace, assessment: Assessment, at: float, limit: float | None) -> Iterator[Fact]:
    time, restarts = trace.time_seconds, assessment.verdict.restarts
    # A log's clock is another one, and may tell whole seconds: the restart that the trace shows there says when it was.
    nearest = min(restarts, key=lambda restart: abs(restart - at), default=None)
    ended = nearest if nearest is not None and abs(nearest - at) <= _CLOCKS_APART_SECONDS else at
    row = int(np.searchsorted(time, ended, side="left" if ended == nearest else "right"))
    started = max((restart for restart in restarts if restart < ended), default=None)
    first = 0 if started is None else int(np.searchsorted(time, started, side="left"))
    column = trace.columns.get(assessment.verdict.metric or "")
    level = last_running_level(column[first:row]) if column is not None else None
    if level is not None and limit and limit >= 1:
        share = level / limit
        yield Fact("level_before_kill_ratio", share, f"before the kill it stood at {share:.0%} of the limit")
    loads = [
        loaded
        for name, counts in trace.columns.items()
        if name.partition(":")[0] == "model_loads_total"
        if (loaded := last_rise(time[first:row], counts[first:row])) is not None
    ]
    if loads:
        seconds = ended - max(loads)
        yield Fact("seconds_load_to_kill", seconds, f"a model was loaded {seconds:.0f} s before the kill")
    if started is not None:
        seconds = ended - started
        yield Fact("seconds_start_to_kill", seconds, f"the process had run for {seconds:.0f} s when it was killed")
    elif row and ended - float(time[0]) >= _LONG_SECONDS:
        seconds = ended - float(time[0])
        yield Fact("seconds_start_to_kill", seconds, f"the process had run for at least {seconds:.0f} s")
