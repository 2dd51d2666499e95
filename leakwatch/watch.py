"""One container watched for a screen: what its sources tell, and what the live detector makes of it; it never acts."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from detectors.types import LiveVerdict
from leakwatch import detect
from leakwatch.errors import SourceError
from leakwatch.ports import Clock, History, Source
from leakwatch.sample.joined import JoinedSources
from leakwatch.sample.poller import Look, stop_all
from leakwatch.settings import TargetSettings
from leakwatch.tell.watch_view import View
from leakwatch.trace import Sample, Target, Trace, samples_in

MOST_SAMPLES = 20_000
"""More than a day at 5 s; then every second one goes, which leaves the last days at half the distance."""
PAST_SECONDS = 5 * 86_400.0
"""How much of the past is asked for where a source has one."""


class Watching:
    """The sources of one target, each in a thread of its own, and all that they told.

    Args:
        sources: the memory's first.
    """

    def __init__(self, target: TargetSettings, sources: Sequence[Source], every_seconds: float, clock: Clock) -> None:
        self._target, self._every_seconds, self._clock = target, every_seconds, clock
        self._joined = JoinedSources(sources, every_seconds, clock, self._heard)
        self._detector = detect.live_detector(limit_bytes=target.limit_bytes)
        self._samples: list[Sample] = []
        self._restarts: list[float] = []
        self._verdict: LiveVerdict | None = None
        self._errors: dict[str, SourceError] = {}

    @property
    def samples(self) -> Sequence[Sample]:
        """What is remembered, the oldest first."""
        return self._samples

    def recall(self, history: History) -> None:
        """Take in the past, where the source has one; what is wrong with it is told as the source's trouble."""
        now = self._clock.now()
        try:
            past = history.history(now - PAST_SECONDS, now)
        except SourceError as error:
            self._errors["history"] = error
            return
        for sample in samples_in(past):
            self._add(sample)

    def start(self) -> None:
        """Begin, with a look at once."""
        self._joined.start()

    def take(self) -> bool:
        """Take in what the sources told since the last call; whether there was a sample of the memory among it."""
        taken = [sample for sample, has_memory in self._joined.samples() if has_memory]
        for sample in taken:
            self._add(sample)
        return bool(taken)

    def judge(self) -> LiveVerdict:
        """What is true now."""
        self._verdict = self._detector.judge(self._clock.now())
        return self._verdict

    def view(self) -> View:
        """The moment, for the screen."""
        values = self._samples[-1].values if self._samples else {}
        view = View(
            name=self._target.name,
            trace=Trace(Target("watch", self._target.name), np.empty(0), {}),
            verdict=self._verdict,
            values=values,
            restarts=tuple(self._restarts),
            every_seconds=self._every_seconds,
            age_seconds=self._joined.memory_age_seconds,
            trouble=tuple(str(error) for error in self._errors.values()),
        )
        return replace(view, trace=self._trace(view.metric, values.get("limit_bytes") or self._target.limit_bytes))

    def close(self) -> None:
        """End the threads within 2 s; one that hangs is left behind."""
        stop_all(self._joined.pollers, clock=self._clock)

    def _heard(self, source: str, look: Look) -> None:
        if look.error is None:
            self._errors.pop(source, None)
        else:
            self._errors[source] = look.error

    def _add(self, sample: Sample) -> None:
        before = self._samples[-1] if self._samples else None
        if before is not None and sample.time_seconds <= before.time_seconds:
            return  # the clock was set back, or the source answered twice for one moment
        if before is not None and None not in (before.life, sample.life) and before.life != sample.life:
            self._restarts.append(sample.time_seconds)
            self._detector.restarted(sample.time_seconds)
        self._detector.observe(sample.time_seconds, sample.values)
        self._samples.append(sample)
        if len(self._samples) > MOST_SAMPLES:
            self._samples = self._samples[::2]

    def _trace(self, metric: str | None, limit_bytes: float | None) -> Trace:
        """The columns that the screen shows."""
        names = [name for name in (metric, "requests_total") if name is not None]
        count = len(self._samples)
        time = np.fromiter((sample.time_seconds for sample in self._samples), float, count)
        columns = {
            name: np.fromiter((sample.values.get(name, np.nan) for sample in self._samples), float, count)
            for name in names
        }
        return Trace(Target("watch", self._target.name), time, columns, limit_bytes)
