"""The agent beside a process that really leaks, until the kernel really kills it; and beside one that is well."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

DEADLINE_SECONDS = 120.0
MIB = 2**20
LIMIT_BYTES = 160 * MIB
RATE = 3 * MIB
"""Bytes a second: the limit is reached in about three quarters of a minute."""

LEAKER = """
import sys, time
rate, log = float(sys.argv[1]), open(sys.argv[2], "a", buffering=1)
sys.stdin.readline()  # until it has been put into its cgroup
kept, size, began = [], 0, time.monotonic()
while True:
    due = rate * (time.monotonic() - began)
    while size < due:
        kept.append(bytearray(65536))
        size += 65536
    print(time.time(), size, file=log)
    time.sleep(0.02)
"""
HEALTHY = """
import random, sys, time
sys.stdin.readline()
moments = random.Random(1)
while True:  # requests of all sizes, each let go of
    work = [bytearray(moments.randrange(65536)) for _ in range(moments.randrange(400))]
    time.sleep(0.01)
"""


@dataclass
class Beside:
    """An agent in a process of its own."""

    config: Path
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        command = [sys.executable, "-m", "leakwatch", "agent", "--config", str(self.config)]
        self.process = subprocess.Popen(command, text=True, stderr=subprocess.PIPE)
        threading.Thread(target=lambda: self.lines.extend(self.process.stderr), daemon=True).start()
        self.until(lambda: any("metrics at" in line for line in self.lines), "the page")

    def until(self, holds: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not holds():
            assert self.process.poll() is None, self.lines
            assert time.monotonic() < deadline, f"{what} was waited for in vain: {self.lines}"
            time.sleep(0.05)

    def value(self, name: str, **labels: str) -> float | None:
        """One line of the metrics page; None where there is none."""
        address = next(m for line in self.lines if (m := re.search(r"http://127\.0\.0\.1:(\d+)/metrics", line)))
        connection = HTTPConnection("127.0.0.1", int(address[1]), timeout=DEADLINE_SECONDS)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        for family in text_string_to_metric_families(text):
            for one in family.samples:
                if one.name == name and labels.items() <= one.labels.items():
                    return one.value
        return None

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=DEADLINE_SECONDS) == 0, self.lines


@pytest.fixture
def begin() -> Iterator[Callable[..., subprocess.Popen]]:
    """Starts a program within a cgroup; all of them are ended."""
    begun: list[subprocess.Popen] = []

    def start(program: str, cgroup: Path, *arguments: object) -> subprocess.Popen:
        command = [sys.executable, "-c", program, *map(str, arguments)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)
        begun.append(process)
        (cgroup / "cgroup.procs").write_text(str(process.pid))
        process.stdin.write("go\n")
        process.stdin.flush()
        return process

    yield start
    for process in begun:
        process.kill()
        process.wait()


def rate_of(log: Path) -> float:
    """Bytes a second that the leaking program itself put down."""
    rows = np.array([[float(cell) for cell in line.split()] for line in log.read_text().splitlines()[:-1]])
    return float(np.polyfit(rows[:, 0] - rows[0, 0], rows[:, 1], 1)[0])


@pytest.mark.slow
def test_a_real_leak_is_told_with_its_slope_until_the_kernel_kills_it_and_the_kill_is_counted(
    tmp_path: Path, memory_cgroup: Callable[..., Path], begin: Callable[..., subprocess.Popen]
):
    """Slope within 10 % and the moment of the kill within a quarter of the way; two kills, one of them while no agent
    ran, are counted as two; and a busy container that is well is never spoken of."""
    leaky, healthy = memory_cgroup(LIMIT_BYTES, "leaky"), memory_cgroup(LIMIT_BYTES, "healthy")
    config, log = tmp_path / "agent.yaml", tmp_path / "leaked"
    logs = "[kmsg]" if os.access("/dev/kmsg", os.R_OK) else "[]"
    config.write_text(
        f"sample_every: 250ms\njudge_every: 500ms\nlisten: 127.0.0.1:0\nstate_dir: {tmp_path}/state\ntargets:\n"
        f"- {{name: leaky, cgroup: {leaky}, logs: {logs}}}\n- {{name: healthy, cgroup: {healthy}}}\n"
    )
    begin(HEALTHY, healthy)
    leaker = begin(LEAKER, leaky, RATE, log)
    agent = Beside(config)

    agent.until(lambda: agent.value("leakwatch_verdict", container="leaky", verdict="leak") == 1.0, "leak")
    slope = agent.value("leakwatch_slope_bytes_per_second", container="leaky")
    left = agent.value("leakwatch_time_to_limit_seconds", container="leaky")
    at = time.time()
    assert slope == pytest.approx(rate_of(log), rel=0.10)
    agent.until(lambda: any("LEAK leaky" in line for line in agent.lines), "the message")

    assert leaker.wait(timeout=DEADLINE_SECONDS) == -signal.SIGKILL
    assert left == pytest.approx(time.time() - at, rel=0.25)
    agent.until(lambda: agent.value("leakwatch_oom_events_total", container="leaky") == 1.0, "the kill")
    agent.end()

    second = begin(LEAKER, leaky, 100 * MIB, tmp_path / "second")
    assert second.wait(timeout=DEADLINE_SECONDS) == -signal.SIGKILL

    again = Beside(config)
    again.until(lambda: again.value("leakwatch_oom_events_total", container="leaky") == 2.0, "the second kill")
    again.until(lambda: (again.value("leakwatch_samples_total", source="cgroup") or 0) > 20, "some beats")
    assert again.value("leakwatch_oom_events_total", container="leaky") == 2.0
    again.end()
    print(*agent.lines, *again.lines, sep="")
    assert not [line for line in (*agent.lines, *again.lines) if re.search("(LEAK|WARNING|ESCALATED) healthy", line)]
