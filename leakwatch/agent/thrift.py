"""What keeps a long-running process small in glibc's allocator; another C library is left as it is (mallopt(3))."""

import contextlib
import ctypes
import gc

_M_ARENA_MAX = -8


def share_one_arena() -> None:
    """Else each thread gets an arena of its own; ours mostly wait and can share: .4 MiB. For before the first."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def give_back() -> None:
    """What the start needed and nobody needs any more goes back to the system: .5 MiB (malloc_trim(3))."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
