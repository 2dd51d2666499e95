"""Maintenance windows on the clocks of their own zones, days without 02:30 and days with two of it included. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from leakwatch.settings import MaintenanceWindow

_LOOK_AHEAD_DAYS = 9  # a window of one weekday comes within a week; one more day for each end


def is_open(windows: Sequence[MaintenanceWindow], now_seconds: float) -> bool:
    """Whether a clock on the wall of its zone stands within one of the windows; without windows it always is.

    Raises:
        KeyError: a zone is not in the time zone database.
    """
    return not windows or any(_is_in(window, now_seconds) for window in windows)


def next_opening(windows: Sequence[MaintenanceWindow], now_seconds: float) -> float | None:
    """Seconds until one opens; 0 where one is open, None where none does within nine days (no weekday is named)."""
    if is_open(windows, now_seconds):
        return 0.0
    moments = [moment for window in windows for moment in _openings(window, now_seconds) if moment > now_seconds]
    return min(moments) - now_seconds if moments else None


def _is_in(window: MaintenanceWindow, now_seconds: float) -> bool:
    """A window past midnight belongs to the day on which it begins."""
    local = datetime.fromtimestamp(now_seconds, ZoneInfo(window.zone))
    minute = 60 * local.hour + local.minute
    today, yesterday = local.weekday(), (local.weekday() - 1) % 7
    if window.from_minute < window.to_minute:
        return today in window.days and window.from_minute <= minute < window.to_minute
    since_evening = today in window.days and minute >= window.from_minute
    return since_evening or (yesterday in window.days and minute < window.to_minute)


def _openings(window: MaintenanceWindow, now_seconds: float) -> list[float]:
    """Unix seconds at which it opens in the coming days; where the clock skips the minute, the first one after."""
    zone = ZoneInfo(window.zone)
    first = datetime.fromtimestamp(now_seconds, zone).date()
    moments = []
    for day in (first + timedelta(days=number) for number in range(_LOOK_AHEAD_DAYS)):
        if day.weekday() not in window.days:
            continue
        for fold in (0, 1):  # a minute that comes twice opens the window twice
            begin = datetime(day.year, day.month, day.day, *divmod(window.from_minute, 60), tzinfo=zone, fold=fold)
            moment = begin.astimezone(UTC).timestamp()
            if _is_in(window, moment):
                moments.append(moment)
    return moments
