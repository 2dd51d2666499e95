"""Two models behind one server, each with its own traffic. Only the first keeps something of each request.

Usage: two_models.py LEAKING_MODEL BYTES_PER_REQUEST HEALTHY_MODEL RATE
"""

import math
import sys
import threading

from request_load import arrivals, payload, scratch

kept: list[bytes] = []


def serve(model: str, bytes_kept: int, rate: float, period_seconds: float) -> None:
    def swinging(seconds: float) -> float:
        return rate * (1 + 0.8 * math.sin(math.tau * seconds / period_seconds))

    for _ in arrivals(swinging, column=f"requests_total:{model}"):
        scratch()
        if bytes_kept:
            kept.append(payload(bytes_kept))


def main() -> None:
    leaking, size, healthy, rate = sys.argv[1], int(sys.argv[2]), sys.argv[3], float(sys.argv[4])
    threading.Thread(target=serve, args=(healthy, 0, rate, 97.0), daemon=True).start()
    serve(leaking, size, rate, 61.0)


main()
