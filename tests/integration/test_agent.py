"""The agent beside a process that really leaks, until the kernel really kills it; and beside one that is well."""

import json
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

from tests.fakes.http_receiver import Receiver
from tests.fakes.sick_server import SickServer, silent
from tests.fakes.tf_serving import PAGE, TfServing

DEADLINE_SECONDS = 120.0
MIB = 2**20
LIMIT_BYTES = 160 * MIB
QUIET_SECONDS = 30.0
RATE = 3 * MIB
"""Bytes a second, after a while in which all is well: the limit is reached in about three quarters of a minute."""
TIMES_FASTER = 40.0
"""The agent's clocks run so much faster than the machine's: a sample each quarter of a second is one each 10 s, and the
minute and a quarter from the start to the kill 50 minutes, of which the leak has 30."""

AGENT = """
import logging, signal, sys, threading, time
from leakwatch.agent.running import run_agent
from leakwatch.clock import SystemClock
from leakwatch.settings.reading import load

class Faster:
    began, at = time.monotonic(), time.time()
    def now(self): return self.at + self.steady()
    def steady(self): return (time.monotonic() - self.began) * float(sys.argv[2])

logging.basicConfig(level=logging.INFO)
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
clock = SystemClock() if float(sys.argv[2]) == 1 else Faster()
run_agent(lambda: load(sys.argv[1], {}, {}).settings, clock, stop, threading.Event())
"""
LEAKER = """
import sys, time
rate, log, quiet = float(sys.argv[1]), open(sys.argv[2], "a", buffering=1), float(sys.argv[3])
sys.stdin.readline()  # until it has been put into its cgroup
time.sleep(quiet)
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
    """An agent in a process of its own, whose clocks may run faster than the machine's."""

    config: Path
    times_faster: float = 1.0
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        command = [sys.executable, "-c", AGENT, str(self.config), str(self.times_faster)]
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

    def start(program: str, cgroup: Path, *arguments: object, name: str = sys.executable) -> subprocess.Popen:
        command = [name, "-c", program, *map(str, arguments)]
        process = subprocess.Popen(command, executable=sys.executable, stdin=subprocess.PIPE, text=True)
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


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., Path]:
    """Writes settings for targets in YAML."""

    def write(*targets: str, every: str = "250ms", more: tuple[str, ...] = ()) -> Path:
        config = tmp_path / "agent.yaml"
        lines = [f"sample_every: {every}", "judge_every: 500ms", "listen: 127.0.0.1:0", f"state_dir: {tmp_path}/state"]
        lines += more
        config.write_text("\n".join([*lines, "targets:", *(f"- {target}" for target in targets)]))
        return config

    return write


@pytest.mark.slow
def test_a_real_leak_is_told_with_its_slope_and_time_until_the_kernel_kills_it(
    tmp_path: Path, settings, memory_cgroup: Callable[..., Path], begin: Callable[..., subprocess.Popen]
):
    """Slope within 10 %, the moment of the kill within a quarter of the time left; a busy container beside it that is
    well is never spoken of."""
    leaky, healthy = memory_cgroup(LIMIT_BYTES, "leaky"), memory_cgroup(LIMIT_BYTES, "healthy")
    log = tmp_path / "leaked"
    config = settings(f"{{name: leaky, cgroup: {leaky}}}", f"{{name: healthy, cgroup: {healthy}}}")
    begin(HEALTHY, healthy)
    leaker = begin(LEAKER, leaky, RATE, log, QUIET_SECONDS)
    agent = Beside(config, TIMES_FASTER)

    agent.until(lambda: agent.value("leakwatch_verdict", container="leaky", verdict="leak") == 1.0, "leak")
    slope = agent.value("leakwatch_slope_bytes_per_second", container="leaky")
    left = agent.value("leakwatch_time_to_limit_seconds", container="leaky")
    at = time.time()
    assert slope * TIMES_FASTER == pytest.approx(rate_of(log), rel=0.10)
    agent.until(lambda: any("LEAK leaky" in line for line in agent.lines), "the message")

    assert leaker.wait(timeout=DEADLINE_SECONDS) == -signal.SIGKILL
    assert left / TIMES_FASTER == pytest.approx(time.time() - at, rel=0.25)
    agent.until(lambda: agent.value("leakwatch_oom_events_total", container="leaky") == 1.0, "the kill")
    agent.end()
    assert not [line for line in agent.lines if re.search("(LEAK|WARNING|ESCALATED) healthy", line)]


def test_real_kills_are_counted_once_each_across_a_restart_of_the_agent(
    tmp_path: Path, settings, memory_cgroup: Callable[..., Path], begin: Callable[..., subprocess.Popen]
):
    """One under the first agent, told by the cgroup's counter and by the kernel's log; one while no agent ran: two. The
    message says who was killed, and the log's line does not make it three."""
    cgroup = memory_cgroup(LIMIT_BYTES, "killed")
    logs = "[kmsg]" if os.access("/dev/kmsg", os.R_OK) else "[]"
    config = settings(f"{{name: killed, cgroup: {cgroup}, logs: {logs}}}")

    def kills(agent: Beside) -> float | None:
        return agent.value("leakwatch_oom_events_total", container="killed", kind="kernel_oom_kill")

    first = Beside(config)
    first.until(lambda: (first.value("leakwatch_samples_total", source="cgroup") or 0) > 2, "some looks")
    begin(LEAKER, cgroup, 200 * MIB, tmp_path / "first", 0).wait(timeout=DEADLINE_SECONDS)
    first.until(lambda: kills(first) == 1.0, "the first kill")
    first.until(
        lambda: any("killed for want of memory" in line or "killed a process" in line for line in first.lines), "it"
    )
    first.end()

    begin(LEAKER, cgroup, 200 * MIB, tmp_path / "second", 0).wait(timeout=DEADLINE_SECONDS)
    second = Beside(config)
    second.until(lambda: kills(second) == 2.0, "the second kill")
    looks = second.value("leakwatch_samples_total", source="cgroup") or 0
    second.until(lambda: (second.value("leakwatch_samples_total", source="cgroup") or 0) > looks + 8, "more looks")
    assert kills(second) == 2.0
    second.end()


THREADED = """
import sys, threading, time
def hold():
    kept = bytearray(262144)
    threading.Event().wait()
sys.stdin.readline()
time.sleep(float(sys.argv[1]))
while True:
    threading.Thread(target=hold, daemon=True).start()
    time.sleep(0.1)
"""
"""Threads come and never go, each with 256 KiB."""
CAPPED = "Are gRPC's threads limited (--grpc_max_threads)?"
FLAGS = ("--model_config_file=/m.config", "--grpc_max_threads=16", "--rest_api_port=8501")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A webhook's other end."""
    one = Receiver().start()
    yield one
    one.stop()


def told_of(receiver: Receiver) -> dict[str, tuple[str, str]]:
    """The newest diagnosis that was told: playbook, and by question the answer with its evidence."""
    found = [document for got in receiver.got if (document := json.loads(got.body))["diagnosis"]]
    if not found:
        return {}
    diagnosis = found[-1]["diagnosis"]
    path = {one["ask"]: (one["answer"], one["evidence"]) for one in diagnosis["path"]}
    return {"playbook": (diagnosis["playbook"], diagnosis["cause"])} | path


@pytest.mark.slow
def test_a_leak_is_told_with_what_the_process_says(
    settings, memory_cgroup: Callable[..., Path], begin: Callable[..., subprocess.Popen], receiver
):
    """Threads and memory grow together: the flags of the running command line answer what the tree then asks, in the
    first message, as `playbook run` would find it by hand."""
    cgroup, server = memory_cgroup(3 * LIMIT_BYTES // 2, "facts"), TfServing()
    server.load("resnet", 1)
    process = begin(THREADED, cgroup, QUIET_SECONDS, *FLAGS, name="tensorflow_model_server")

    def is_told() -> bool:
        server.request("resnet", 5, seconds=0.02)
        return bool(told_of(receiver))

    with server.served():
        serving = f"{{kind: tf_serving, metrics_url: '{server.url}{PAGE}'}}"
        target = f"{{name: serving, pid: {process.pid}, serving: {serving}}}"
        agent = Beside(settings(target, more=(f"tell: {{webhook: [{{url: '{receiver.url}'}}]}}",)), TIMES_FASTER)
        agent.until(is_told, "the message")
        agent.end()
    told = told_of(receiver)
    assert told["playbook"][0] == "memory_leak"
    assert told[CAPPED] == ("yes", "--grpc_max_threads is 16")


def test_a_server_that_hangs_delays_neither_beats_nor_the_message(
    settings, memory_cgroup: Callable[..., Path], begin: Callable[..., subprocess.Popen], receiver
):
    """The status API never answers: the condition is told all the same, with what the process says of itself."""
    cgroup, server = memory_cgroup(LIMIT_BYTES, "hung"), TfServing()
    server.load("resnet", 1)
    with server.served(), SickServer(silent) as sick:
        serving = f"kind: tf_serving, metrics_url: '{server.url}{PAGE}', status_url: 'http://127.0.0.1:{sick.port}/'"
        target = f"{{name: serving, cgroup: {cgroup}, serving: {{{serving}}}}}"
        more = (f"tell: {{webhook: [{{url: '{receiver.url}'}}]}}", "conditions: {hold: 1s, latency_p95: 100ms}")
        config = settings(target, more=more)
        begin(HEALTHY, cgroup, *FLAGS, name="tensorflow_model_server")
        agent = Beside(config)

        def is_told() -> bool:
            server.request("resnet", 20, seconds=0.8)
            return bool(told_of(receiver))

        agent.until(is_told, "the message")
        looks = agent.value("leakwatch_samples_total", source="cgroup") or 0
        agent.until(lambda: (agent.value("leakwatch_samples_total", source="cgroup") or 0) > looks + 8, "more looks")
        agent.end()
    told = told_of(receiver)
    assert told["playbook"][0] == "slow_predictions"
    assert told["Does the server batch (--enable_batching)?"] == ("no", "--enable_batching is not given")
