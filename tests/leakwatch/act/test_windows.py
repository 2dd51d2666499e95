"""Maintenance windows go by the clock on the wall of their zone."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakwatch.act.windows import is_open, next_opening
from leakwatch.settings import MaintenanceWindow

WEEK = frozenset(range(7))
WEEKDAYS = frozenset(range(5))
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-03-02T01:59:00+01:00", False),
        ("2026-03-02T02:00:00+01:00", True),  # a Monday
        ("2026-03-02T04:59:59+01:00", True),
        ("2026-03-02T05:00:00+01:00", False),
        ("2026-03-01T03:00:00+01:00", False),  # a Sunday
        ("2026-07-01T00:30:00+00:00", True),  # 02:30 in summer
        ("2026-01-07T00:30:00+00:00", False),  # 01:30 in winter
    ],
)
def test_a_window_is_open_by_local_time(moment: str, expected: bool) -> None:
    """From 02:00 to 05:00 on weekdays in Berlin, in summer and in winter."""
    window = MaintenanceWindow(WEEKDAYS, 120, 300, "Europe/Berlin")
    assert is_open([window], at(moment)) is expected


def test_a_window_past_midnight_belongs_to_the_day_it_begins_on() -> None:
    """Friday 22:00 to 04:00 is open on Saturday at 03:00, and not on Friday at 03:00."""
    window = MaintenanceWindow(frozenset({4}), 22 * 60, 4 * 60)
    assert is_open([window], at("2026-03-06T23:00:00Z"))
    assert is_open([window], at("2026-03-07T03:00:00Z"))
    assert not is_open([window], at("2026-03-06T03:00:00Z"))
    assert not is_open([window], at("2026-03-07T23:00:00Z"))


def test_the_hour_that_is_skipped_and_the_hour_that_comes_twice() -> None:
    """Where clocks go forward at 02:00 the window opens at 03:00; where they go back it is open both times."""
    window = MaintenanceWindow(WEEK, 150, 240, "Europe/Berlin")  # 02:30 to 04:00
    assert not is_open([window], at("2026-03-29T00:59:59Z"))  # 01:59:59, the next second is 03:00
    assert is_open([window], at("2026-03-29T01:00:00Z"))
    assert is_open([window], at("2026-10-25T00:30:00Z"))  # 02:30 in summer time
    assert not is_open([window], at("2026-10-25T01:00:00Z"))  # 02:00 in winter time
    assert is_open([window], at("2026-10-25T01:30:00Z"))  # 02:30 in winter time


def test_without_windows_any_time_will_do() -> None:
    """No window is no restriction; a window without a day never opens."""
    assert is_open([], 0.0)
    assert next_opening([], 0.0) == 0.0
    assert next_opening([MaintenanceWindow(frozenset(), 0, 60)], 0.0) is None


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)),
    st.sets(st.integers(0, 6), min_size=1),
    st.integers(0, 1439),
    st.integers(0, 1439),
    st.sampled_from(ZONES),
)
def test_the_next_opening_is_the_first_minute_that_is_open(
    moment: datetime, days: set[int], begin: int, end: int, zone: str
) -> None:
    """Before it the window is closed, at it open, minute by minute (an hour that is skipped may hide its first)."""
    window = MaintenanceWindow(frozenset(days), begin, end, zone)
    now = moment.replace(second=0, microsecond=0, tzinfo=UTC).timestamp()
    wait = next_opening([window], now)
    if begin == end or wait is None:
        return
    assert is_open([window], now + wait)
    minutes = int(min(wait, 2 * 86400.0) // 60)
    early = [m for m in range(minutes) if is_open([window], now + 60 * m)]
    hidden = timedelta(hours=1).seconds // 60  # the clock skips at most an hour
    assert all(minutes - m <= hidden for m in early)
