"""Telling: what happened goes in and returns at once; each channel is told by a thread of its own.

A channel that hangs delays neither the caller nor another channel::

    telling = Telling(notifiers, state_dir, clock, targets)
    telling.happened(target, News(...), now)    # every cycle; makes the message, where one is due, and keeps it
    telling.tell(notification)                  # a message that somebody else made
    telling.counts(), telling.waiting(), telling.trouble   # for the metrics page and the doctor
    telling.close()                             # within 2 s; what was not delivered is delivered after the next start
"""

import logging
import math
import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from leakwatch.ports import Clock, Delivery, Notification, Notifier
from leakwatch.tell.channel import Channel
from leakwatch.tell.incident import IncidentState, News, Pace
from leakwatch.tell.message import advance, in_parts
from leakwatch.tell.outbox import Entry, Outbox
from leakwatch.trace import Trace

CLOSE_SECONDS = 1.8
_LOOK_AGAIN_SECONDS = 30.0

log = logging.getLogger(__name__)


class Telling:
    """Every channel, and what is still to be said on each.

    Args:
        notifiers: the channels; names are unique.
        state_dir: the folder of ``outbox.sqlite``; it is there.
        targets: names of the targets that are watched; incidents of others are no longer kept alive.
        pace: how often an incident may speak.
    """

    def __init__(
        self,
        notifiers: Sequence[Notifier],
        state_dir: Path,
        clock: Clock,
        targets: Collection[str] = (),
        pace: Pace | None = None,
    ) -> None:
        self._clock, self._pace = clock, pace or Pace()
        self._channels = {notifier.name: Channel(notifier) for notifier in notifiers}
        self._targets = frozenset(targets)
        self._outbox = Outbox(state_dir / "outbox.sqlite", clock.now())
        self._outbox.tidy(tuple(self._channels), clock.now())
        self._incidents = {state.target: state for state in self._outbox.incidents()}
        self._counts: Counter[tuple[str, str]] = Counter()
        self._known_trouble: str | None = None
        self._wake = threading.Condition()  # its lock guards the outbox, the incidents and the counts
        self._closed = False
        self._workers = [
            threading.Thread(target=self._work, args=(channel,), name=f"tell {channel.name}", daemon=True)
            for channel in self._channels.values()
        ]
        for worker in self._workers:
            worker.start()

    def happened(
        self, target: str, news: News, now: float, history: Callable[[], Trace] | None = None
    ) -> tuple[Notification, ...]:
        """Take in what one cycle brought for one target; returns what will be said about it, if anything.

        ``history`` gives the samples to draw; it is asked only where there is something to say.
        """
        with self._wake:
            said = []
            for part in in_parts(self.incident(target), news):
                before = self.incident(target)
                state, notification = advance(before, part, now, self._pace)
                self._incidents[target] = state
                if notification is not None:
                    if history is not None:
                        notification = _pictured(notification, news, history)
                    self._keep(notification, state)
                    said.append(notification)
                elif state != before:
                    self._outbox.keep(state, now)
            return tuple(said)

    def tell(self, notification: Notification) -> None:
        """Have one message said on every channel that wants its stage."""
        with self._wake:
            self._keep(notification, None)

    def incident(self, target: str) -> IncidentState:
        """What is remembered of a target's incident."""
        return self._incidents.get(target) or IncidentState(target)

    def open_elsewhere(self) -> tuple[str, ...]:
        """Names of targets that are not watched, of which an incident is open still."""
        with self._wake:
            return tuple(name for name, one in self._incidents.items() if one.is_open and name not in self._targets)

    def counts(self) -> Mapping[tuple[str, str], int]:
        """By channel and outcome: delivered, failed (and tried again), refused, expired, dropped (for want of room)."""
        with self._wake:
            return dict(self._counts)

    def waiting(self) -> Mapping[str, int]:
        """How many messages each channel has not taken yet."""
        with self._wake:
            return self._outbox.waiting()

    @property
    def trouble(self) -> str | None:
        """One sentence where messages might be lost at the end of the process; else None."""
        return self._outbox.trouble

    def close(self) -> None:
        """End within 2 s; a delivery that takes longer is left to itself and made again after the next start."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        ends_at = self._clock.steady() + CLOSE_SECONDS
        for worker in self._workers:
            worker.join(max(0.0, ends_at - self._clock.steady()))
        with self._wake:
            if not any(worker.is_alive() for worker in self._workers):
                self._outbox.close()

    def _keep(self, notification: Notification, state: IncidentState | None) -> None:
        wanting = tuple(name for name, c in self._channels.items() if notification.stage in c.notifier.stages)
        dropped = self._outbox.add(notification, wanting, state, self._clock.now())
        if dropped:
            self._counts["all", "dropped"] += dropped
        self._wake.notify_all()

    def _work(self, channel: Channel) -> None:
        while True:
            with self._wake:
                if self._closed:
                    return
                self._tell_trouble()
                steady = self._clock.steady()
                entry = self._next(channel) if steady >= channel.not_before else None
                if entry is None and not channel.has_to_remind(steady):
                    self._wake.wait(self._idle_seconds(channel, steady))
                    continue
                told = self._outbox.told(channel.name, entry.notification.key) if entry is not None else None
                if entry is not None:
                    self._outbox.begin(entry, self._clock.now())
            if entry is None:
                self._remind(channel)
                continue
            thread = told.thread if told is not None else {}
            delivery = channel.say(entry.notification, thread, entry.tries)
            with self._wake:
                self._settle(channel, entry, thread, delivery)

    def _next(self, channel: Channel) -> Entry | None:
        """The channel's oldest entry that is worth saying."""
        now = self._clock.now()
        while (entry := self._outbox.first(channel.name, now)) is not None and entry.is_expired(now):
            self._outbox.drop(entry, now)
            self._count(channel, "expired")
        return entry

    def _idle_seconds(self, channel: Channel, steady: float) -> float:
        dues = [channel.not_before] if self._outbox.waiting().get(channel.name) else []
        if channel.reminds_at is not None:
            dues.append(max(channel.reminds_at, channel.not_before))
        return min(max(min(dues, default=math.inf) - steady, 0.01), _LOOK_AGAIN_SECONDS)

    def _tell_trouble(self) -> None:
        if self._outbox.trouble != self._known_trouble:
            self._known_trouble = self._outbox.trouble
            log.warning("%s", self._known_trouble or "the outbox is on disk again")

    def _settle(self, channel: Channel, entry: Entry, thread: Mapping[str, str], delivery: Delivery) -> None:
        now = self._clock.now()
        channel.used(delivery, self._clock.steady())
        if delivery.delivered:
            self._outbox.delivered(channel.name, entry, thread if delivery.thread is None else delivery.thread, now)
            self._count(channel, "delivered")
        elif delivery.retry:
            self._count(channel, "failed")
        else:
            self._outbox.drop(entry, now)
            self._count(channel, "refused")

    def _remind(self, channel: Channel) -> None:
        """Tell the channel of every open incident again, and no longer of targets that nobody watches."""
        with self._wake:
            told = self._outbox.told_open(channel.name)
        for one in told:
            if one.notification.target in self._targets and not self._closed:
                delivery = channel.say(one.notification, one.thread, 0)
                channel.used(delivery, self._clock.steady())
                if not delivery.delivered:
                    break
        channel.reminds_at = self._clock.steady() + (channel.notifier.repeat_seconds or math.inf)

    def _count(self, channel: Channel, outcome: str) -> None:
        self._counts[channel.name, outcome] += 1


def _pictured(n: Notification, news: News, history: Callable[[], Trace]) -> Notification:
    """With its chart; a picture that cannot be drawn costs the picture, never the message."""
    if news.verdict is None:
        return n
    from leakwatch.tell.chart_png import chart_png  # an agent may watch for weeks before it draws
    from leakwatch.tell.sparkline import sparkline

    try:
        trace = history()
        chart, line = chart_png(trace, news.verdict, news.limit_bytes), sparkline(trace, news.verdict.metric)
    except Exception as error:
        log.error("no picture: unexpected %s; this is a fault of leakwatch", type(error).__name__)
        return n
    return replace(n, chart_png=chart, sparkline=line)
