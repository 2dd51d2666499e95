"""A model server that is given new versions: it loads each beside the one that it serves, moves over, and unloads the
old. The versions differ in size; memory steps up and down with the loads and leaks nothing.

Usage: model_versions.py SECONDS_BETWEEN_LOADS SECONDS_SIDE_BY_SIDE MEAN_BYTES RATE
"""

import mmap
import os
import random
import sys
import threading
import time

from request_load import Counter, arrivals, scratch, swinging


def load(size: int) -> mmap.mmap:
    """Weights in memory of their own, as a runtime maps them; closing them gives all of it back."""
    weights = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    while weights.tell() < size:
        weights.write(os.urandom(min(1 << 20, size - weights.tell())))
        time.sleep(0.01)
    return weights


def serve_versions(pause_seconds: float, both_seconds: float, mean_bytes: int) -> None:
    loads = Counter("model_loads_total")
    serving: mmap.mmap | None = None
    while True:
        new = load(round(mean_bytes * random.uniform(0.7, 1.3)))
        loads.add_one()
        if serving is not None:
            time.sleep(both_seconds)
            serving.close()
        serving = new
        time.sleep(pause_seconds * random.uniform(0.5, 1.5))


def main() -> None:
    pause_seconds, both_seconds, mean_bytes, rate = map(float, sys.argv[1:])
    threading.Thread(target=serve_versions, args=(pause_seconds, both_seconds, round(mean_bytes)), daemon=True).start()
    for _ in arrivals(swinging(rate)):
        scratch()


main()
