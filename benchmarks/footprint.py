"""What the agent costs beside a model server: memory, processor, and whether it leaks itself, judged by leakwatch.

    python -m benchmarks.footprint            prints the tables (about a quarter of an hour)
    python -m benchmarks.footprint --hour     with a real hour at 5 s instead of the accelerated one
    python -m benchmarks.footprint --write    and puts them into benchmarks/RESULTS.md
    python -m benchmarks.footprint --tiny     the same for a few seconds, to see that it runs

Real processes: the agent as it is installed, beside a process that works, a TensorFlow Serving page over HTTP and a
log that is followed and holds no kill, its own page scraped. The kernel's log is left out: on a machine where others
test kills it is no quiet log. What a first kill costs (its patterns are compiled then) has a row of its own. Faster
runs than one beat in 5 s: the processor's share is what a beat takes, over 5 s.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import numpy as np

from benchmarks.tables import Table, write_section
from leakwatch import detect
from leakwatch.sample.sources import source_of
from leakwatch.settings import PidPlace, TargetSettings
from leakwatch.trace import Sample, Target, Trace
from tests.fakes.tf_serving import PAGE, TfServing

MIB = 2.0**20
BEAT_SECONDS = 5.0
"""The default of ``sample_every``."""
WARM_UP_SHARE = 0.1
SERVED = "2026-03-01 12:00:00.000: I tensorflow_serving/model_servers/server.cc] request"
KILLED = "2026-03-01T12:00:00Z node kernel: Memory cgroup out of memory: Killed process 7 (other) anon-rss:9kB"
WORKER = "import time\nwhile True:\n    kept = [bytearray(4096) for _ in range(100)]\n    time.sleep(0.05)\n"
CGROUPS = Path("/sys/fs/cgroup/memory")
PACKAGES = [str(Path(__file__).parents[1] / name) for name in ("leakwatch", "detectors", "playbooks")]


@dataclass(frozen=True, slots=True)
class Effort:
    """How long: beats and period of the accelerated run, of the long one, and of the one with 50 targets."""

    beats: int
    every_seconds: float
    day_beats: int
    day_every_seconds: float
    many_beats: int
    many_every_seconds: float


FULL = Effort(1_000, 0.1, 17_280, 0.025, 120, 1.0)
TINY = Effort(40, 0.1, 80, 0.05, 5, 0.5)


@dataclass(frozen=True, slots=True)
class Cost:
    """What an agent took.

    Attributes:
        peak_bytes: highest resident set.
        rss_bytes: at the end.
        cpu_seconds_per_beat: in the steady state.
        own: its memory over time.
    """

    beats: int
    peak_bytes: float
    rss_bytes: float
    cpu_seconds_per_beat: float
    own: Trace


def measured(targets: str, every_seconds: float, beats: int) -> Cost:
    """Run an agent over these targets (YAML) for so many beats, scrape its page, and look at its own memory."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "agent.yaml"
        settings = f"sample_every: {round(every_seconds * 1000)}ms\njudge_every: {round(12 * every_seconds * 1000)}ms\n"
        config.write_text(f"{settings}listen: 127.0.0.1:0\nstate_dir: {folder}/state\ntargets:\n{targets}")
        command = [sys.executable, "-m", "leakwatch", "agent", "--config", str(config)]
        # An installation brings its byte code along: to compile it takes memory that is not given back.
        subprocess.run([sys.executable, "-m", "compileall", "-q", *PACKAGES], check=True, timeout=120)
        subprocess.run([*command, "--cycles", "1"], stderr=subprocess.DEVNULL, check=True, timeout=60)
        agent = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert agent.stderr is not None
        try:
            address = _address(agent.stderr)
            threading.Thread(target=lambda: [None for _ in agent.stderr or ()], daemon=True).start()
            return _watched(agent.pid, address, every_seconds, beats)
        finally:
            agent.terminate()
            agent.wait(timeout=60)


def _address(lines: Iterator[str]) -> tuple[str, int]:
    said = []
    for line in lines:
        said.append(line)
        if found := re.search(r"metrics at http://([\d.]+):(\d+)/", line):
            return found[1], int(found[2])
    raise SystemExit(f"the agent did not start: {''.join(said)}")


def _watched(pid: int, address: tuple[str, int], every_seconds: float, beats: int) -> Cost:
    source = source_of(TargetSettings("agent", PidPlace(pid)))
    samples: list[Sample] = []
    warm_seconds = WARM_UP_SHARE * beats * every_seconds
    began, cpu_warm, warm_at = time.monotonic(), None, 0.0
    while (elapsed := time.monotonic() - began) < beats * every_seconds + warm_seconds:
        samples.append(source.read(time.time()))
        if cpu_warm is None and elapsed >= warm_seconds:
            cpu_warm, warm_at = _cpu_seconds(pid), elapsed
        if len(samples) % 15 == 0:
            _scrape(address)
        time.sleep(max(every_seconds, 0.2))
    cpu = _cpu_seconds(pid) - (cpu_warm or 0.0)
    done = (time.monotonic() - began - warm_at) / every_seconds
    warm = [one for one in samples if one.time_seconds - samples[0].time_seconds >= warm_seconds]
    own = _trace(warm)
    return Cost(round(done), _status(pid, "VmHWM"), _status(pid, "VmRSS"), cpu / done, own)


def _trace(samples: Sequence[Sample]) -> Trace:
    times = np.array([one.time_seconds for one in samples])
    return Trace(Target("agent"), times, {"anon_bytes": np.array([one.values["anon_bytes"] for one in samples])})


def _scrape(address: tuple[str, int]) -> None:
    connection = HTTPConnection(*address, timeout=10)
    connection.request("GET", "/metrics")
    connection.getresponse().read()
    connection.close()


def _status(pid: int, name: str) -> float:
    text = Path(f"/proc/{pid}/status").read_text()
    return 1024.0 * float(re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)[1])  # type: ignore[index]


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def one_target(*, kills: bool = False) -> Iterator[str]:
    """A process that works, a page with counters that move, and a log, with kills in it or without: as YAML."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        worker = stack.enter_context(_process())
        server = TfServing()
        stack.enter_context(server.served())
        for number in range(3):
            server.load(f"model{number}", 1)
        log, stop = folder / "serving.log", threading.Event()
        log.touch()

        def work() -> None:
            with log.open("a", buffering=1) as file:
                while not stop.wait(0.1):
                    server.request("model0", 3)
                    print(KILLED if kills else SERVED, file=file)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        page = f"serving: {{kind: tf_serving, metrics_url: '{server.url}{PAGE}'}}"
        yield f"- name: serving\n  pid: {worker.pid}\n  logs: [{log}]\n  {page}\n"
        stop.set()
        thread.join()


@contextmanager
def many_cgroups(count: int = 50) -> Iterator[str]:
    """So many memory cgroups of our own, one process in each: as YAML. v1 hierarchies only, as tests have them."""
    parent = CGROUPS / f"leakwatch-footprint-{os.getpid()}"
    with ExitStack() as stack:
        parent.mkdir()
        stack.callback(parent.rmdir)
        lines = []
        for number in range(count):
            folder = parent / f"c{number}"
            folder.mkdir()
            stack.callback(folder.rmdir)
            sleeper = subprocess.Popen(["sleep", "infinity"])
            stack.callback(lambda sleeper=sleeper: (sleeper.kill(), sleeper.wait(), time.sleep(0.01)))
            (folder / "cgroup.procs").write_text(str(sleeper.pid))
            lines.append(f"- {{name: c{number}, cgroup: {folder}}}\n")
        yield "".join(lines)


@contextmanager
def _process() -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([sys.executable, "-c", WORKER])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def report(effort: Effort, hour: bool) -> list[Table]:
    """Measure everything."""
    rows = []
    with one_target() as targets:
        rows.append(
            _row(
                "one target, page, logs, metrics page",
                measured(targets, effort.every_seconds, effort.beats),
                "52 MiB, 0.5 %",
            )
        )
        day = measured(targets, effort.day_every_seconds, effort.day_beats)
        rows.append(_row("the same for a day's beats", day, "52 MiB"))
    with one_target(kills=True) as targets:
        killed = measured(targets, effort.every_seconds, max(20, effort.beats // 5))
        rows.append(_row("the same with kills in the log", killed, "52 MiB, 0.5 %"))
    with one_target() as targets:
        if hour:
            rows.append(_row("the same for an hour at 5 s", measured(targets, BEAT_SECONDS, 720), "52 MiB, 0.5 %"))
    if os.access(CGROUPS / "memory.limit_in_bytes", os.W_OK):
        with many_cgroups() as targets:
            many = measured(targets, effort.many_every_seconds, effort.many_beats)
            rows.append(_row("50 cgroups, metrics page", many, "80 MiB, 5 %"))
    note = (
        "Its growth is judged by leakwatch on its anonymous memory, the first tenth left out. CPU: of a core, at 5 s."
    )
    heads = (
        "agent beside",
        "beats",
        "resident, MiB",
        "peak, MiB",
        "CPU, %",
        "verdict on itself",
        "grown, KiB",
        "asked for",
    )
    return [Table("Footprint of the agent", note, heads, rows)]


def _row(name: str, cost: Cost, asked: str) -> tuple[str, ...]:
    verdict = detect.assess(cost.own).verdict
    level = cost.own.columns["anon_bytes"]
    tenth = max(1, len(level) // 10)
    grown = float(np.median(level[-tenth:]) - np.median(level[:tenth]))
    share = cost.cpu_seconds_per_beat / BEAT_SECONDS
    return (
        name, f"{cost.beats:,}", f"{cost.rss_bytes / MIB:.1f}", f"{cost.peak_bytes / MIB:.1f}", f"{100 * share:.3f}",
        f"{verdict.verdict} ({verdict.shape})", f"{grown / 1024:.0f}", asked,
    )  # fmt: skip


def main() -> None:
    """Measure, print, and write where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the tables into benchmarks/RESULTS.md")
    parser.add_argument("--hour", action="store_true", help="a real hour at 5 s as well")
    parser.add_argument("--tiny", action="store_true", help="next to nothing, to see that it runs")
    wanted = parser.parse_args()
    tables = report(TINY if wanted.tiny else FULL, wanted.hour)
    for each in tables:
        each.show()
    if wanted.write:
        command = f"python -m benchmarks.footprint{' --hour' * wanted.hour} --write"
        write_section("footprint", command, tables)


if __name__ == "__main__":
    main()
