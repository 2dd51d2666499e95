"""A service that writes a request log which a shipper reads back: the page cache of its cgroup fills up to the limit
and is then reclaimed. Its own memory stays level.

Usage: request_log.py FOLDER BYTES_PER_REQUEST RATE
"""

import sys
from pathlib import Path

from request_load import arrivals, payload, scratch, swinging

SHIP_EVERY_REQUESTS = 100
SHIP_BYTES = 1 << 20


def main() -> None:
    log_path, size, rate = Path(sys.argv[1]) / "requests.log", int(sys.argv[2]), float(sys.argv[3])
    with log_path.open("wb", buffering=0) as log, log_path.open("rb", buffering=0) as shipper:
        for number in arrivals(swinging(rate)):
            scratch()
            log.write(payload(size))
            if number % SHIP_EVERY_REQUESTS == 0:
                while shipper.read(SHIP_BYTES):
                    pass


main()
