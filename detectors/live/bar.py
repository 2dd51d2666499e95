"""What growth has to be like at the least, all of it at once.

In a sum of evidence alone much of one thing would make up for the lack of another.
The constants come from a random search on simulated containers, before there was a score; it now weighs by how much
they are exceeded or missed.
"""

import math

DAY_SECONDS = 86_400.0
SHORT_SECONDS = DAY_SECONDS / 6.0
"""Growth within four hours has to take all of `SHORT` more, over a day none: there are far fewer long windows in a week
than short ones, and what is harmless and lasts for a day is rare."""
SHARE, SHORT, FEW, UNKNOWN = 0.155, 0.16, 0.45, 0.10
"""Of the headroom: always, for short climbs, over the square root of the blocks, and where nothing was seen before."""
STRAIGHT, LATE, LAST, LARGEST_STEP, REAL = 0.57, 0.44, 0.61, 0.62, 0.17
LIKE = 1.2
"""How many times the largest harmless growth of the same duration it has to be."""
ABOVE, ABOVE_OWN, ABOVE_FLOORS = 0.0, -0.6, 0.8
"""How far above the usual highest level, the window's own, and the highest floor of longer blocks it has to stand."""
MOST_LACKING, EACH = 4, 0.5


def shortness(lasted_seconds: float) -> float:
    """1 up to `SHORT_SECONDS`, 0 from a day on."""
    short = math.log(DAY_SECONDS / max(lasted_seconds, 1.0)) / math.log(DAY_SECONDS / SHORT_SECONDS)
    return min(max(short, 0.0), 1.0)


def bar(lasted_seconds: float, blocks: int, known: bool) -> float:
    """The share of the headroom that a climb has to take; ``known``: something was seen before it."""
    return SHARE + SHORT * shortness(lasted_seconds) + FEW / math.sqrt(blocks) + (0.0 if known else UNKNOWN)


def is_new(above_usual: float | None, above_floors: float | None) -> bool:
    """Whether it has come to where the container usually is not."""
    if above_floors is None:
        return above_usual is None or above_usual > ABOVE_OWN
    return (above_usual is not None and above_usual > ABOVE) or above_floors > ABOVE_FLOORS


def lacking(
    *, straight: float, late: float, last: float, largest_step: float, real: float, like: float, new: bool
) -> int:
    """How much of what a leak should be like it is not, up to `MOST_LACKING`."""
    lacks = (
        straight < STRAIGHT,
        late < LATE,
        last < LAST,
        largest_step > LARGEST_STEP,
        real < REAL,
        LIKE * like > 1.0,
        not new,
    )
    return min(sum(lacks), MOST_LACKING)


def weakest(over_bar: float, lacks: int) -> float:
    """The worse of the two: by how much it misses the bar, as a logarithm, and what it lacks."""
    return min(over_bar, -EACH * lacks)
