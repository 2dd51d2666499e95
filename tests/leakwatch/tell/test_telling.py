"""Delivery: at once for the caller, in order, as often as needed, and never twice."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detectors.types import LiveVerdict
from leakwatch.ports import Delivery, Notification, Stage
from leakwatch.tell.incident import News, Pace
from leakwatch.tell.telling import Telling
from leakwatch.trace import Target, Trace

DELIVERED = Delivery(True, False, "taken")
DOWN = Delivery(False, True, "refused connection")
Make = Callable[..., Notification]


class Channel:
    """A notifier that answers as it is told to, and remembers what it was asked to say."""

    def __init__(self, name: str = "slack", stages: frozenset[Stage] = frozenset(Stage)) -> None:
        self.name, self.stages = name, stages
        self.repeat_seconds: float | None = None
        self.answers: list[Delivery | Exception] = []
        self.said: list[tuple[Notification, Mapping[str, str]]] = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def notify(self, notification: Notification, thread: Mapping[str, str], *, again: bool = False) -> Delivery:
        self.may_go_on.wait(60)
        self.said.append((notification, thread))
        answer = self.answers.pop(0) if self.answers else DELIVERED
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def numbers(self) -> list[int]:
        return [n.number for n, _ in self.said]


@pytest.fixture
def telling(tmp_path: Path, clock: Any) -> Iterator[Callable[..., Telling]]:
    """Makes a telling over channels, in one folder; all are closed in the end."""
    made: list[Telling] = []

    def make(*channels: Channel, targets: tuple[str, ...] = ("serving",), pace: Pace | None = None) -> Telling:
        made.append(Telling(channels, tmp_path, clock, targets, pace))
        return made[-1]

    yield make
    for one in made:
        one.close()


def until(condition: Callable[[], bool]) -> None:
    """Waits for what another thread does."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


def test_each_channel_hears_the_stages_that_it_wants(telling: Callable[..., Telling], notification: Make) -> None:
    """A webhook takes no updates; the thread of a delivery comes back with the next message of the incident."""
    slack, webhook = Channel(), Channel("webhook", frozenset({Stage.OPENED, Stage.RESOLVED}))
    slack.answers = [Delivery(True, False, "", thread={"ts": "1.2"}), DELIVERED]
    tell = telling(slack, webhook)
    for number, stage in enumerate((Stage.OPENED, Stage.UPDATED, Stage.RESOLVED), start=1):
        tell.tell(notification(number, stage))
    until(lambda: not tell.waiting())
    assert slack.numbers == [1, 2, 3]
    assert [thread for _, thread in slack.said] == [{}, {"ts": "1.2"}, {"ts": "1.2"}]
    assert webhook.numbers == [1, 3]
    assert tell.counts() == {("slack", "delivered"): 3, ("webhook", "delivered"): 2}


def test_a_channel_that_hangs_holds_up_neither_the_caller_nor_the_end(
    telling: Callable[..., Telling], notification: Make
) -> None:
    """The loop keeps its beat and the agent ends within 2 s; what was not taken is there after the next start."""
    slow = Channel()
    slow.may_go_on.clear()
    tell = telling(slow)
    begun = time.monotonic()
    for number in range(1, 21):
        tell.tell(notification(number))
    tell.close()
    assert time.monotonic() - begun < 20  # 2 s, and room for a busy machine
    again = Channel()
    after = telling(again)
    until(lambda: len(again.said) == 20)
    assert again.numbers == list(range(1, 21))
    slow.may_go_on.set()
    assert after.waiting() == {} or after.waiting() == {"slack": 1}


def test_a_channel_that_is_down_is_tried_again_in_order(
    telling: Callable[..., Telling], notification: Make, clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Each failure doubles the wait, nothing overtakes, and the log says it when it begins and when it ends."""
    slack = Channel()
    slack.answers = [DOWN, DOWN, DOWN]
    tell = telling(slack)
    with caplog.at_level(logging.INFO):
        tell.tell(notification(1))
        tell.tell(notification(2, Stage.ACTED))
        for tries, wait in ((1, 1), (2, 2), (3, 4)):
            until(lambda tries=tries: tell.counts().get(("slack", "failed")) == tries)
            clock.pass_by(wait - 0.1)
            wake(tell)
            assert len(slack.said) == tries
            clock.pass_by(0.2)
            wake(tell)
        until(lambda: not tell.waiting())
    assert slack.numbers == [1, 1, 1, 1, 2]
    assert tell.counts() == {("slack", "failed"): 3, ("slack", "delivered"): 2}
    assert [r.message for r in caplog.records] == [
        "slack: refused connection; tried again until it works",
        "slack: takes messages again after 3 failures",
    ]


def wake(tell: Telling) -> None:
    """Has the worker look at the clock, as it does by itself twice a minute, and waits until it sleeps again."""
    with tell._wake:
        tell._wake.notify_all()
    time.sleep(0.05)  # it is asleep again long before; a worker that is not only makes the test pass


def test_a_channel_is_waited_for_as_long_as_it_asks(
    telling: Callable[..., Telling], notification: Make, clock: Any
) -> None:
    """Retry-After is obeyed, up to an hour."""
    slack = Channel()
    slack.answers = [Delivery(False, True, "too many", after_seconds=120)]
    tell = telling(slack)
    tell.tell(notification())
    until(lambda: bool(tell.counts()))
    clock.pass_by(119)
    wake(tell)
    assert len(slack.said) == 1
    clock.pass_by(2)
    wake(tell)
    until(lambda: not tell.waiting())


def test_a_message_that_is_refused_holds_up_nobody(telling: Callable[..., Telling], notification: Make) -> None:
    """What a channel will never take is dropped and counted; so is one on which the notifier breaks each time."""
    slack = Channel()
    slack.answers = [Delivery(False, False, "invalid_blocks")]
    tell = telling(slack)
    tell.tell(notification(1))
    tell.tell(notification(2))
    until(lambda: not tell.waiting())
    assert slack.numbers == [1, 2]
    assert tell.counts() == {("slack", "refused"): 1, ("slack", "delivered"): 1}


def test_a_notifier_that_raises_does_not_end_the_thread(
    telling: Callable[..., Telling], notification: Make, clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Its message is tried a few times and given up; the log names the fault and no secret that its text may hold."""
    slack = Channel()
    slack.answers = [KeyError("https://hooks.example/T0/secret")] * 6
    tell = telling(slack)
    tell.tell(notification(1))
    tell.tell(notification(2))
    for tries in range(1, 6):
        until(lambda tries=tries: len(slack.said) == tries and tell.counts().get(("slack", "failed")) == tries)
        clock.pass_by(1000)
        wake(tell)
    until(lambda: not tell.waiting())
    assert slack.numbers == [1] * 6 + [2]
    assert "unexpected KeyError" in caplog.text
    assert "secret" not in caplog.text


def test_one_channel_down_leaves_the_others_alone(telling: Callable[..., Telling], notification: Make) -> None:
    """Each channel has its own queue and its own back-off."""
    slack, webhook = Channel(), Channel("webhook")
    slack.answers = [DOWN] * 100
    tell = telling(slack, webhook)
    for number in range(1, 4):
        tell.tell(notification(number))
    until(lambda: tell.waiting() == {"slack": 3})
    assert webhook.numbers == [1, 2, 3]


def test_a_channel_that_hangs_delays_no_other(telling: Callable[..., Telling], notification: Make) -> None:
    """While one endpoint takes the connection and says nothing, the others are told."""
    hangs, webhook = Channel(), Channel("webhook")
    hangs.may_go_on.clear()
    tell = telling(hangs, webhook)
    for number in range(1, 4):
        tell.tell(notification(number))
    until(lambda: tell.waiting() == {"slack": 3})
    assert webhook.numbers == [1, 2, 3]
    hangs.may_go_on.set()
    until(lambda: not tell.waiting())


def test_old_messages_expire(telling: Callable[..., Telling], notification: Make, clock: Any) -> None:
    """A channel that comes back after a week is not told of the week before."""
    slack = Channel()
    slack.answers = [DOWN]
    tell = telling(slack)
    tell.tell(notification(1))
    until(lambda: bool(tell.counts()))
    clock.pass_by(7 * 86_400)
    wake(tell)
    until(lambda: not tell.waiting())
    assert tell.counts() == {("slack", "failed"): 1, ("slack", "expired"): 1}


def test_what_happens_becomes_one_incident_that_survives_a_restart(
    telling: Callable[..., Telling], live_verdict: Callable[..., LiveVerdict], clock: Any
) -> None:
    """An agent that is killed and started again goes on in the same incident and does not open it a second time."""
    slack = Channel()
    first = telling(slack)
    assert len(first.happened("serving", News(live_verdict(), 2**34), clock.now())) == 1
    until(lambda: not first.waiting())
    second = telling(slack)  # the first was not closed
    assert second.incident("serving") == first.incident("serving")
    assert second.happened("serving", News(live_verdict(), 2**34), clock.now() + 5) == ()
    (said,) = second.happened("serving", News(live_verdict(), 2**34, escalate="Help."), clock.now() + 9)
    assert said.number == 2 and said.key == slack.said[0][0].key
    until(lambda: not second.waiting())
    assert slack.numbers == [1, 2]


def test_a_message_has_its_picture_and_goes_without_where_that_fails(
    telling: Callable[..., Telling],
    live_verdict: Callable[..., LiveVerdict],
    clock: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The samples are asked for where there is something to say; what goes wrong in drawing is in the log alone."""

    def broken() -> Trace:
        raise OSError("no history")

    slack = Channel()
    tell = telling(slack)
    time_seconds = clock.now() - 600 + 10 * np.arange(60.0)
    trace = Trace(Target("t"), time_seconds, {"anon_bytes": 1e9 + 1e6 * np.arange(60.0)})
    leak = News(live_verdict(), 2**34)
    tell.happened("serving", leak, clock.now(), lambda: trace)
    assert tell.happened("serving", leak, clock.now() + 5, broken) == ()
    tell.happened("serving", News(live_verdict(), 2**34, escalate="Help."), clock.now() + 9, broken)
    until(lambda: len(slack.said) == 2)
    (first, _), (second, _) = slack.said
    assert (first.chart_png or b"").startswith(b"\x89PNG") and first.sparkline
    assert second.chart_png is None
    assert [record.message for record in caplog.records] == [
        "no picture: unexpected OSError; this is a fault of leakwatch"
    ]


def test_a_channel_that_forgets_is_reminded_while_the_incident_is_open(
    telling: Callable[..., Telling], notification: Make, clock: Any
) -> None:
    """An open incident is repeated, also after a restart; a resolved one is not, nor one that nobody watches."""
    forgets = Channel("alertmanager")
    forgets.repeat_seconds = 60.0
    tell = telling(forgets)
    tell.tell(notification(1))
    tell.tell(notification(1, key="other@1", target="other"))
    until(lambda: not tell.waiting())
    count = len(forgets.said)
    clock.pass_by(61)
    wake(tell)
    until(lambda: len(forgets.said) > count)
    assert {n.target for n, _ in forgets.said[2:]} == {"serving"}
    tell.close()
    count = len(forgets.said)
    after = telling(forgets)
    until(lambda: len(forgets.said) > count)
    after.tell(notification(2, Stage.RESOLVED))
    until(lambda: not after.waiting())
    count = len(forgets.said)
    clock.pass_by(200)
    wake(after)
    assert len(forgets.said) == count


def test_trouble_with_the_disk_is_told_in_the_log(
    tmp_path: Path, clock: Any, notification: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever reads the log learns that messages are in memory alone, once."""
    slack = Channel()
    tell = Telling([slack], tmp_path / "not there", clock)
    tell.tell(notification(1))
    tell.tell(notification(2))
    until(lambda: not tell.waiting())
    tell.close()
    assert slack.numbers == [1, 2]
    assert [r.message for r in caplog.records if "kept in memory" in r.message] == [caplog.records[0].message]
