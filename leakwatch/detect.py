"""What numbers and lines mean: the only caller of detectors/."""

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING

from detectors.types import Assessment, Replica, Thresholds
from leakwatch.settings import ConditionSettings
from leakwatch.trace import FloatArray, Trace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from detectors.conditions import ConditionWatch
    from detectors.live import LiveDetector as LiveDetector
    from detectors.oom_lines import Scanner as Scanner
    from detectors.together import Together


def assess(trace: Trace, restarts: Sequence[float] = ()) -> Assessment:
    """Judge one trace: does it leak, how fast, since when, how long is left, and why we say so.

    ``restarts``: Unix seconds of the first samples of new lives that something beside the numbers proves.
    """
    from detectors.assess import assess as assessed  # an agent needs it only once something leaks

    return assessed(trace.time_seconds, trace.columns, limit_bytes=trace.limit_bytes, restarts=restarts)


def outline(trace: Trace, metric: str, edges: FloatArray) -> Replica:
    """A container on a grid shared with others, see `detectors.pooling.outline`."""
    from detectors.pooling import outline as _outline  # one trace alone does not need it

    columns = trace.columns
    return _outline(trace.time_seconds, columns[metric], columns.get("requests_total"), trace.limit_bytes, edges)


def judge_together(time_seconds: FloatArray, replicas: Sequence[Replica], limit_bytes: float | None) -> "Together":
    """Judge replicas as one, see `detectors.together.judge_together`."""
    from detectors.together import judge_together as judged

    return judged(time_seconds, replicas, limit_bytes)


def claimable(probabilities: FloatArray, false_discovery_rate: float) -> "NDArray[np.bool_]":
    """Which findings may be claimed together, see `detectors.pooling.false_discoveries`."""
    from detectors.pooling import false_discoveries

    return false_discoveries(probabilities, false_discovery_rate)


def live_detector(*, limit_bytes: float | None = None) -> "LiveDetector":
    """A detector that watches one container for ever, see `detectors.live.LiveDetector`.

    Args:
        limit_bytes: the memory limit where none can be seen; a limit among the observed values goes before it.
    """
    from detectors.live import LiveDetector  # an offline verdict does not need it

    return LiveDetector(limit_bytes=limit_bytes)


def condition_watch(settings: ConditionSettings) -> "ConditionWatch":
    """What watches one container for conditions beside the leak, see `detectors.conditions.ConditionWatch`."""
    from detectors.conditions import ConditionWatch  # an offline verdict does not need it

    thresholds = Thresholds(
        settings.memory_ratio,
        settings.latency_p95_seconds,
        settings.error_ratio,
        settings.load_seconds,
        settings.queue_seconds,
        settings.hold_seconds,
    )
    return ConditionWatch(thresholds)


def scanner(
    year: int | None,
    zone: tzinfo | None,
    boot: float | None,
    numbers: Iterator[int] | None = None,
    *,
    wrapped: bool = True,
) -> "Scanner":
    """A scanner for one log, see `detectors.oom_lines.Scanner`; it is fed chunks and tells the memory events in them.

    Args:
        year: of stamps that bear none (syslog's).
        zone: of stamps that bear none.
        boot: Unix seconds when the machine booted, for stamps that count from there (the kernel's).
        numbers: of the incidents; shared by the scanners of one run.
        wrapped: whether lines may be cut within words, which costs memory.
    """
    from detectors.oom_lines import Scanner  # the matching engine, which a trace alone does not need

    return Scanner(year=year, zone=zone, boot=boot, numbers=numbers, wrapped=wrapped)
