"""A service that holds a buffer for as long as a request is in flight, under a load that comes and goes: memory follows
the request rate up and down. Optionally each request leaves a little behind, a leak under a moving load.

Usage: requests_in_flight.py BUFFER_BYTES SECONDS_IN_FLIGHT RATE LEFT_BEHIND_BYTES
"""

import collections
import math
import sys
import time

from request_load import arrivals, payload

PERIOD_SECONDS = 48.0


def main() -> None:
    size, held_seconds, mean, left_behind = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    in_flight: collections.deque[tuple[float, bytes]] = collections.deque()
    kept: list[bytes] = []
    for _ in arrivals(lambda seconds: mean * (1 - 0.85 * math.cos(math.tau * seconds / PERIOD_SECONDS))):
        now = time.monotonic()
        while in_flight and in_flight[0][0] < now:
            in_flight.popleft()
        in_flight.append((now + held_seconds, payload(size)))
        if left_behind:
            kept.append(payload(left_behind))


main()
