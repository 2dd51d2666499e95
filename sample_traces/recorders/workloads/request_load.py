"""Requests that arrive at random times at a given rate, counted where the recorder reads the count."""

import math
import os
import random
import time
from collections.abc import Callable, Iterator


class Counter:
    """A count that the recorder samples as a column of that name."""

    def __init__(self, column: str) -> None:
        self.total = 0
        self._file = os.open(os.path.join(os.environ["COUNTERS"], column), os.O_WRONLY | os.O_CREAT)
        self._write()

    def add_one(self) -> None:
        self.total += 1
        self._write()

    def _write(self) -> None:
        os.pwrite(self._file, b"%020d" % self.total, 0)  # of fixed width: nobody reads half a number


def arrivals(rate_per_second: Callable[[float], float], column: str = "requests_total") -> Iterator[int]:
    """Waits for each request of a Poisson stream and yields its number, for ever.

    Args:
        rate_per_second: the rate as a function of the seconds since the start.
        column: where the requests are counted.
    """
    requests = Counter(column)
    start = due = time.monotonic()
    while True:
        due += random.expovariate(rate_per_second(due - start))
        time.sleep(max(0.0, due - time.monotonic()))
        requests.add_one()
        yield requests.total


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
