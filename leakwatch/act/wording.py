"""Durations in the sentences of acting."""

import math

_UNITS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"))


def duration(seconds: float) -> str:
    """45 s, 12 min, 3 h 20 min, 2 d 4 h: the two largest units."""
    if not math.isfinite(seconds):
        return "for ever"
    if seconds < 59.5:
        return f"{max(seconds, 0.0):.0f} s" if seconds >= 10 else f"{max(seconds, 0.0):.2g} s"
    minutes = max(round(seconds / 60.0), 1)
    for unit, name in _UNITS:
        whole, rest = divmod(minutes * 60, int(unit))
        if whole:
            smaller = {"d": (3600, "h"), "h": (60, "min")}.get(name)
            part = rest // smaller[0] if smaller else 0
            return f"{whole} {name} {part} {smaller[1]}" if smaller and part else f"{whole} {name}"
    raise AssertionError("a minute is the smallest of the units")


def times(count: int) -> str:
    """Once, twice, 3 times."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
