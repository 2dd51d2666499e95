"""The real components that tests rely on are what their descriptions say."""

import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_the_engine_runs_a_container_and_this_interpreter(docker_engine: Any) -> None:
    """busybox and Python run without a network, and their exit status comes back."""
    assert docker_engine.run(["true"]).wait()["StatusCode"] == 0
    container = docker_engine.run(["-c", "import numpy, sys; sys.exit(7)"], python=True)
    assert container.wait()["StatusCode"] == 7, container.logs()


def test_a_cgroup_limits_what_is_put_into_it(memory_cgroup: Callable[..., Path]) -> None:
    """A process in it is accounted there."""
    box = memory_cgroup(limit_bytes=64 * 2**20)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        (box / "cgroup.procs").write_text(str(process.pid))
        assert (box / "cgroup.procs").read_text().split() == [str(process.pid)]
        assert (box / "memory.limit_in_bytes").read_text().strip() == str(64 * 2**20)


def test_the_server_has_a_past(prometheus_server: Any) -> None:
    """Five days ago it knew the leaking container already."""
    query = (
        f"{prometheus_server.url}/api/v1/query?query=count(container_memory_rss{{container=~%22serving|healthy%22}})"
    )
    with urllib.request.urlopen(f"{query}&time={prometheus_server.began_seconds}") as answer:
        assert '"2"]' in answer.read().decode()
