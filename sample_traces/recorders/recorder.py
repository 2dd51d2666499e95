"""Runs a workload, samples its memory at a fixed interval, and writes the samples as a native leakwatch CSV."""

import contextlib
import csv
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import memory_cgroup

KIB = 1024
RESTART_DELAY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Recording:
    """One trace to make. In the commands, ``{port}`` is a free loopback port, ``{scratch}`` a temporary folder.

    Attributes:
        name: of the trace; the CSV is called so.
        command: the process whose memory is sampled.
        driver: a second process that sends the requests, where the workload does not make its own.
        counters: the columns that the workload (or the driver) counts itself, each in a file of that name in the
            folder that the environment variable COUNTERS names.
        limit_bytes: None samples the bare process; a number runs it in a memory cgroup of that limit and samples it.
        restart_when_killed: start the process again each time that it dies, as a supervisor would.
    """

    name: str
    command: tuple[str, ...]
    driver: tuple[str, ...] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    counters: tuple[str, ...] = ("requests_total",)
    limit_bytes: int | None = None
    restart_when_killed: bool = False
    seconds: float = 240.0
    interval_seconds: float = 0.3


def record(recording: Recording, into: Path) -> Path:
    """Makes one trace and returns its path.

    Raises:
        RuntimeError: the workload ended before the trace was complete, and was not to be started again.
    """
    path = into / f"{recording.name}.csv"
    with contextlib.ExitStack() as cleanup, path.open("w", newline="") as out:
        scratch = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="leakwatch-recording-")))
        cgroup = (
            None if recording.limit_bytes is None else cleanup.enter_context(memory_cgroup.made(recording.limit_bytes))
        )
        counters = scratch / "counters"
        counters.mkdir()
        places = {"port": str(_free_port()), "scratch": str(scratch)}
        environment = {**os.environ, **recording.environment, "COUNTERS": str(counters)}

        def start(command: tuple[str, ...], inside: Path | None) -> subprocess.Popen[bytes]:
            words = [word.format(**places) for word in command]
            process = subprocess.Popen(memory_cgroup.enter(inside, words), env=environment, stdout=subprocess.DEVNULL)
            cleanup.callback(_stop, process)
            return process

        workload = start(recording.command, cgroup)
        if recording.driver is not None:
            start(recording.driver, None)
        writer: csv.DictWriter[str] | None = None
        for now in _ticks(recording.seconds, recording.interval_seconds):
            dead = workload.poll() is not None
            if dead and not recording.restart_when_killed:
                raise RuntimeError(f"{recording.name}: the workload ended with status {workload.returncode}")
            row = _process_memory(workload.pid) if cgroup is None else memory_cgroup.memory(cgroup)
            if row:
                counts = {name: "" if dead else _count(counters / name) for name in recording.counters}
                row = {"timestamp": f"{now:.2f}", **row, **counts}
                if writer is None:
                    writer = csv.DictWriter(out, list(row), lineterminator="\n")
                    writer.writeheader()
                writer.writerow(row)
            if dead:
                time.sleep(RESTART_DELAY_SECONDS)
                for counter in counters.iterdir():
                    counter.unlink()
                workload = start(recording.command, cgroup)
    return path


def _ticks(seconds: float, interval_seconds: float) -> Iterator[float]:
    """Unix times, one each interval; one that was missed is left out, and does not move those after it."""
    first = time.monotonic()
    while time.monotonic() - first < seconds:
        yield time.time()
        time.sleep(interval_seconds - (time.monotonic() - first) % interval_seconds)


def _process_memory(pid: int) -> dict[str, object]:
    """Memory in bytes and threads from /proc/PID/status (proc(5)); empty for a process that has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    status = {name: value.split() for name, _, value in (line.partition(":") for line in lines)}
    if "RssAnon" not in status:
        return {}
    anon, rss = (int(status[name][0]) * KIB for name in ("RssAnon", "VmRSS"))
    return {"anon_bytes": anon, "rss_bytes": rss, "threads": int(status["Threads"][0])}


def _count(counter: Path) -> str:
    """What the workload has counted so far; empty until it has begun."""
    try:
        return str(int(counter.read_text()))
    except (OSError, ValueError):
        return ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
