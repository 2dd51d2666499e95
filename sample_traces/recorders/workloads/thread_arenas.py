"""A pool that starts workers as the load asks for them. Each worker's first request takes a few MiB from its own glibc
arena; a small result that stays behind at the arena's top keeps the freed memory from going back. Once all workers
have had their first request, the arenas are reused and nothing grows: a high-water mark.

Usage: thread_arenas.py WORKERS SECONDS_BETWEEN_STARTS BYTES_PER_REQUEST RATE
"""

import queue
import random
import sys
import threading
import time

from request_load import arrivals, payload, steady

BLOCK_BYTES = 60 * 1024
work: queue.SimpleQueue[int] = queue.SimpleQueue()
results: dict[int, bytes] = {}


def serve(worker: int, size: int) -> None:
    while True:
        blocks = [payload(BLOCK_BYTES) for _ in range(size // BLOCK_BYTES)]
        results.setdefault(worker, payload(2048))
        del blocks
        work.get()


def grow(workers: int, pause_seconds: float, size: int) -> None:
    for worker in range(workers):
        threading.Thread(target=serve, args=(worker, size), daemon=True).start()
        time.sleep(random.expovariate(1 / pause_seconds))


def main() -> None:
    workers, pause_seconds, size, rate = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    threading.Thread(target=grow, args=(workers, pause_seconds, size), daemon=True).start()
    for number in arrivals(steady(rate)):
        work.put(number)


main()
