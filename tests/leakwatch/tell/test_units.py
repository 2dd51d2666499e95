import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakwatch.tell import units

MIB = 2**20


@pytest.mark.parametrize(
    ("expected", "size"),
    [
        ("0 B", 0),
        ("1 B", 1),
        ("1023 B", 1023.4),
        ("1 KiB", 1023.6),  # never "1024 B"
        ("1 MiB", MIB - 1),  # never "1024 KiB"
        ("1.2 GiB", 1.2 * 2**30),
        ("12.1 MiB", 12.1 * MIB),
        ("4 GiB", 4 * 2**30),
        ("-4.77 MiB", -5e6),
        ("unknown", math.nan),
        ("unknown", math.inf),
    ],
)
def test_a_size_has_three_digits_in_the_largest_unit_that_fits(expected: str, size: float) -> None:
    """Sizes read as people write them, also where rounding reaches the next unit."""
    assert units.size(size) == expected


@pytest.mark.parametrize(
    ("expected", "seconds"),
    [
        ("0 s", 0),
        ("0.5 s", 0.5),
        ("45 s", 45),
        ("1 min", 59.6),  # never "60 s"
        ("1 min 1 s", 61),
        ("10 min", 599.6),
        ("1 h", 3570),  # never "60 min"
        ("3 h 20 min", 12_000),
        ("1 d", 86_399),  # never "24 h"
        ("5 d 2 h", 440_000),
        ("10 d", 864_000),
        ("116 d", 1e7),
        ("over 10 years", 1e9),
        ("-30 s", -30),
        ("unknown", math.inf),
    ],
)
def test_a_duration_has_its_two_largest_units(expected: str, seconds: float) -> None:
    """Durations read as people say them, also where rounding reaches the next unit."""
    assert units.duration(seconds) == expected


@given(st.floats(min_value=0.01, max_value=3e8))
def test_a_duration_is_rounded_by_less_than_a_twentieth(seconds: float) -> None:
    """What is shown is never further from the truth than one part in twenty: nobody is told 1 h for 100 min."""
    scale = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
    parts = units.duration(seconds).replace(",", "").split()
    shown = sum(float(number) * scale[unit] for number, unit in zip(parts[::2], parts[1::2], strict=True))
    assert abs(shown - seconds) <= 0.051 * seconds + 0.0051


@given(st.floats(min_value=1e-6, max_value=1e6))
def test_a_number_keeps_three_digits(value: float) -> None:
    """Rounding is to three significant digits at worst, and nothing is shown in exponents."""
    text = units.number(value)
    assert "e" not in text
    assert float(text) == pytest.approx(value, rel=0.0051)


def test_a_time_is_rfc_3339_in_utc() -> None:
    """Times on screens are RFC 3339."""
    assert units.moment(1_790_000_000.4) == "2026-09-21T14:13:20Z"


def test_an_elapsed_time_is_no_date_in_1970() -> None:
    """A recorder that counts from its start gets no invented date."""
    assert units.moment(303) == "5 min 3 s from the start"


def test_a_time_beyond_the_calendar_is_still_text() -> None:
    """An absurd clock does not crash the screen."""
    assert units.moment(1e18).endswith(" s")


def test_a_time_is_short_only_where_its_day_is_plain() -> None:
    """The date is left out only where the whole trace lies in one day."""
    noon = 1_790_000_000.0
    assert units.short_moment(noon, noon - 60, noon + 60) == "14:13Z"
    assert units.short_moment(noon, noon - 86_400, noon + 60) == "2026-09-21T14:13:20Z"


def test_an_interval_is_in_the_unit_of_its_estimate() -> None:
    """Both ends and the estimate can be compared at a glance."""
    assert units.size_range(900 * 1024, 1.1 * MIB, MIB, "/h") == "0.879 to 1.1 MiB/h"
    assert units.size_range(MIB, None, MIB) == "1 MiB or more"


@pytest.mark.parametrize(("expected", "ratio"), [("100 %", 1), ("over 99 %", 0.9999), ("under 1 %", 1e-9), ("0 %", 0)])
def test_a_share_is_never_rounded_to_certainty(expected: str, ratio: float) -> None:
    """100 % and 0 % are said only of all and nothing."""
    assert units.share(ratio) == expected


@given(st.text())
def test_visible_text_is_one_line_that_nothing_acts_on(text: str) -> None:
    """Whatever the name: printable and encodable."""
    shown = units.visible(text)
    assert shown.isprintable()
    shown.encode("utf-8")


def test_visible_text_keeps_what_can_be_read() -> None:
    """Only what would act is escaped; other scripts stay."""
    assert units.visible("a\x1b[31m\nb\u202eé日本") == "a\\x1b[31m\\nb\\u202eé日本"
