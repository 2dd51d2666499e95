"""Sizes, durations and times, as people write them."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from leakwatch.quantities import parse_duration, parse_size, parse_time, shown


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512MiB", 512 * 2**20),
        ("16Gi", 16 * 2**30),
        ("1.5GB", 1_500_000_000),
        ("1.23 GiB", 1.23 * 2**30),
        (" 4kB ", 4000),
        ("4KiB", 4096),
        ("2M", 2_000_000),
        ("0B", 0),
        (".5TiB", 2**39),
    ],
)
def test_a_size_is_read_in_its_own_unit(text: str, size: float) -> None:
    """Decimal and binary units are told apart, with and without a space and a B."""
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["512", "512m", "1.5gb", "8Mb", "-1GiB", "GiB", "", "1,5GiB", "nanB", "1e400GiB", "9" * 400 + "GiB"]
)
def test_a_size_that_can_be_misread_is_refused(text: str) -> None:
    """A bare number, docker's 512m (millibytes to Kubernetes), megabits and overflows are errors of one line."""
    with pytest.raises(ValueError) as error:
        parse_size(text)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("250ms", 0.25), ("5s", 5), ("10m", 600), ("2h", 7200), ("1h30m", 5400), ("1.5 h", 5400), ("7d", 604800)],
)
def test_a_duration_is_read_in_its_own_unit(text: str, seconds: float) -> None:
    """Every unit of the contract, sums as Go writes them, and fractions."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["5", "", "5 parsecs", "m", "-5s", "5s 3", "1h-30m", "5M"])
def test_a_duration_without_a_known_unit_is_refused(text: str) -> None:
    """What has no unit is never guessed at."""
    with pytest.raises(ValueError):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1790000000", 1790000000),
        ("1790000000.25", 1790000000.25),
        ("1790000000123", 1790000000.123),
        ("0", 0),
        ("2026-09-21T14:13:20Z", 1790000000),
        ("2026-09-21t14:13:20z", 1790000000),
        ("2026-09-21T16:13:20.5+02:00", 1790000000.5),
        ("2026-09-21T14:13:20.123456789Z", 1790000000.123456),
        ("2026-09-21 14:13:20", 1790000000),
        ("1970-01-02", 86400),
    ],
)
def test_a_time_is_read_in_every_form_of_the_contract(text: str, seconds: float) -> None:
    """Unix seconds, 13-digit milliseconds and RFC 3339 mean the same moment; without an offset it is UTC."""
    assert parse_time(text) == pytest.approx(seconds, abs=1e-6)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "nan", "inf", "-1", "1e300", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+23:00", "12:00"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    """No moment outside 1970 to 9999 gets through, for no screen could show it."""
    with pytest.raises(ValueError):
        parse_time(text)


@given(st.text(max_size=60))
@example("9" * 5000)
def test_any_text_is_a_number_or_one_clear_sentence(text: str) -> None:
    """Nothing but ValueError leaves the parsers, its message is one printable line, and every result is finite."""
    for parse in (parse_size, parse_duration, parse_time):
        try:
            assert math.isfinite(parse(text))
        except ValueError as error:
            assert str(error).isprintable() and len(str(error)) < 600


def test_shown_text_is_one_safe_line() -> None:
    """Newlines, terminal escapes and endless cells in a file do not reach the screen."""
    assert shown("a\n\x1b[31mb") == r"'a\n\x1b[31mb'"
    assert len(shown("x" * 1_000_000)) < 50
