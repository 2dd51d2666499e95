"""Many traces in one table: a row each, the most urgent first, as plain cells for the terminal and for Markdown."""

from collections.abc import Sequence

from detectors.types import Answer, Assessment
from leakwatch.tell import units
from leakwatch.tell.sentences import WORDS, last_bytes, metric_name, trace_name
from leakwatch.tell.urgency import by_urgency
from leakwatch.trace import Trace

HEAD = ("Verdict", "Trace", "Growth", "Time to limit", "Of limit", "Shape")
FULL_HEAD = (*HEAD, "Since", "Growth, 95 %", "Time, 95 %", "Memory", "A request", "Confidence", "Metric", "Samples")
NAME_COLUMN = 1
_LEAST_NAME_WIDTH = 24
_COLUMN_GAP = 2


def summary_rows(analyses: Sequence[tuple[Trace, Assessment]], *, full: bool) -> list[tuple[Answer, tuple[str, ...]]]:
    """(answer, cells) by urgency; the cells stand under `HEAD`, or `FULL_HEAD` where ``full``."""
    ordered = by_urgency(analyses)
    return [(a.verdict.verdict, _cells(t, a) + (_more_cells(t, a) if full else ())) for t, a in ordered]


def columns_that_fit(head: tuple[str, ...], rows: Sequence[tuple[str, ...]], width: int) -> int:
    """How many columns, counted from the left, stand side by side in ``width`` with room for the names."""
    room = width
    for i, cells in enumerate(zip(head, *rows, strict=True)):
        needed = max(map(len, cells))
        room -= (min(needed, _LEAST_NAME_WIDTH) if i == NAME_COLUMN else needed) + (_COLUMN_GAP if i else 0)
        if room < 0:
            return max(i, NAME_COLUMN + 1)
    return len(head)


def summary_line(analyses: Sequence[tuple[Trace, Assessment]]) -> str:
    """3 leaking, 1 undecided, 12 healthy; and which one to look at first."""
    answers = [assessment.verdict.verdict for _, assessment in analyses]
    leaks, undecided = answers.count(Answer.LEAK), answers.count(Answer.UNDECIDED)
    healthy = len(answers) - leaks - undecided
    said = f"{units.count(len(answers), 'trace')}: {leaks} leaking, {undecided} undecided, {healthy} healthy"
    if not leaks:
        return said
    worst, _ = by_urgency(analyses)[0]
    return f"{said}. Look first at {trace_name(worst)}."


def _cells(trace: Trace, assessment: Assessment) -> tuple[str, ...]:
    verdict, forecast, limit = assessment.verdict, assessment.forecast, trace.limit_bytes
    last = last_bytes(trace, assessment)
    return (
        WORDS[verdict.verdict],
        trace_name(trace),
        units.rate(verdict.trend.slope_per_second) if verdict.trend else "-",
        units.duration(forecast.seconds_to_limit) if forecast else "-",
        units.share(last / limit) if limit and last is not None else "no limit" if limit is None else "-",
        str(verdict.shape).replace("_", " "),
    )


def _more_cells(trace: Trace, assessment: Assessment) -> tuple[str, ...]:
    verdict, forecast, attribution = assessment.verdict, assessment.forecast, assessment.attribution
    trend, last = verdict.trend, last_bytes(trace, assessment)
    each = attribution.bytes_per_request if attribution else None
    return (
        units.moment(verdict.onset) if verdict.onset is not None else "-",
        units.size_range(trend.low * 3600, trend.high * 3600, trend.slope_per_second * 3600, "/h") if trend else "-",
        units.duration_range(forecast.low, forecast.high) if forecast else "-",
        units.size(last) if last is not None else "-",
        units.size(each.estimate) if each else "-",
        units.share(verdict.confidence),
        metric_name(verdict.metric),
        f"{len(trace.time_seconds):,}",
    )
