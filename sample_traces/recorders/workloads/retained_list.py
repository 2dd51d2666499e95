"""A service that keeps all in a list: per request (an audit trail), or as time passes (snapshots of metrics).

Usage: retained_list.py requests BYTES_PER_REQUEST RATE | time BYTES_PER_SECOND RATE
"""

import sys
import threading
import time

from request_load import arrivals, payload, scratch, swinging

SNAPSHOT_EVERY_SECONDS = 0.1
kept: list[bytes] = []


def keep_snapshots(bytes_per_second: int) -> None:
    size = round(bytes_per_second * SNAPSHOT_EVERY_SECONDS)
    due = time.monotonic()
    while True:
        kept.append(payload(size))
        due += SNAPSHOT_EVERY_SECONDS
        time.sleep(max(0.0, due - time.monotonic()))


def main() -> None:
    by, size, rate = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    if by == "time":
        threading.Thread(target=keep_snapshots, args=(size,), daemon=True).start()
    for _ in arrivals(swinging(rate)):
        scratch()
        if by == "requests":
            kept.append(payload(size))


main()
