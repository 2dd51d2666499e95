"""What logs and exit codes tell about how a process ended, and where its memory stood then -> facts."""

from collections.abc import Iterator, Sequence

import numpy as np

from detectors.types import Assessment, Incident, OomEvent
from leakwatch.diagnose.page_facts import last_rise
from leakwatch.trace import Trace
from playbooks.types import Fact
from playbooks.vocabulary import FACTS

_KINDS = FACTS["oom_kind"].words
"""The most telling first."""
_ENDS = {0: "success", 132: "illegal_instruction", 134: "abort", 137: "sigkill", 139: "segfault", 143: "sigterm"}
_SAMPLES_BEFORE = 3
_LONG_SECONDS = 3600.0
"""A trace that shows the process for so long before the kill says that it was no start, also without its beginning."""


def facts_of_incidents(incidents: Sequence[Incident], events: Sequence[OomEvent] = ()) -> tuple[Fact, ...]:
    """What logs that were read tell of one container; nothing where they hold neither an incident nor an event.

    Args:
        incidents: the container's own, in any order. The last that is proven counts, else the last.
        events: the lines that they come from, from which the kind and the exit code are taken.
    """
    return tuple(_told(incidents, events))


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


def _before(trace: Trace, assessment: Assessment, at: float, limit: float | None) -> Iterator[Fact]:
    time = trace.time_seconds
    row = int(np.searchsorted(time, at, side="right"))
    column = trace.columns.get(assessment.verdict.metric or "")
    if column is not None and limit and limit >= 1:
        known = column[:row][np.isfinite(column[:row])][-_SAMPLES_BEFORE:]
        if len(known):
            level = float(known.max()) / limit
            yield Fact("level_before_kill_ratio", level, f"before the kill it stood at {level:.0%} of the limit")
    loads = [
        loaded
        for name, counts in trace.columns.items()
        if name.partition(":")[0] == "model_loads_total"
        if (loaded := last_rise(time[:row], counts[:row])) is not None
    ]
    if loads:
        seconds = at - max(loads)
        yield Fact("seconds_load_to_kill", seconds, f"a model was loaded {seconds:.0f} s before the kill")
    starts = [start for start in assessment.verdict.restarts if start < at]
    if starts:
        seconds = at - max(starts)
        yield Fact("seconds_start_to_kill", seconds, f"the process had run for {seconds:.0f} s when it was killed")
    elif row and at - float(time[0]) >= _LONG_SECONDS:
        seconds = at - float(time[0])
        yield Fact("seconds_start_to_kill", seconds, f"the process had run for at least {seconds:.0f} s")
