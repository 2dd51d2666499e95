"""A bar on standard error with the rate and the time left, where someone is there to see it; else a line a minute."""

import sys
import time
from types import TracebackType
from typing import Any, Self

from leakwatch.tell.units import duration

LINE_EVERY_SECONDS = 60.0


class FleetProgress:
    """Counts chunks; ``advance`` hears how many containers came with each.

    Args:
        chunks: how many there are; done: how many of them were there already.
    """

    def __init__(self, chunks: int, done: int) -> None:
        self._chunks, self._done, self._advanced, self._containers = chunks, done, 0, 0
        self._began = self._said = time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        if sys.stderr is not None and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (TextColumn("Judging"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
            self._bar = Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task("", total=self._chunks, completed=self._done, rate="")
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self, containers: int) -> None:
        """One chunk more, with so many containers."""
        self._done += 1
        self._advanced += 1
        self._containers += containers
        now = time.monotonic()
        rate = f"{self._containers / max(now - self._began, 1e-3):,.0f} containers/s"
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done, rate=rate)
        elif now - self._said > LINE_EVERY_SECONDS:
            self._said = now
            left = (now - self._began) / self._advanced * (self._chunks - self._done)
            said = f"{self._done} of {self._chunks} chunks, {rate}, {duration(left)} left"
            print(f"leakwatch: {said}", file=sys.stderr)
