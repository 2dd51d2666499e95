"""What a person says from the command line reaches the agent, and what it did is on the screen."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from leakwatch.act.acting import Acting
from leakwatch.act.decision import Ruling
from leakwatch.clock import SystemClock
from leakwatch.settings import ActSettings, Approval
from tests.fakes.acting import FakeProbe, FakeRestarter, healthy, leaking

Run = Callable[..., "subprocess.CompletedProcess[str]"]
ACTIVE = ActSettings(dry_run=False, drain_seconds=0.0, min_uptime_seconds=0.0, cooldown_seconds=0.0)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a command on the state folder of the test."""

    def command(*words: str, state_dir: Path = tmp_path) -> "subprocess.CompletedProcess[str]":
        line = [sys.executable, "-m", "leakwatch", *words, "--state-dir", str(state_dir)]
        return subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)

    return command


@pytest.fixture
def acting(tmp_path: Path) -> Any:
    """An agent in that folder, which asks before it acts."""
    settings = replace(ACTIVE, approval=Approval.REQUIRED)
    probes = {"serving": [FakeProbe(content=b"Rss: 12 kB\nDB_PASSWORD=hunter2\n")]}
    made = Acting(settings, tmp_path, {"serving": [FakeRestarter()]}, probes, SystemClock())
    yield made
    made.close()


def act(acting: Acting) -> Ruling:
    decision = acting.consider(leaking())
    if decision.ruling is Ruling.ACT:
        acting.begin(decision)
        acting._worker._thread.join(30)  # type: ignore[union-attr]
        acting.consider(healthy())
    return decision.ruling


def test_from_the_question_to_the_evidence(acting: Acting, run: Run) -> None:
    """It waits, is approved, acts once, is on the screen, and what was kept can be read without its secrets."""
    assert act(acting) is Ruling.ASK
    assert "waits for approval of restart" in run("act", "status").stdout
    approved = run("act", "approve", "serving")
    assert approved.returncode == 0
    assert "approved for an hour" in approved.stdout
    assert act(acting) is Ruling.ACT
    assert act(acting) is Ruling.ASK
    [line] = [line for line in run("act", "status").stdout.splitlines() if "by docker" in line]
    assert "done, it helped" in line
    document = json.loads(run("act", "status", "-o", "json").stdout)
    assert [one["helped"] for one in document["actions"]] == [True]
    listed = run("evidence", "list").stdout
    assert listed.count("\n") == 1
    assert "serving" in listed
    shown = run("evidence", "show")
    assert "smaps_rollup.txt" in shown.stdout
    assert run("evidence", "show", "latest", "smaps_rollup.txt").stdout == "Rss: 12 kB\nDB_PASSWORD=***\n"
    [bundle] = json.loads(run("evidence", "list", "-o", "json").stdout)["bundles"]
    assert bundle["manifest"]["target"] == "serving"


def test_a_no_holds_for_the_incident(acting: Acting, run: Run) -> None:
    """Until it is lifted."""
    act(acting)
    assert "refused" in run("act", "deny", "serving").stdout
    assert act(acting) is Ruling.WAIT
    assert "may be acted on again" in run("act", "resume", "serving").stdout
    assert act(acting) is Ruling.ASK


def test_a_silence_is_heard_and_lifted(acting: Acting, run: Run) -> None:
    """By the running agent; a second `resume` has nothing to lift."""
    act(acting)
    assert "silenced until" in run("act", "silence", "serving", "--for", "2h", "--why", "a \x1b[31mdeploy").stdout
    assert act(acting) is Ruling.WAIT
    status = run("act", "status").stdout
    assert "silenced by" in status
    assert "\x1b" not in status
    run("act", "resume", "serving")
    assert "nothing held it" in run("act", "resume", "serving").stdout
    assert act(acting) is Ruling.ASK


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("act", "approve", "serving"), 1, "nothing waits for approval at 'serving'"),
        (("act", "silence", "serving", "--for", "2h"), 2, "--why"),
        (("act", "silence", "serving", "--for", "2", "--why", "x"), 2, "no duration"),
        (("act", "silence", "serving", "--for", "0s", "--why", "x"), 2, "takes some time"),
        (("evidence", "show"), 1, "there is no bundle 'latest'"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    acting: Acting, run: Run, words: tuple[str, ...], status: int, said: str
) -> None:
    """What, where, and what to do."""
    acting.consider(healthy())
    done = run(*words)
    assert (done.returncode, done.stdout) == (status, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_mistyped_folder_is_no_empty_ledger(run: Run, tmp_path: Path) -> None:
    """Nothing is made where no agent has been."""
    done = run("act", "status", state_dir=tmp_path / "mistyped")
    assert done.returncode == 1
    assert "--state-dir" in done.stderr
    assert not (tmp_path / "mistyped").exists()


def test_a_damaged_bundle_does_not_hide_the_others(acting: Acting, run: Run, tmp_path: Path) -> None:
    """It is listed with what is wrong."""
    act(acting)
    run("act", "approve", "serving")
    act(acting)
    (tmp_path / "evidence" / "20200101T000000.0Z-x.tar.zst").write_bytes(b"no archive")
    listed = run("evidence", "list")
    assert listed.returncode == 0
    assert "cannot be read" in listed.stdout
    assert "smaps" not in listed.stdout
    assert len(listed.stdout.splitlines()) == 2
