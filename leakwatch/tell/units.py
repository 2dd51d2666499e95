"""Numbers as people read them: 1.2 GiB, 12.1 MiB/h, 3 h 20 min, RFC 3339 times. Pure; never more digits than three.

Every function takes plain bytes, seconds or Unix seconds and returns text; what is not finite reads "unknown".
"""

import math
from datetime import UTC, datetime

SIZE_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
ELAPSED_BEFORE_SECONDS = 365 * 86_400.0
"""Times within the first year of 1970 are no dates: the recorder counted from its own start (psrecord does)."""

_DAY, _HOUR, _MINUTE = 86_400, 3_600, 60
_FAR_SECONDS = 10 * 365 * _DAY
_UNKNOWN = "unknown"


def number(value: float) -> str:
    """Three significant digits, no exponent, no trailing zeros: 12.1, 4, 0.034, 1010."""
    if not math.isfinite(value):
        return _UNKNOWN
    if value == 0 or abs(value) < 1e-9:
        return "0"
    decimals = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def size_unit(value_bytes: float) -> tuple[str, float]:
    """The unit in which a size reads best, and its bytes; a size that would round up to 1024 takes the next unit."""
    if not math.isfinite(value_bytes):
        return "B", 1.0
    exponent, scaled = 0, abs(value_bytes)
    while scaled >= 1023.5 and exponent < len(SIZE_UNITS) - 1:
        scaled /= 1024
        exponent += 1
    return SIZE_UNITS[exponent], 1024.0**exponent


def size(value_bytes: float) -> str:
    """1.2 GiB."""
    unit, scale = size_unit(value_bytes)
    text = number(value_bytes / scale)
    return text if text == _UNKNOWN else f"{text} {unit}"


def rate(bytes_per_second: float) -> str:
    """12.1 MiB/h; always by the hour, so that two rates compare at a glance."""
    text = size(bytes_per_second * _HOUR)
    return text if text == _UNKNOWN else f"{text}/h"


def size_range(low_bytes: float, high_bytes: float | None, like_bytes: float, per: str = "") -> str:
    """An interval in the unit of its estimate: "11.6 to 12.7 MiB/h"; "11.6 MiB/h or more" where it has no upper end."""
    unit, scale = size_unit(like_bytes)
    low = number(low_bytes / scale)
    if high_bytes is None or not math.isfinite(high_bytes):
        return f"{low} {unit}{per} or more"
    return f"{low} to {number(high_bytes / scale)} {unit}{per}"


def duration(seconds: float) -> str:
    """The two largest units: 3 h 20 min, 5 d 3 h, 45 s; from 10 min to 1 h and from 10 d on, the larger one alone."""
    if not math.isfinite(seconds):
        return _UNKNOWN
    if seconds < 0:
        return f"-{duration(-seconds)}"
    if seconds > _FAR_SECONDS:
        return "over 10 years"
    if seconds < 9.995:
        return f"{number(round(seconds, 2))} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    if seconds < 10 * _MINUTE - 0.5:
        return _two(seconds, _MINUTE, "min", 1, "s")
    if seconds < _HOUR - _MINUTE / 2:
        return f"{seconds / _MINUTE:.0f} min"
    if seconds < _DAY - _MINUTE / 2:
        return _two(seconds, _HOUR, "h", _MINUTE, "min")
    if seconds < 10 * _DAY - _HOUR / 2:
        return _two(seconds, _DAY, "d", _HOUR, "h")
    return f"{seconds / _DAY:,.0f} d"


def duration_range(low_seconds: float, high_seconds: float | None) -> str:
    """2 h 50 min to 4 h 10 min; "2 h 50 min or later" where there is no upper end."""
    if high_seconds is None or not math.isfinite(high_seconds):
        return f"{duration(low_seconds)} or later"
    return f"{duration(low_seconds)} to {duration(high_seconds)}"


def moment(unix_seconds: float) -> str:
    """RFC 3339 in UTC, to the second; "5 min 3 s from the start" for elapsed times (`ELAPSED_BEFORE_SECONDS`)."""
    if not math.isfinite(unix_seconds):
        return _UNKNOWN
    if abs(unix_seconds) < ELAPSED_BEFORE_SECONDS:
        return f"{duration(unix_seconds)} from the start"
    try:
        return datetime.fromtimestamp(round(unix_seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return f"{number(unix_seconds)} s"


def short_moment(unix_seconds: float, start: float, end: float) -> str:
    """14:05Z where the whole trace (Unix seconds ``start`` to ``end``) lies in one UTC day, else as `moment`."""
    first, last, text = moment(start), moment(end), moment(unix_seconds)
    if first[:11] == last[:11] == text[:11] and text.endswith("Z"):
        return f"{text[11:16]}Z"
    return text


def share(ratio: float) -> str:
    """82 %; a share that is not quite all or nothing never reads 100 % or 0 %."""
    if not math.isfinite(ratio):
        return _UNKNOWN
    if 0.99 < ratio < 1:
        return "over 99 %"
    if 0 < ratio < 0.01:
        return "under 1 %"
    return f"{100 * ratio:.0f} %"


def count(value: int, noun: str) -> str:
    """1 restart, 40,320 samples."""
    return f"{value:,} {noun}" if value == 1 else f"{value:,} {noun}s"


def visible(text: str) -> str:
    """The text on one line with nothing that a terminal, a log or XML would act on.

    Control characters, escapes, bidirectional marks, line separators and lone surrogates become ``\\x1b``-like escapes.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def shortened(name: str, most: int = 48) -> str:
    """A long name without its middle: what it is stands at its beginning, which one at its end."""
    if len(name) <= most:
        return name
    end = (most - 1) // 2
    return f"{name[: most - 1 - end]}…{name[-end:]}"


def _two(seconds: float, large: int, large_name: str, small: int, small_name: str) -> str:
    parts = round(seconds / small)
    whole, rest = divmod(parts, large // small)
    return f"{whole} {large_name} {rest} {small_name}" if rest else f"{whole} {large_name}"
