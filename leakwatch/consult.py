"""Everything that is known of one container, a trace, logs and what somebody wrote down -> facts for a playbook."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from leakwatch import detect
from leakwatch.deployed import deployed
from leakwatch.diagnose import facts_of_incidents, facts_of_trace, without_doubts
from leakwatch.diagnose.trees import facts_of_file
from leakwatch.errors import LeakwatchError
from leakwatch.kills import LogEvidence, facts_of_logs, with_kills
from leakwatch.logs import read_all
from leakwatch.sample.log_files import Dating
from leakwatch.sample.processes.state import process_state_of
from leakwatch.sample.serving.state import server_state_of
from leakwatch.sample.trace_files import read_traces
from leakwatch.surroundings import facts_of_states
from leakwatch.trace import Trace, with_limit
from playbooks.types import Deployment, Fact, ProcessState, ServerState


@dataclass(frozen=True, slots=True)
class Known:
    """Where the facts come from: paths as the caller gave them.

    ``container`` names one of several in a trace or a manifest. ``limit_bytes`` of 0 is no limit, whatever the trace
    states; None leaves that to the trace, and to the manifest where the trace knows none. ``pid`` is the server's
    process, where it runs on this machine; ``server`` the REST address of a TensorFlow Serving, and ``models`` what to
    ask it for. What a file of facts says outweighs all else.
    """

    trace: str | None = None
    logs: Sequence[str] = ()
    facts: Sequence[str] = ()
    container: str | None = None
    limit_bytes: float | None = None
    pid: int | None = None
    server: str | None = None
    models: Sequence[str] = ()
    manifest: str | None = None


def facts_of(known: Known) -> tuple[Fact, ...]:
    """All facts; of two with one name the later counts, as in `playbooks.engine.walk`.

    Raises:
        LeakwatchError: a source that cannot be read, or a trace of several containers of which none was named.
    """
    written = tuple(fact for path in known.facts for fact in facts_of_file(path))
    evidence = LogEvidence(*read_all(known.logs, Dating())) if known.logs else None
    process = process_state_of(known.pid) if known.pid is not None else ProcessState()
    server = server_state_of(known.server, known.models) if known.server is not None else ServerState()
    deployment, planned = (
        deployed(known.manifest, known.container) if known.manifest is not None else (Deployment(), ProcessState())
    )
    trace = _trace(known, deployment.limit_bytes)
    told = _logged(evidence) if trace is None else _measured(trace, evidence)
    return (*told, *facts_of_states((deployment, planned, process, server), trace), *written)


def _trace(known: Known, planned_bytes: float | None) -> Trace | None:
    if known.trace is None:
        return None
    trace = _one_of(read_traces(known.trace), known)
    if known.limit_bytes is not None:
        return with_limit(trace, known.limit_bytes or None)
    if trace.limit_bytes is None and planned_bytes is not None and isfinite(planned_bytes):
        return with_limit(trace, planned_bytes)
    return trace


def _measured(trace: Trace, evidence: LogEvidence | None) -> tuple[Fact, ...]:
    assessment = detect.assess(trace)
    if evidence is None:
        return facts_of_trace(trace, assessment)
    assessment = with_kills(trace, assessment, evidence)
    return without_doubts((*facts_of_trace(trace, assessment), *facts_of_logs(trace, assessment, evidence)))


def _logged(evidence: LogEvidence | None) -> tuple[Fact, ...]:
    if evidence is None:
        return ()
    return facts_of_incidents(evidence.incidents, [event for _, event in evidence.events])


def _one_of(traces: Sequence[Trace], known: Known) -> Trace:
    names = [str(trace.target.container) for trace in traces]
    if len(traces) == 1 and (known.container is None or traces[0].target.container is None):
        return traces[0]
    if known.container is None:
        what = f"{known.trace}: holds {len(traces)} containers; name one with --container: {', '.join(names[:10])}"
        raise LeakwatchError(what)
    if known.container not in names:
        what = f"{known.trace}: holds no container {known.container!r}; it holds {', '.join(names[:10])}"
        raise LeakwatchError(what)
    return traces[names.index(known.container)]
