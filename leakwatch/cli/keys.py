"""Single keys from the terminal, for a screen that is read by a person."""

import os
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def pressed_keys() -> Iterator[Callable[[float], str]]:
    """A function that waits at most so many seconds for a key and returns it; empty where none came.

    Ctrl-C stays a signal. The terminal is as it was afterwards; where standard input is none, no key ever comes.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        yield _no_key
        return
    import termios
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)

    def key(within_seconds: float) -> str:
        ready, _, _ = select.select([terminal], [], [], max(0.0, within_seconds))
        return os.read(terminal, 1).decode("ascii", "replace") if ready else ""

    try:
        tty.setcbreak(terminal)
        yield key
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _no_key(within_seconds: float) -> str:
    import time

    time.sleep(max(0.0, within_seconds))
    return ""
