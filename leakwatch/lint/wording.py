"""Numbers in sentences: 1.5 GiB, 90 s, 15 min."""

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_LARGEST_SECONDS_SHOWN = 120


def size(value_bytes: float) -> str:
    """A size in the unit in which it reads best, three digits at most."""
    power = 0
    while abs(value_bytes) >= 1023.5 and power < len(_UNITS) - 1:
        value_bytes /= 1024
        power += 1
    return f"{number(value_bytes)} {_UNITS[power]}"


def number(value: float) -> str:
    """Three significant digits without an exponent."""
    return f"{value:,.0f}" if abs(value) >= 99.95 else f"{value:.3g}"


def duration(seconds: float) -> str:
    """Seconds, from two minutes on minutes."""
    return f"{number(seconds)} s" if seconds < _LARGEST_SECONDS_SHOWN else f"{number(seconds / 60)} min"


def listed(words: list[str] | tuple[str, ...]) -> str:
    """a, b and c."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
