"""``leakwatch analyze --logs``: whether the trend led to the kill, or a jump, a child, the node, or nothing alike."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leakwatch.cli import run

START, MIB, SAMPLES, KILLED_ROW = 1_790_000_000, 2**20, 600, 430
LIMIT = 512 * MIB
WHEN = "2026-09-21T21:22:27Z"
KILLED_AT = START + 60 * (KILLED_ROW - 1) + 7
SERVER = "[   2210]     0  2210   260000   130000  1234567        0             0 tensorflow_mode"
CHILD = "[   3000]     0  3000   100000    50000  1234567        0             0 convert"
TABLE = "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name"
AT_LIMIT = f"memory: usage {LIMIT // 1024}kB, limit {LIMIT // 1024}kB, failcnt 133"
KILL = (
    "{lead}: Killed process {who} total-vm:900000kB, anon-rss:520000kB, file-rss:6660kB, shmem-rss:0kB, UID:0"
    " pgtables:464kB oom_score_adj:0"
)
BY_CGROUP = (
    "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/p/c,task_memcg=/p/c,"
)
BY_NODE = "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/p/c,"
MAIN, HELPER = "2210 (tensorflow_mode)", "3000 (convert)"
DUMPS = {
    "main": (AT_LIMIT, TABLE, SERVER, BY_CGROUP + "task=tensorflow_mode,pid=2210,uid=0",
             KILL.format(lead="Memory cgroup out of memory", who=MAIN)),
    "child": (AT_LIMIT, TABLE, SERVER, CHILD, BY_CGROUP + "task=convert,pid=3000,uid=0",
              KILL.format(lead="Memory cgroup out of memory", who=HELPER)),
    "node": (TABLE, SERVER, BY_NODE + "task=tensorflow_mode,pid=2210,uid=0",
             KILL.format(lead="Out of memory", who=MAIN)),
    "none": ("serving terminated: exit code 137",),
}  # fmt: skip


def _levels(kind: str) -> np.ndarray:
    noise = np.random.default_rng(1).normal(0, 1.2 * MIB, SAMPLES)
    if kind == "leak":  # one life up to the limit, and the next: a single fall proves no restart by itself
        after = np.linspace(120, 274, SAMPLES - KILLED_ROW)
        return MIB * np.concatenate((np.linspace(120, 510, KILLED_ROW), after)) + noise
    level = np.full(SAMPLES, 300.0 * MIB) + noise
    if kind == "jump":
        level[KILLED_ROW:] = 150 * MIB + noise[KILLED_ROW:]
    return level


def _files(folder: Path, level: str, dump: str) -> tuple[str, str]:
    trace, log = folder / "trace.csv", folder / "kern.log"
    rows = "".join(f"{START + 60 * i},{value:.0f},{LIMIT}\n" for i, value in enumerate(_levels(level)))
    trace.write_text(f"timestamp,anon_bytes,limit_bytes\n{rows}")
    sender = "kubelet" if dump == "none" else "kernel"
    stamp = datetime.fromtimestamp(KILLED_AT, UTC).isoformat()
    log.write_text("".join(f"{stamp} node1 {sender}: {line}\n" for line in DUMPS[dump]))
    return str(trace), str(log)


Analyze = Callable[..., str]


@pytest.fixture
def analyze(capsys: pytest.CaptureFixture[str]) -> Analyze:
    """Runs ``leakwatch analyze`` with the arguments and gives what it printed."""

    def printed(*arguments: str) -> str:
        assert run(["analyze", *arguments]) in (0, 10)
        return capsys.readouterr().out

    return printed


def _analysis(document: str) -> dict[str, Any]:
    (analysis,) = json.loads(document)["analyses"]
    return dict(analysis)


@pytest.mark.parametrize(
    ("level", "dump", "words"),
    [
        ("leak", "main", f"reached the limit of 512 MiB; the kernel killed tensorflow_mode (pid 2210) at {WHEN}"),
        ("jump", "main", "after a sudden allocation, for the last sample stood at 59 % of the limit of 512 MiB"),
        ("flat", "child", f"killed convert (pid 3000), a child process, at {WHEN} for want of memory, and the container"
                          " went on"),
        ("flat", "node", "the node ran out of memory and the kernel killed tensorflow_mode (pid 2210) at"
                         f" {WHEN}; the container stood at 59 % of its limit"),
        ("jump", "none", "the logs show trouble but prove no OOM kill: ended by SIGKILL or with status 137"),
    ],
)  # fmt: skip
def test_what_led_to_the_kill_is_said(tmp_path: Path, analyze: Analyze, level: str, dump: str, words: str) -> None:
    """Each of the five is told in one sentence, in the document and in the report, and marked on the chart."""
    trace, log = _files(tmp_path, level, dump)
    assert words in _analysis(analyze(trace, "--logs", log, "-o", "json"))["because"][-1]
    assert ("† killed" in analyze(trace, "--logs", log)) == (dump != "none")
    assert words in analyze(trace, "--logs", log, "-o", "html")


def test_a_kill_that_only_the_log_proves_is_a_restart_for_the_verdict(tmp_path: Path, analyze: Analyze) -> None:
    """One fall may be a collector's; the kernel's line makes it the end of a life, and the verdict is made anew."""
    trace, log = _files(tmp_path, "leak", "main")
    alone, beside = (_analysis(analyze(trace, *more, "-o", "json")) for more in ((), ("--logs", log)))
    assert (alone["restarts"], beside["restarts"]) == ([], [START + 60.0 * KILLED_ROW])
    assert (beside["verdict"], beside["shape"]) == ("leak", "linear")
    assert any("in each life" in reason for reason in beside["because"])


def test_what_the_log_says_of_the_victim_is_shown_as_text(tmp_path: Path, analyze: Analyze) -> None:
    """A process may be named like markup; the report shows its name and runs nothing."""
    trace, log = _files(tmp_path, "jump", "main")
    path = Path(log)
    path.write_text(path.read_text().replace("tensorflow_mode", "<img src=x>&"))
    report = analyze(trace, "--logs", log, "-o", "html")
    assert "<img src=x>" not in report and "&lt;img src=x&gt;&amp;" in report
