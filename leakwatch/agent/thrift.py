"""What keeps a long-running process small: how glibc's allocator is set (mallopt(3)), and what is loaded when.

Another C library is left as it is. Figures are of `benchmarks.footprint`.
"""

import contextlib
import ctypes
import gc
import importlib
import sys
import threading
from types import ModuleType
from typing import Any

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
_LARGE_BYTES = 64 * 1024


def keep_the_heap_small() -> None:
    """One arena for all threads, and what is large outside of it. For before the first thread and the large imports.

    Threads that mostly wait can share an arena: .4 MiB. What is larger than the threshold goes back to the system when
    it is let go, instead of leaving a hole in the heap: 1.5 MiB, of byte code that was read. Without being told, glibc
    raises that threshold up to 32 MiB as it goes.
    """
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(_M_ARENA_MAX, 1)
        library.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def encrypt_later() -> None:
    """Have ``ssl`` loaded when something of it is first used: 5 MiB, which most agents beside their server never need.

    http.client imports it for everybody. For before that.
    """
    sys.modules.setdefault("ssl", _LaterSsl("ssl"))


def give_back() -> None:
    """What the start needed and nobody needs any more goes back to the system: .5 MiB (malloc_trim(3))."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


class _LaterSsl(ModuleType):
    """As importlib.util.LazyLoader makes one, which two threads at once could see half loaded before Python 3.12.3."""

    _loading = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # the import system asks for those
            raise AttributeError(name)
        with self._loading:
            if sys.modules.get("ssl") is self:
                del sys.modules["ssl"]
            return getattr(importlib.import_module("ssl"), name)
