"""From paths to verdicts: folders walked, many files in parallel where that is faster, in the order asked for."""

import os
import signal
import time
import traceback
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from detectors.types import Assessment
from leakwatch import detect
from leakwatch.errors import LeakwatchError
from leakwatch.kills import LogEvidence, cut_at_kills, facts_of_logs, with_kills
from leakwatch.sample.trace_files import read_traces
from leakwatch.tell.units import moment
from leakwatch.trace import Trace, between, with_limit
from playbooks.types import Diagnosis

STANDARD_INPUT = "-"
NO_TRACES = frozenset(
    {".md", ".rst", ".yaml", ".yml", ".toml", ".html", ".svg", ".png", ".jpg", ".pdf", ".ipynb"}
    | {".py", ".pyc", ".sh", ".java", ".js", ".go", ".c", ".cc", ".h", ".rs"}
)
"""Endings of files that stand beside traces in a folder and never are any; a file named by itself is always read."""

MANY_SOURCES = 12
"""From this many files on loading pyarrow (some 70 ms) costs less than reading small ones row by row (6 ms each)."""

WORKERS_START_SECONDS = 0.3
"""What starting workers costs: one import of numpy and the detectors (benchmarks/many_files.py measures it)."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How every source is read: the flags of the command line, in bytes, seconds and Unix seconds.

    ``limit_bytes`` of 0 is no limit, whatever the trace states; None leaves that to the trace.
    ``keep_columns`` keeps all columns of a trace after its verdict; otherwise the judged one alone is kept, so that
    a thousand traces fit into memory. ``diagnosed`` looks for the cause as well. ``one_of_many``: see `read_traces`.
    ``evidence`` is what logs tell about the same containers; ``playbooks`` are folders of trees.
    """

    format: str | None = None
    interval_seconds: float | None = None
    limit_bytes: float | None = None
    since: float | None = None
    until: float | None = None
    keep_columns: bool = True
    diagnosed: bool = True
    one_of_many: bool = False
    evidence: LogEvidence | None = None
    playbooks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one source: its traces with their verdicts, or the error (one line) and where it arose.

    ``diagnoses`` holds one for each of ``analyses``, None where there is nothing to explain.
    """

    source: str
    analyses: tuple[tuple[Trace, Assessment], ...] = ()
    diagnoses: tuple[Diagnosis | None, ...] = ()
    error: str | None = None
    trace_back: str | None = None


def find_sources(paths: Sequence[str]) -> list[str]:
    """The files behind ``paths``: a folder gives its files, in order of name, without hidden ones and `NO_TRACES`.

    Raises:
        LeakwatchError: a folder without traces.
    """
    sources: list[str] = []
    for path in paths:
        found = list(_walk(path)) if os.path.isdir(path) else [path]
        if not found:
            raise LeakwatchError(f"{path}: no trace file in this folder; name a file, or a folder that holds some")
        sources += found
    return sources


def analyze_source(source: str, reading: Reading) -> Result:
    """Read one source and judge every trace in it; whatever goes wrong is the result's error, not an exception."""
    try:
        traces = read_traces(
            source,
            format=reading.format,
            interval_seconds=reading.interval_seconds,
            one_of_many=reading.one_of_many,
        )
        judged = [_judge(trace, reading) for trace in traces]
        return Result(
            source,
            analyses=tuple((trace, assessment) for trace, assessment, _ in judged),
            diagnoses=tuple(diagnosis for _, _, diagnosis in judged),
        )
    except LeakwatchError as error:
        return Result(source, error=str(error), trace_back=traceback.format_exc())
    except Exception as error:
        what = f"{source}: could not be analysed ({type(error).__name__}: {error}); this is a fault of leakwatch"
        return Result(source, error=f"{what}, report it with what --debug shows", trace_back=traceback.format_exc())


def analyze_sources(sources: Sequence[str], reading: Reading) -> Iterator[Result]:
    """Results in the order of ``sources``, each as soon as it and those before it are there.

    Starts alone; hands the rest to worker processes once the pace so far shows that this saves more time than starting
    them costs. The first source is left out of the pace: it pays for the imports.
    """
    reading = replace(reading, one_of_many=len(sources) >= MANY_SOURCES)
    cores = len(os.sched_getaffinity(0)) if STANDARD_INPUT not in sources else 1
    began = time.perf_counter()
    for done, source in enumerate(sources):
        if done == 1:
            began = time.perf_counter()
        elif done > 1 and cores > 1:
            left_seconds = (time.perf_counter() - began) / (done - 1) * (len(sources) - done)
            if left_seconds * (1 - 1 / cores) > WORKERS_START_SECONDS:
                yield from analyze_in_parallel(sources[done:], reading, cores)
                return
        yield analyze_source(source, reading)


def analyze_in_parallel(sources: Sequence[str], reading: Reading, cores: int) -> Iterator[Result]:
    """As `analyze_sources`, in ``cores`` worker processes from the start.

    Raises:
        LeakwatchError: a worker was killed.
    """
    from concurrent.futures import Future, ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context  # together 25 ms that one file does not need

    # Fork would copy the threads' locks of the libraries already loaded; a fork server starts clean and imports once.
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    try:
        pool = ProcessPoolExecutor(cores, mp_context=context, initializer=_leave_interrupts_to_parent)
    except OSError:  # no semaphores here (a container without /dev/shm): slower, but it works
        yield from (analyze_source(source, reading) for source in sources)
        return
    # A short queue: results come early and in order, memory stays bounded, and Ctrl-C waits for few files.
    pending: deque[tuple[str, Future[Result]]] = deque()
    try:
        for source in sources:
            pending.append((source, pool.submit(analyze_source, source, reading)))
            if len(pending) == 4 * cores:
                yield pending.popleft()[1].result()
        while pending:
            yield pending.popleft()[1].result()
    except BrokenProcessPool as error:
        where = pending[0][0] if pending else sources[-1]
        what = f"{where}: a worker process was killed here or just before, perhaps for want of memory"
        raise LeakwatchError(f"{what}; analyse fewer files at once") from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _leave_interrupts_to_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _judge(trace: Trace, reading: Reading) -> tuple[Trace, Assessment, Diagnosis | None]:
    if reading.since is not None or reading.until is not None:
        trace = _within(trace, reading.since, reading.until)
    if reading.limit_bytes is not None:
        trace = with_limit(trace, reading.limit_bytes or None)
    assessment = detect.assess(trace)
    if reading.evidence is not None:
        assessment = cut_at_kills(trace, assessment, reading.evidence)
        assessment = with_kills(trace, assessment, reading.evidence)
    diagnosis = None
    if reading.diagnosed:
        from leakwatch.diagnose import diagnose, read_trees  # YAML and the trees cost as much as a verdict

        told = facts_of_logs(trace, assessment, reading.evidence) if reading.evidence is not None else ()
        diagnosis = diagnose(trace, assessment, told, read_trees(reading.playbooks))
    if not reading.keep_columns:
        kept = {name: column for name, column in trace.columns.items() if name == assessment.verdict.metric}
        trace = replace(trace, columns=kept)
    return trace, assessment, diagnosis


def _within(trace: Trace, since: float | None, until: float | None) -> Trace:
    """The part asked for; where nothing lies in it, a note says where the trace lies."""
    part = between(trace, since, until)
    if len(part.time_seconds) or not len(trace.time_seconds):
        return part
    start, end = (moment(trace.time_seconds[i]) for i in (0, -1))
    return replace(part, notes=(*part.notes, f"no sample lies in the time asked for; they run from {start} to {end}"))


def _walk(folder: str) -> Iterator[str]:
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = os.path.join(here, name)
            ending = os.path.splitext(name)[1].lower()
            if not name.startswith(".") and ending not in NO_TRACES and os.path.isfile(path):
                yield path
