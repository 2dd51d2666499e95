"""What an agent would have done: traces replayed through the live detector, sample by sample."""

import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from detectors.types import Level, LiveVerdict
from leakwatch import detect
from leakwatch.errors import LeakwatchError
from leakwatch.sample.trace_files import read_traces
from leakwatch.tell.backtests import Backtest
from leakwatch.trace import Trace, with_limit


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of one source: its traces replayed, or the error (one line) and where it arose."""

    source: str
    backtests: tuple[Backtest, ...] = ()
    error: str | None = None
    trace_back: str | None = None


_RANK = {Level.QUIET: 0, Level.SUSPECTED: 1, Level.LEAK: 2}


def replay(trace: Trace) -> Backtest:
    """Feed every sample to a new live detector and see after each one whether its level has changed."""
    detector = detect.live_detector(limit_bytes=trace.limit_bytes)
    names, columns = list(trace.columns), [column.tolist() for column in trace.columns.values()]
    alerts: list[tuple[float, LiveVerdict]] = []
    resolved: list[float] = []
    level = Level.QUIET
    times = trace.time_seconds.tolist()
    for at, *values in zip(times, *columns, strict=True):
        detector.observe(at, dict(zip(names, values, strict=True)))
        if detector.level is level:
            continue
        if _RANK[detector.level] > _RANK[level]:
            alerts.append((at, detector.judge(at)))
        elif detector.level is Level.QUIET:
            resolved.append(at)
        level = detector.level
    last = detector.judge(times[-1] if times else 0.0)
    return Backtest(trace.target, len(times), tuple(alerts), tuple(resolved), last)


def replay_sources(
    sources: Sequence[str],
    *,
    format: str | None = None,
    interval_seconds: float | None = None,
    limit_bytes: float | None = None,
) -> Iterator[Replayed]:
    """Read and replay each source in turn; whatever goes wrong is the result's error, not an exception.

    Args:
        format: of the files; None sees it from the content.
        interval_seconds: between samples without a time.
        limit_bytes: in place of the traces' limits; 0 is no limit.
    """
    for source in sources:
        try:
            traces = read_traces(source, format=format, interval_seconds=interval_seconds)
            if limit_bytes is not None:
                traces = [with_limit(trace, limit_bytes or None) for trace in traces]
            yield Replayed(source, tuple(map(replay, traces)))
        except LeakwatchError as error:
            yield Replayed(source, error=str(error), trace_back=traceback.format_exc())
        except Exception as error:
            what = f"{source}: could not be replayed ({type(error).__name__}: {error}); this is a fault of leakwatch"
            told = f"{what}, report it with what --debug shows"
            yield Replayed(source, error=told, trace_back=traceback.format_exc())
