"""One chunk of containers judged: what a worker does, in this process or in another machine's."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from detectors.types import Answer, Assessment, FloatArray, Replica, Shape
from leakwatch import detect
from leakwatch.errors import LeakwatchError
from leakwatch.members import Grid, Judged
from leakwatch.ports import Chunk
from leakwatch.trace import Trace, between, with_limit

REASONS_KEPT = 3
_OF_A_REPLICA_SET = re.compile(r"(.+)-[a-z0-9]{6,10}-[a-z0-9]{5}")
_OF_A_STATEFUL_SET = re.compile(r"(.+)-\d+")


@dataclass(frozen=True, slots=True)
class Task:
    """A chunk and how it is judged; ``limit_bytes`` of 0 is no limit, None leaves that to the data."""

    chunk: Chunk
    grid: Grid | None
    since: float | None = None
    until: float | None = None
    limit_bytes: float | None = None


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """What came of a chunk: its containers, and a line for each thing that could not be read."""

    number: int
    judged: tuple[Judged, ...]
    errors: tuple[str, ...]


def judge_chunk(task: Task) -> ChunkResult:
    """Read and judge a chunk; what goes wrong in it is told, and spoils nothing else."""
    judged, errors = [], []
    for found in task.chunk.read():
        if isinstance(found, LeakwatchError):
            errors.append(str(found))
            continue
        labels, trace = found
        judged.append(settled(labels) if trace is None else judge(labels, trace, task))
    return ChunkResult(task.chunk.number, tuple(judged), tuple(errors))


def judge(labels: dict[str, str], trace: Trace, task: Task) -> Judged:
    """One container: its verdict, and its outline on the fleet's grid."""
    if task.since is not None or task.until is not None:
        trace = between(trace, task.since, task.until)
    if task.limit_bytes is not None:
        trace = with_limit(trace, task.limit_bytes or None)
    assessment = detect.assess(trace)
    verdict, time = assessment.verdict, trace.time_seconds
    edges = _edges(task.grid, time)
    outline = Replica(np.full(len(edges) - 1, np.nan), None)
    last = None
    if verdict.metric is not None and len(time):
        outline = detect.outline(trace, verdict.metric, edges)
        known = trace.columns[verdict.metric][np.isfinite(trace.columns[verdict.metric])]
        last = float(known[-1]) if known.size else None
    return Judged(
        labels=_with_workload(labels),
        samples=len(time),
        start_seconds=float(time[0]) if len(time) else np.nan,
        end_seconds=float(time[-1]) if len(time) else np.nan,
        verdict=verdict.verdict,
        shape=verdict.shape,
        confidence=verdict.confidence,
        probability=_probability(assessment),
        metric=verdict.metric,
        trend=verdict.trend,
        forecast=assessment.forecast,
        onset=verdict.onset,
        limit_bytes=trace.limit_bytes,
        last_bytes=last,
        because=verdict.because[:REASONS_KEPT],
        levels=outline.level_bytes.astype(np.float32),
        request_rates=None if outline.request_rate is None else outline.request_rate.astype(np.float32),
        restarts=outline.restarts,
    )


def settled(labels: dict[str, str]) -> Judged:
    """A container whose source says that it holds still; nothing of it was transferred."""
    return Judged(
        labels=_with_workload(labels),
        samples=0,
        start_seconds=np.nan,
        end_seconds=np.nan,
        verdict=Answer.NO_LEAK,
        shape=Shape.FLAT,
        confidence=0.0,
        probability=0.0,
        metric=None,
        trend=None,
        forecast=None,
        onset=None,
        limit_bytes=None,
        last_bytes=None,
        because=(),
        levels=np.empty(0, dtype=np.float32),
        request_rates=None,
        restarts=(),
    )


def _with_workload(labels: dict[str, str]) -> dict[str, str]:
    return labels if "workload" in labels else labels | dict(_workload(labels))


def _probability(assessment: Assessment) -> float:
    confidence = assessment.verdict.confidence
    return confidence if assessment.verdict.verdict is Answer.LEAK else 0.0


def _workload(labels: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The workload that a pod's name tells: ``serving-6d4b75cb6d-hs9vq`` and ``serving-0`` are of ``serving``."""
    pod = labels.get("pod", "")
    for pattern in (_OF_A_REPLICA_SET, _OF_A_STATEFUL_SET):
        match = pattern.fullmatch(pod)
        if match:
            yield "workload", match.group(1)
            return


def _edges(grid: Grid | None, time: FloatArray) -> FloatArray:
    """Of the fleet's grid, or of the container's own time where the fleet's is not known."""
    if grid is not None:
        return np.linspace(grid.start_seconds, grid.end_seconds, grid.cells + 1)
    if len(time) < 2:
        return np.array([0.0, 1.0])
    return np.linspace(time[0], time[-1], 145)
