"""A service whose request objects point at each other: garbage that only CPython's cycle collector can free.

With `off` the collector is disabled, as some services do for latency, and every request stays. With `on` it runs as
shipped: garbage piles up until enough objects exist, then all of it goes.

Usage: reference_cycles.py on|off BYTES_PER_REQUEST RATE
"""

import gc
import sys

from request_load import arrivals, payload, scratch, swinging


class Request:
    """A request and its session hold each other."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.session = Session(self)
        self.callbacks = [lambda: self.body]


class Session:
    def __init__(self, request: Request) -> None:
        self.request = request


def main() -> None:
    collector, size, rate = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    if collector == "off":
        gc.disable()
    for _ in arrivals(swinging(rate)):
        scratch()
        Request(payload(size))


main()
