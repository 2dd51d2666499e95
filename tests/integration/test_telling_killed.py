"""A process that tells, killed with -9 at random moments, tells everything and tells it once."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

from leakwatch.tell.outbox import Outbox
from tests.fakes.slack_api import SlackApi, SlackFault

ROOT = Path(__file__).parents[2]
STEPS, KILLS, DEADLINE_SECONDS = 30, 15, 120.0

# Goes on where the outbox says that it was, and tells one action after another.
TELLER = """
import sys, time
from pathlib import Path
from leakwatch.clock import SystemClock
from leakwatch.ports import Action, Outcome
from leakwatch.tell.incident import News
from leakwatch.tell.links import Links
from leakwatch.tell.secrets import Secret
from leakwatch.tell.slack import SlackBot
from leakwatch.tell.telling import Telling
from playbooks.types import Action as Remedy

ACTION, OUTCOME = Action(Remedy.RESTART, "serving", "why", False, 1.0, 1.0), Outcome(True, "done", 1.0)
url, folder, steps = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
clock = SystemClock()
bot = SlackBot(Secret(None, "LEAKWATCH_SLACK_BOT_TOKEN"), "C0ONCALL", Links(), clock.now, api_url=url)
telling = Telling([bot], folder, clock)
while (number := telling.incident("serving").number) < steps:
    telling.happened("serving", News(action=ACTION, outcome=OUTCOME), clock.now())
    time.sleep(0.01)
while telling.waiting():
    time.sleep(0.01)
telling.close()
"""


def test_nothing_is_lost_and_nothing_is_said_twice(slack_api: SlackApi, tmp_path: Path) -> None:
    """Thirty messages, fifteen kills: one head, and each message in its thread once, in order."""
    slack_api.faults.append(SlackFault("chat.postMessage", delay_seconds=0.03))
    slack_api.faults.append(SlackFault("chat.postMessage", delay_seconds=0.03, after=True))  # kills fall in here, too
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "LEAKWATCH_SLACK_BOT_TOKEN": slack_api.TOKEN}
    command = [sys.executable, "-c", TELLER, slack_api.url, str(tmp_path), str(STEPS)]
    chance, deadline, kills = random.Random(7), time.monotonic() + DEADLINE_SECONDS, 0
    while True:
        assert time.monotonic() < deadline, f"{len(slack_api.messages)} messages after {kills} kills"
        before = len(slack_api.messages)
        teller = subprocess.Popen(command, env=environment)
        if kills == KILLS:
            assert teller.wait(DEADLINE_SECONDS) == 0
            break
        while teller.poll() is None and len(slack_api.messages) == before and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.15))
        teller.kill()
        teller.wait()
        kills += 1
    (head,) = slack_api.heads
    said = [m.metadata["event_payload"]["number"] for m in (head, *slack_api.replies(head))]
    assert said == [str(number) for number in range(1, STEPS + 1)]
    outbox = Outbox(tmp_path / "outbox.sqlite", time.time())
    assert outbox.waiting() == {}
    outbox.close()
