"""Stores values under new keys in a loopback redis, now and then reads one back, and counts the requests.

Usage: redis_load.py PORT BYTES_PER_VALUE RATE
"""

import os
import random
import socket
import sys
import time

from request_load import arrivals, swinging


def connected(port: int) -> socket.socket:
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=10)
        except OSError:
            time.sleep(0.1)  # redis is still starting


def main() -> None:
    port, size, rate = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    with connected(port) as redis, redis.makefile("rb") as answers:
        for number in arrivals(swinging(rate)):
            value = os.urandom(random.randrange(size // 2, size * 3 // 2))
            redis.sendall(b"*3\r\n$3\r\nSET\r\n$20\r\n%020d\r\n$%d\r\n%b\r\n" % (number, len(value), value))
            answers.readline()
            redis.sendall(b"*2\r\n$6\r\nSTRLEN\r\n$20\r\n%020d\r\n" % random.randint(1, number))
            answers.readline()


main()
