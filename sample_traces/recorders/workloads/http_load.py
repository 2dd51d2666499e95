"""Sends GET requests to a loopback HTTP server, which counts them itself (a request counts when it is served).

Usage: http_load.py PORT RATE
"""

import http.client
import sys
import time

from request_load import arrivals, swinging


def main() -> None:
    port, rate = int(sys.argv[1]), float(sys.argv[2])
    for number in arrivals(swinging(rate), column="sent"):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", f"/predict?user={number}")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.2)  # the server is still starting
        finally:
            connection.close()


main()
