"""Requests that arrive at random times at a given rate, counted where the recorder reads the count."""

import math
import os
import random
import time
from collections.abc import Callable, Iterator


def arrivals(rate_per_second: Callable[[float], float]) -> Iterator[int]:
    """Waits for each request of a Poisson stream and yields its number, for ever.

    Args:
        rate_per_second: the rate as a function of the seconds since the start.
    """
    counter = os.open(os.environ["REQUESTS_FILE"], os.O_WRONLY | os.O_CREAT)
    start = due = time.monotonic()
    number = 0
    while True:
        os.pwrite(counter, b"%020d" % number, 0)  # one fixed-width write: the recorder never reads half a number
        due += random.expovariate(rate_per_second(due - start))
        time.sleep(max(0.0, due - time.monotonic()))
        number += 1
        yield number


def swinging(mean_per_second: float) -> Callable[[float], float]:
    """A rate that swings between about a tenth of and twice its mean, in two periods that do not fit each other."""

    def rate(seconds: float) -> float:
        return mean_per_second * (1 + 0.6 * math.sin(math.tau * seconds / 83) + 0.3 * math.sin(math.tau * seconds / 31))

    return rate


def steady(mean_per_second: float) -> Callable[[float], float]:
    """The same rate at all times."""
    return lambda seconds: mean_per_second


def payload(resident_bytes: int) -> bytes:
    """Bytes that cost exactly `resident_bytes` of heap, all of it written to.

    33 is the header of a CPython bytes object, 8 that of a glibc malloc chunk; `resident_bytes` is a multiple of 16.
    """
    return os.urandom(resident_bytes - 33 - 8)


def scratch() -> None:
    """What every request uses and gives back: the noise of an honest service."""
    for _ in range(3):
        payload(1024 * random.randrange(1, 65))
