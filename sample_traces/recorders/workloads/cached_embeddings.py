"""A service that caches its answers with functools.lru_cache: 4 of 10 requests ask for one of 100 popular texts, the
rest for texts never seen before. Without a bound the cache keeps them all.

Usage: cached_embeddings.py none|MAX_ENTRIES BYTES_PER_ENTRY RATE
"""

import functools
import random
import sys

from request_load import arrivals, payload, scratch, swinging


def main() -> None:
    bound = None if sys.argv[1] == "none" else int(sys.argv[1])
    size, rate = int(sys.argv[2]), float(sys.argv[3])

    @functools.lru_cache(maxsize=bound)
    def embed(text: str) -> bytes:
        return payload(size)

    for number in arrivals(swinging(rate)):
        scratch()
        embed(f"popular text {random.randrange(100)}" if random.random() < 0.4 else f"new text {number}")


main()
