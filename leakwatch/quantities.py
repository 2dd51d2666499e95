"""Sizes, durations and times as people write them, read strictly: a bare number has no unit and is refused.

Every function raises ValueError with one sentence that says what was wrong and what to write instead.
"""

import math
import re
from datetime import UTC, datetime

SIZE_UNITS: dict[str, int] = {
    "B": 1,
    **{prefix + end: 1000**power for power, prefix in enumerate("kMGTPE", 1) for end in ("", "B")},
    **{prefix + end: 1024**power for power, prefix in enumerate("KMGTPE", 1) for end in ("i", "iB")},
    "K": 1000,
    "KB": 1000,
}
"""Bytes in a unit. ``M`` is 10**6 and ``Mi`` 2**20, as in Kubernetes quantities
(https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/)."""

DURATION_UNITS: dict[str, float] = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
"""Seconds in a unit; the letters are those of Go and Prometheus durations."""

LATEST_TIME = 253402300800.0
"""0001-01-01 of the year 10000: RFC 3339 ends before it (its years have four digits)."""

MILLISECONDS_FROM = 1e11
"""A number this large is milliseconds: as seconds it would lie in the year 5138, as milliseconds in 1973."""

_NUMBER = r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+"
_SIZE = re.compile(rf"({_NUMBER})\s*([A-Za-z]*)")
_DURATION_PART = re.compile(rf"({_NUMBER})\s*([a-z]+)")
_DURATION = re.compile(rf"(?:(?:{_NUMBER})\s*[a-z]+\s*)+")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[Tt ].+)?")


def parse_size(text: str) -> float:
    """Bytes of ``512MiB``, ``16Gi``, ``1.5GB``, ``1.23 GiB``.

    Raises:
        ValueError: no number, no unit, or a unit that two tools read differently (docker's ``512m`` is 512 MiB, to
            Kubernetes it is half a byte).
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{shown(text)} is no size; write for example 512MiB or 1.5GB")
    number, unit = match.groups()
    if not unit:
        raise ValueError(f"{shown(text)} has no unit; write for example 512MiB or 1.5GB")
    if unit not in SIZE_UNITS:
        raise ValueError(f"{shown(text)} has an unknown unit; use one of kB MB GB TB KiB MiB GiB TiB (or Ki Mi Gi)")
    size = float(number) * SIZE_UNITS[unit]
    if not math.isfinite(size):
        raise ValueError(f"{shown(text)} is too large for a size")
    return size


def parse_duration(text: str) -> float:
    """Seconds of ``250ms``, ``5s``, ``10m``, ``2h``, ``1h30m``.

    Raises:
        ValueError: no number, no unit, or an unknown unit.
    """
    stripped = text.strip()
    if _DURATION.fullmatch(stripped) is None:
        raise ValueError(f"{shown(text)} is no duration; write for example 250ms, 5s, 10m or 2h")
    seconds = 0.0
    for number, unit in _DURATION_PART.findall(stripped):
        if unit not in DURATION_UNITS:
            raise ValueError(f"{shown(text)} has an unknown unit; use one of {' '.join(DURATION_UNITS)}")
        seconds += float(number) * DURATION_UNITS[unit]
    if not math.isfinite(seconds):
        raise ValueError(f"{shown(text)} is too long for a duration")
    return seconds


def parse_time(text: str) -> float:
    """Unix seconds of a Unix time, of 13-digit milliseconds, or of an RFC 3339 time; without an offset it is UTC.

    Raises:
        ValueError: neither a number nor a time, or outside the years 1970 to 9999.
    """
    stripped = text.strip()
    is_date = stripped[4:5] == "-" and stripped[7:8] == "-"
    seconds = _calendar_seconds(stripped) if is_date else _unix_seconds(stripped)
    if not 0.0 <= seconds < LATEST_TIME:
        raise ValueError(f"{shown(text)} is no time; write Unix seconds or for example 2026-03-01T12:00:00Z")
    return seconds


def _unix_seconds(text: str) -> float:
    """The number, brought to seconds; NaN where the text is none."""
    try:
        number = float(text)
    except ValueError:
        return math.nan
    return number / 1000.0 if number >= MILLISECONDS_FROM else number


def _calendar_seconds(text: str) -> float:
    """Unix seconds of a date or an RFC 3339 time, NaN where the text is neither."""
    if _DATE.fullmatch(text) is None:
        return math.nan
    try:
        moment = datetime.fromisoformat(text.upper())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return math.nan


def shown(text: str, at_most: int = 40) -> str:
    """The text in quotes as one safe line: control characters escaped, long text cut short."""
    return repr(text if len(text) <= at_most else text[: at_most - 3] + "...")
