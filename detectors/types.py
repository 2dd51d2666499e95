"""The values that detection hands on. They import nothing of ours, so every layer may carry them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


class Answer(StrEnum):
    """Does it leak? ``undecided`` is an honest answer: growth that may yet stop."""

    LEAK = "leak"
    NO_LEAK = "no_leak"
    UNDECIDED = "undecided"


class Shape(StrEnum):
    """What the memory does, in the words of contracts.md section 2."""

    FLAT = "flat"
    LINEAR = "linear"
    ACCELERATING = "accelerating"
    PLATEAU = "plateau"
    LOAD_FOLLOWING = "load_following"
    STEPS = "steps"
    SAWTOOTH = "sawtooth"
    CYCLES = "cycles"
    PAGE_CACHE = "page_cache"
    DECELERATING = "decelerating"
    IRREGULAR = "irregular"
    TOO_SHORT = "too_short"


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its 95 % interval; ``high`` None means without bound."""

    estimate: float
    low: float
    high: float | None


@dataclass(frozen=True, slots=True)
class Trend:
    """The leak alone, in bytes per second, with its 95 % interval and the number of samples that it rests on."""

    slope_per_second: float
    low: float
    high: float
    points: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer and why.

    Attributes:
        verdict: leak, no_leak or undecided.
        shape: what the memory does.
        confidence: 0..1, the probability that the verdict holds.
        metric: the column that it rests on; None where no memory column could be judged.
        trend: the leak's slope; None unless the verdict is a leak.
        onset: Unix seconds where the growth began; None unless the verdict is a leak.
        restarts: Unix seconds of the resets seen in the trace.
        because: one sentence per piece of evidence, with its number and unit.
    """

    verdict: Answer
    shape: Shape
    confidence: float
    metric: str | None
    trend: Trend | None
    onset: float | None
    restarts: tuple[float, ...]
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Forecast:
    """Seconds from the end until the level reaches the limit, load peaks included; ``high`` None: perhaps never."""

    seconds_to_limit: float
    low: float
    high: float | None


@dataclass(frozen=True, slots=True)
class ModelShare:
    """What one model's requests leave behind: bytes per request, and its share (0..1) of the leak."""

    model: str
    bytes_per_request: Interval
    share: float


@dataclass(frozen=True, slots=True)
class Attribution:
    """Who leaks: bytes that each request leaves behind (None where it could not be told), per model where known.

    ``follows`` is "requests" where the growth follows the request count better than the clock, "time" where the
    clock explains it better, "unclear" where the trace does not separate them.
    """

    bytes_per_request: Interval | None
    by_model: tuple[ModelShare, ...]
    follows: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """One explanation that competed: its name, its share of belief (0..1), and by how many nats it lost to the best."""

    name: str
    leak: bool
    weight: float
    lost_by: float


@dataclass(frozen=True, slots=True)
class Fit:
    """The winning explanation drawn over the data, on the robust bins that were judged.

    Attributes:
        time_seconds: (m,) Unix seconds of the bins, m at most a few hundred.
        level_bytes: (m,) median level of the metric in each bin.
        fitted_bytes: (m,) the best explanation.
        leak_bytes: (m,) the leak's own part of it (0 before the onset; all 0 where nothing leaks).
    """

    time_seconds: FloatArray
    level_bytes: FloatArray
    fitted_bytes: FloatArray
    leak_bytes: FloatArray


@dataclass(frozen=True, slots=True)
class Assessment:
    """Everything that detection has to say about one trace.

    Attributes:
        verdict: the answer and why.
        forecast: time to the limit; None where nothing leaks or there is no limit.
        attribution: bytes per request; None where nothing leaks or no request column exists.
        undecided_until_seconds: how much more trace would decide it; None unless undecided.
        explanations: which explanations competed, the best first; empty where the trace is too short.
        fit: the curve to draw; None where the trace is too short.
        oom_events: memory events of logs that fall into the trace and may be its container's, each with its log's path.
    """

    verdict: Verdict
    forecast: Forecast | None = None
    attribution: Attribution | None = None
    undecided_until_seconds: float | None = None
    explanations: tuple[Explanation, ...] = ()
    fit: Fit | None = None
    oom_events: "tuple[tuple[str, OomEvent], ...]" = ()


class Level(StrEnum):
    """How sure the live detector is. ``suspected`` is shown, and never pages or acts; ``leak`` may do both."""

    QUIET = "quiet"
    SUSPECTED = "suspected"
    LEAK = "leak"


@dataclass(frozen=True, slots=True)
class LiveVerdict:
    """What is true of a watched container now.

    Attributes:
        level: quiet, suspected or leak; it opens and resolves with hysteresis.
        verdict: the level in the words of an offline verdict: leak, no_leak, or undecided (suspected, or too short).
        shape: what the memory does.
        metric: the column that it rests on; None while no memory column was seen.
        trend: the growth's slope; None while quiet.
        onset: Unix seconds where the growth began; None while quiet.
        forecast: time to the limit from ``now``; None while quiet, or where there is no limit.
        bytes_per_request: what each request leaves behind; None while quiet, without a request count, or where the
            growth does not follow the requests.
        because: one sentence per piece of evidence, with its number and unit.
        since: Unix seconds since when this level holds; None before the first sample.
    """

    level: Level
    verdict: Answer
    shape: Shape
    metric: str | None
    trend: Trend | None
    onset: float | None
    forecast: Forecast | None
    bytes_per_request: Interval | None
    because: tuple[str, ...]
    since: float | None


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Beyond what a condition begins, once it has held for ``hold_seconds``.

    Attributes:
        memory_ratio: memory that cannot be reclaimed, as a share of the limit.
        latency_p95_seconds: of a model.
        error_ratio: requests that did not end well, as a share of all.
        load_seconds: how long a model load may take; None: by how much memory it takes.
        queue_seconds: mean wait in a batching queue.
    """

    memory_ratio: float
    latency_p95_seconds: float
    error_ratio: float
    load_seconds: float | None
    queue_seconds: float
    hold_seconds: float


@dataclass(frozen=True, slots=True)
class ConditionTurn:
    """A condition beside the leak that begins or ends.

    Attributes:
        name: ``memory``, ``errors``, ``restarts``, or ``latency:``, ``queue:``, ``load:`` and a model.
        began: whether it begins now, or ends.
        at: Unix seconds; of a beginning, since when it holds.
        sentence: what is true now, with its number and unit.
    """

    name: str
    began: bool
    at: float
    sentence: str


@dataclass(frozen=True, slots=True)
class OomEvent:
    """One memory event that a log tells.

    Attributes:
        kind: which, of corpus/README.md's list.
        line: its first line in the input, counted from 1; ``lines``: how many it takes (wrapped ones: several).
        at: Unix seconds; None where the line has no time, or one without a year and no year was given.
        text: the lines as they stand, bytes that are no UTF-8 replaced.
        fields: what the line tells; names carry their units.
        incident: the number that it shares with the other lines of the same kill.
        proves_oom: whether it proves, alone, that memory ran out and something was killed for it.
    """

    kind: str
    line: int
    lines: int
    at: float | None
    text: str
    fields: Mapping[str, str | int | float | list[str]]
    incident: int | None
    proves_oom: bool


@dataclass(frozen=True, slots=True)
class Incident:
    """All that a log tells about one memory event.

    Attributes:
        scope: container, child (a process in a container that lives on), node, gpu, or process.
        victim: the name of the process that was killed, or that failed to allocate.
        limit_bytes, usage_bytes: of the cgroup whose limit was hit; None where none was, or unknown.
        processes: name, pid and resident bytes of the five largest in the kernel's table, the largest first.
        because: one sentence per piece of evidence.
        lines: the first line of each of its events.
    """

    number: int
    scope: str
    victim: str | None
    pid: int | None
    cgroup: str | None
    pod_uid: str | None
    container_id: str | None
    limit_bytes: int | None
    usage_bytes: int | None
    at: float | None
    proves_oom: bool
    processes: tuple[tuple[str, int, int], ...]
    because: tuple[str, ...]
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Replica:
    """One of many like containers, on a grid of time that all of them share.

    Attributes:
        level_bytes: (m,) its level, NaN where unknown.
        request_rate: (m,) requests per second in each cell; None where they are not counted.
        restarts: the cells in which a new life begins.
    """

    level_bytes: FloatArray
    request_rate: FloatArray | None
    restarts: tuple[int, ...] = ()
