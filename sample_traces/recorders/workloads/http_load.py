"""Sends GET requests to a loopback HTTP server, which counts them itself.

Usage: http_load.py PORT RATE
"""

import http.client
import os
import sys
import time

from request_load import arrivals, swinging


def main() -> None:
    os.environ["REQUESTS_FILE"] = os.devnull  # the server counts
    port, rate = int(sys.argv[1]), float(sys.argv[2])
    for number in arrivals(swinging(rate)):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", f"/predict?user={number}")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.2)  # the server is still starting
        finally:
            connection.close()


main()
