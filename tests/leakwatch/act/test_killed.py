"""kill -9 at any point of an action: the next agent finds what was begun, and no second restart happens."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

AGENT = """
import os, signal, sys, time
from pathlib import Path
from leakwatch.act.acting import Acting
from leakwatch.act.decision import Ruling
from leakwatch.act.ledger import Ledger
from leakwatch.clock import SystemClock
from leakwatch.settings import ActSettings
from tests.fakes.acting import BARE, FakeProbe, FakeRestarter, leaking

folder, point = Path(sys.argv[1]), sys.argv[2]


def die_at(here):
    if here == point:
        os.kill(os.getpid(), signal.SIGKILL)


class Restarter(FakeRestarter):
    def lease(self):
        die_at("lease")
        return None

    def carry_out(self, action, held):
        die_at("act")
        with (folder / "restarts").open("a") as file:
            file.write("restarted\\n")
        die_at("acted")
        return super().carry_out(action, held)

    def standing(self, now_seconds):
        if self.restarts:
            die_at("verify")
        return super().standing(now_seconds)


class DyingLedger(Ledger):
    def intend(self, decision):
        number = super().intend(decision)
        die_at("intent")
        return number

    def end(self, number, outcome, detail):
        die_at("end")
        super().end(number, outcome, detail)


import leakwatch.act.acting
leakwatch.act.acting.Ledger = DyingLedger
probe = FakeProbe(do=lambda: die_at("evidence"))
settings = ActSettings(dry_run=False, drain_seconds=0.0, min_uptime_seconds=0.0)
acting = Acting(settings, folder / "state", {"serving": [Restarter()]}, {"serving": [probe]}, SystemClock())
end = time.monotonic() + 1.5
while time.monotonic() < end:
    decision = acting.consider(leaking())
    die_at("decision")
    if decision.ruling is Ruling.ACT:
        acting.begin(decision)
    for happening in acting.happenings():
        print(happening.what.value, flush=True)
    time.sleep(0.05)
acting.close()
"""


def run(folder: Path, point: str) -> "subprocess.CompletedProcess[str]":
    """An agent that leaks away for a moment, or is killed at the point."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, "-c", AGENT, str(folder), point]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=120)


@pytest.mark.parametrize("point", ["decision", "lease", "intent", "evidence", "act", "acted", "end", "verify"])
def test_no_second_restart(tmp_path: Path, point: str) -> None:
    """At most one restart in all; what had been begun is told by the next agent, and what had not is done by it."""
    killed = run(tmp_path, point)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    later = run(tmp_path, "never")
    assert later.returncode == 0, later.stderr
    restarts = tmp_path / "restarts"
    count = len(restarts.read_text().splitlines()) if restarts.exists() else 0
    begun_before = point not in ("decision", "lease")
    assert count == (0 if point in ("intent", "evidence", "act") else 1)
    if point != "verify":  # its end may or may not have been written down by then
        assert ("unfinished" in later.stdout.split()) == begun_before
    assert ("done" in later.stdout.split()) == (not begun_before)
