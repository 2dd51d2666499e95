"""A progress bar on standard error, for runs that last, where someone is there to see it."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
PATIENCE_SECONDS = 0.5
"""A run that is over before this shows no bar: it would only flicker."""


def with_progress(results: Iterable[T], total: int) -> Iterator[T]:
    """Pass ``results`` on unchanged, with a bar on standard error where that is a terminal and there are many."""
    if total < 2 or sys.stderr is None or not sys.stderr.isatty():
        yield from results
        return
    began = time.monotonic()
    bar = None
    try:
        for done, result in enumerate(results, 1):
            if bar is None and time.monotonic() - began > PATIENCE_SECONDS:
                from rich.console import Console
                from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

                columns = (TextColumn("Analysing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
                bar = Progress(*columns, console=Console(stderr=True), transient=True)
                task = bar.add_task("", total=total)
                bar.start()
            if bar is not None:
                bar.update(task, completed=done)
            yield result
    finally:
        if bar is not None:
            bar.stop()
