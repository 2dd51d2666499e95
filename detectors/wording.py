"""Numbers in the sentences that say why: three significant digits, units that fit, times of day in UTC."""

import math
from datetime import UTC, datetime

_SIZES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_DURATIONS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))
_FIRST_YEAR_SECONDS = 365 * 86400.0
"""Times within the first year of 1970 are no dates: the recorder counted from its own start."""
_SECONDS_MATTER = 3600.0
MOST_ODDS = 10_000.0
"""Beyond this the odds say more about the noise model than about the memory."""


def number(value: float) -> str:
    """12.1, 4, 0.034, 1,010: three significant digits, no exponent, no trailing zeros."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "unknown"
    decimals = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def size(value_bytes: float) -> str:
    """1.2 GiB."""
    unit, scale = _size_unit(value_bytes)
    return f"{number(value_bytes / scale)} {unit}"


def sizes(low_bytes: float, high_bytes: float, per: str = "") -> str:
    """Two sizes in the unit of the larger: "31.2 to 33 MiB"."""
    unit, scale = _size_unit(max(abs(low_bytes), abs(high_bytes)))
    return f"{number(low_bytes / scale)} to {number(high_bytes / scale)} {unit}{per}"


def rate(bytes_per_second: float) -> str:
    """12.1 MiB/h."""
    return f"{size(bytes_per_second * 3600.0)}/h"


def rates(low: float, high: float) -> str:
    """Two rates in bytes per second: "11.6 to 12.7 MiB/h"."""
    return sizes(low * 3600.0, high * 3600.0, "/h")


def duration(seconds: float) -> str:
    """45 s, 40 min, 3 h 20 min, 5 d 3 h: the two largest units, the smaller one left out from 10 of the larger on."""
    seconds = max(seconds, 0.0)
    if seconds < 59.5:
        return f"{number(float(f'{seconds:.2g}'))} s"
    for i, (unit, name) in enumerate(_DURATIONS):
        smaller, smaller_name = _DURATIONS[i + 1]
        count = round(seconds / smaller)
        per = round(unit / smaller)
        if count >= per:
            whole, rest = divmod(count, per)
            if whole >= 10:
                return f"{seconds / unit:,.0f} {name}"
            return f"{whole} {name} {rest} {smaller_name}" if rest else f"{whole} {name}"
    raise AssertionError("durations of a minute and more fit one of the units")


def moment(unix_seconds: float, start: float, end: float) -> str:
    """14:05Z where the trace lies in one UTC day (14:05:20Z where it is under an hour long), else 2026-11-23 14:05Z;
    "40 s after 0" for elapsed times."""
    if abs(unix_seconds) < _FIRST_YEAR_SECONDS:
        return f"{duration(unix_seconds)} after 0"
    try:
        first, last, then = (datetime.fromtimestamp(t, UTC) for t in (start, end, unix_seconds))
    except (OverflowError, ValueError, OSError):
        return f"{number(unix_seconds)} s"
    if first.date() != last.date():
        return f"{then:%Y-%m-%d %H:%MZ}"
    return f"{then:%H:%M:%SZ}" if end - start < _SECONDS_MATTER else f"{then:%H:%MZ}"


def share(ratio: float) -> str:
    """82 %; what is not quite all or nothing never reads 100 % or 0 %."""
    if 0.99 < ratio < 1.0:
        return "over 99 %"
    if 0.0 < ratio < 0.01:
        return "under 1 %"
    return f"{100.0 * ratio:.0f} %"


def odds(ratio: float) -> str:
    """ "1,200 times as likely as", "as likely as", "over 10,000 times as likely as"."""
    if ratio > MOST_ODDS:
        return f"over {MOST_ODDS:,.0f} times as likely as"
    if ratio < 1.5:
        return "hardly more likely than" if ratio > 1.05 else "as likely as"
    return f"{float(f'{ratio:.2g}'):,g} times as likely as"


def count(value: int, noun: str) -> str:
    """1 restart, 40,320 samples."""
    return f"{value:,} {noun}" if value == 1 else f"{value:,} {noun}s"


def _size_unit(value_bytes: float) -> tuple[str, float]:
    exponent, scaled = 0, abs(value_bytes)
    while scaled >= 1023.5 and exponent < len(_SIZES) - 1:
        scaled, exponent = scaled / 1024.0, exponent + 1
    return _SIZES[exponent], 1024.0**exponent
