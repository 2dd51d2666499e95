import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from leakwatch.agent.running import run_agent
from leakwatch.agent.state_folder import StateFolder
from leakwatch.clock import SystemClock
from leakwatch.errors import SettingsError
from leakwatch.sample.history import History
from leakwatch.settings import PidPlace, Settings, TargetSettings
from leakwatch.trace import Sample

DEADLINE_SECONDS = 60.0


class Running:
    """An agent in a process of its own, and what it writes to standard error."""

    def __init__(self, config: Path, *flags: str) -> None:
        command = [sys.executable, "-m", "leakwatch", "agent", "--config", str(config), *flags]
        self.process = subprocess.Popen(command, text=True, stderr=subprocess.PIPE)
        self.lines: list[str] = []
        threading.Thread(target=lambda: self.lines.extend(self.process.stderr), daemon=True).start()

    def said(self, pattern: str) -> re.Match[str]:
        """The first line that fits, waited for."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            for line in tuple(self.lines):
                if match := re.search(pattern, line):
                    return match
            assert time.monotonic() < deadline, f"{pattern} was not said: {self.lines}"
            time.sleep(0.02)

    def page(self, path: str) -> tuple[int, str]:
        """A page of the agent, by the address that it said (the last one)."""
        self.said(r"metrics at")
        port = int([m for line in self.lines for m in re.findall(r"metrics at http://127\.0\.0\.1:(\d+)/", line)][-1])
        connection = HTTPConnection("127.0.0.1", port, timeout=DEADLINE_SECONDS)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except OSError:  # between two settings nobody listens
            return 0, ""
        finally:
            connection.close()

    def shows(self, text: str) -> None:
        """Wait until the agent is ready and its page holds this."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while self.page("/readyz")[0] != 200 or text not in self.page("/metrics")[1]:
            assert time.monotonic() < deadline, f"{text} was not shown"
            time.sleep(0.02)


@pytest.fixture
def agent(tmp_path: Path) -> Iterator:
    """Starts agents on settings with ``more``; all are ended."""
    begun: list[Running] = []
    config = tmp_path / "agent.yaml"

    def start(more: str = "", place: str = f"pid: {os.getpid()}") -> Running:
        config.write_text(
            "sample_every: 50ms\njudge_every: 200ms\nlisten: 127.0.0.1:0\n"
            f"state_dir: {tmp_path}/state\ntargets:\n- name: one\n  {place}\n{more}"
        )
        begun.append(Running(config))
        return begun[-1]

    start.config = config
    yield start
    for one in begun:
        one.process.kill()
        one.process.wait()


def test_sigterm_ends_it_although_a_page_hangs(agent):
    """With a model server that takes the connection and says nothing: gone within seconds, status 0, nothing torn."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/metrics"
        one = agent(f'  serving: {{kind: triton, metrics_url: "{url}"}}\n')
        one.shows('container="one"')
        began = time.monotonic()
        one.process.send_signal(signal.SIGTERM)
        assert one.process.wait(timeout=DEADLINE_SECONDS) == 0
        assert time.monotonic() - began < 20.0  # it promises 2; a busy machine is given tenfold room
    assert not any("Traceback" in line for line in one.lines)


def test_sighup_reads_new_settings_and_keeps_the_old_ones_where_they_are_wrong(agent):
    """Wrong ones are told line by line and change nothing; right ones take their place without a restart."""
    one = agent()
    one.shows('container="one"')
    good = agent.config.read_text()
    agent.config.write_text(good.replace("judge_every: 200ms", "judge_evry: 200ms\nlisten: nowhere"))
    one.process.send_signal(signal.SIGHUP)
    one.said(r"judge_evry.*did you mean judge_every")
    one.said(r"the old ones stay")
    one.shows('container="one"')
    agent.config.write_text(good.replace("name: one", 'name: "two"'))
    one.process.send_signal(signal.SIGHUP)
    one.said(r"two: watched from here")
    one.shows('container="two"')


def test_settings_that_cannot_be_used_once_tried_give_way_to_the_old_ones(agent):
    """A port that is taken is seen only when it is listened on: the agent goes back to what it had."""
    one = agent()
    one.shows('container="one"')
    with socket.create_server(("127.0.0.1", 0)) as taken:
        text = agent.config.read_text().replace("127.0.0.1:0", f"127.0.0.1:{taken.getsockname()[1]}")
        agent.config.write_text(text)
        one.process.send_signal(signal.SIGHUP)
        one.said(r"name a free address")
        one.said(r"the old ones stay")
        one.shows('container="one"')


def test_two_agents_do_not_share_a_folder(agent, tmp_path: Path):
    """The second one says so in one line and ends with 2."""
    agent().shows('container="one"')
    second = Running(agent.config)
    assert second.process.wait(timeout=DEADLINE_SECONDS) == 2
    second.said(r"^leakwatch: state_dir: another agent uses")
    with pytest.raises(SettingsError):
        StateFolder(str(tmp_path / "state"))


def test_wrong_settings_start_nothing(tmp_path: Path):
    """Status 2, a line each, and no state folder."""
    config = tmp_path / "agent.yaml"
    config.write_text(f"state_dir: {tmp_path}/state\ntargets: [{{name: a}}]\nx: 1\n")
    one = Running(config)
    assert one.process.wait(timeout=DEADLINE_SECONDS) == 2
    one.said(r"agent.yaml:2: targets\[0\]: nothing says where")
    one.said(r"agent.yaml:3: unknown key 'x'")
    assert not (tmp_path / "state").exists()


class Noted:
    """A source that puts each look down in a file before it hands it over."""

    name, blind_to = "noted", ()

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def read(self, now_seconds: float) -> Sample:
        os.write(self._file, f"{now_seconds!r}\n".encode())
        return Sample(now_seconds, {"anon_bytes": 1e8, "limit_bytes": 1e9}, "a")

    def close(self) -> None:
        os.close(self._file)


def test_killed_at_fifty_random_moments_it_loses_at_most_one_sample_each(tmp_path: Path):
    """Fifty agents on one folder, each killed with -9 amid its work: the file is whole, and at most the last look of
    each is missing."""
    settings = Settings(
        (TargetSettings("one", PidPlace(1)),),
        str(tmp_path),
        sample_every_seconds=0.3,
        judge_every_seconds=0.3,
        listen=None,
    )
    looks, moments = tmp_path / "looks", random.Random(4)
    lost = []
    for _ in range(50):
        before = looks.read_text().count("\n") if looks.exists() else 0
        child = os.fork()
        if child == 0:  # never returns into the test
            try:
                os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
                stop = threading.Event()
                run_agent(lambda: settings, SystemClock(), stop, threading.Event(), sources=lambda _: [Noted(looks)])
            finally:
                os._exit(1)
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not looks.exists() or looks.read_text().count("\n") <= before:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        time.sleep(moments.uniform(0.0, 0.7))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        taken = [float(line) for line in looks.read_text().splitlines()[before:]]
        history = History(tmp_path / "history.sqlite", time.time())
        assert history.moved_aside is None and history.trouble is None
        kept = {sample.time_seconds for sample in history.samples("one", taken[0], taken[-1])}
        history.close()
        missing = [at for at in taken if at not in kept]
        assert missing in ([], [taken[-1]])
        lost.append(len(missing))
    assert 0 < sum(lost) < 50  # both were hit: between a look and its being kept, and after it
