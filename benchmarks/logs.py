"""How fast ``leakwatch logs`` reads ordinary logs, in how much memory, beside ``grep -E`` with the same literals.

    python -m benchmarks.logs                       prints the tables, for 100 MB
    python -m benchmarks.logs --megabytes 1000      for 1 GB
    python -m benchmarks.logs --write               and puts them into benchmarks/RESULTS.md

The log is a mixture of what a node writes all day (syslog, kernel, kubelet, containerd, journal JSON, container logs,
an access log, TF Serving), with one kill by the kernel every 10 MB that has to be found. Where ../shared holds the
labelled excerpts, their ordinary lines are measured as well. Every figure is the best of several rounds in which the
candidates take turns; only ratios within one run mean anything on a shared machine.
"""

import argparse
import gzip
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.tables import Table, write_section
from detectors.oom_lines.signatures import SIGNATURES

ROOT = Path(__file__).parents[1]
CORPUS = ROOT.parent / "shared" / "corpus" / "oom_lines.dev.jsonl"
KERNEL = CORPUS.parent / "kernel"
DUMP_EVERY = 20_000
MEGABYTE = 10**6
BLOCK_BYTES = 10 * MEGABYTE
AIM_MEGABYTES_PER_SECOND = 60
ROUNDS = 2

SYSLOG = "Mar  1 {h:02}:{m:02}:{s:02} node{n} "
ISO = "2026-03-01T{h:02}:{m:02}:{s:02}"
TEMPLATES = (
    SYSLOG + "sshd[{p}]: Accepted publickey for deploy from 10.0.{n}.{s} port {q} ssh2",
    SYSLOG + "kernel: [{p}.{q:06}] IPv6: ADDRCONF(NETDEV_CHANGE): veth{x}: link becomes ready",
    SYSLOG + 'kernel: [{p}.{q:06}] audit: type=1400 audit({t}.{s:03}:{q}): apparmor="STATUS" operation="profile_load"'
    ' name="cri-containerd.apparmor.d" pid={p} comm="apparmor_parser"',
    'I0301 {h:02}:{m:02}:{s:02}.{q:06} {p:7} kubelet.go:2412] "SyncLoop (PLEG): event for pod" pod="ml/serving-{x}"'
    ' event={{"ID":"{u}","Type":"ContainerStarted","Data":"{x}{x}"}}',
    'time="' + ISO + '.{q:06}Z" level=info msg="StartContainer for \\"{x}{x}\\" returns successfully"',
    '{{"__REALTIME_TIMESTAMP":"{t}{q:06}","_HOSTNAME":"node{n}","PRIORITY":"6","SYSLOG_IDENTIFIER":"systemd",'
    '"MESSAGE":"Started Session {q} of user deploy.","_PID":"1","UNIT":"session-{q}.scope"}}',
    ISO + '.{q:06}000Z stdout F 10.0.{n}.{s} - - "POST /v1/models/resnet:predict HTTP/1.1" 200 {q}',
    "2026-03-01 {h:02}:{m:02}:{s:02}.{q:06}: I tensorflow_serving/core/loader_harness.cc:{p}]"
    " Successfully loaded servable version {{name: resnet version: {n}}}",
    '{{"log":"[INFO] batch {q} took {s} ms, queue {n}\\n","stream":"stderr","time":"' + ISO + 'Z"}}',
)
KILL = (
    "Mar  1 00:00:00 node1 kernel: [  814.570220] Memory cgroup out of memory: Killed process 2210 (tensorflow_mode) "
    "total-vm:217336kB, anon-rss:204272kB, file-rss:6660kB, shmem-rss:0kB, UID:0 pgtables:464kB oom_score_adj:0\n"
)


def ordinary_lines() -> Iterator[str]:
    """What a node writes, for ever; the same on every call."""
    chance = random.Random(7)
    number = chance.randrange
    while True:
        yield chance.choice(TEMPLATES).format(
            h=number(24), m=number(60), s=number(60), n=number(99), p=number(100, 99_999), q=number(10**6),
            t=1_772_000_000 + number(10**6), x=f"{number(2**32):08x}",
            u=f"{number(2**32):08x}-0000-4000-8000-{number(2**48):012x}",
        ) + "\n"  # fmt: skip


def corpus_lines() -> Iterator[str]:
    """The ordinary excerpts of the labelled material, over and over."""
    records = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
    plain = [one["text"] + "\n" for one in records if one["label"] == "none" and not one.get("hard")]
    while True:
        yield from plain


def block(lines: Iterator[str]) -> bytes:
    """BLOCK_BYTES of them, with one kill in the middle."""
    parts, size = [], 0
    for line in lines:
        if size < BLOCK_BYTES // 2 <= size + len(line):
            parts.append(KILL)
        parts.append(line)
        size += len(line)
        if size >= BLOCK_BYTES:
            return "".join(parts).encode()
    raise ValueError("the lines came to an end")


def literals() -> str:
    """All literals of the signatures, as an alternation that grep -E reads."""
    every = sorted({text for signature in SIGNATURES for text in signature.literals})
    return "|".join(re.sub(r"([][\\.^$*+?(){}|])", r"\\\1", text) for text in every)


def dumped_lines() -> Iterator[str]:
    """What a node writes whose kernel kills again and again: a whole dump after every DUMP_EVERY lines."""
    dumps = [path.read_text(encoding="utf-8", errors="replace") for path in sorted(KERNEL.rglob("*")) if path.is_file()]
    for number, line in enumerate(ordinary_lines(), start=1):
        yield line
        if number % DUMP_EVERY == 0:
            yield dumps[number // DUMP_EVERY % len(dumps)].rstrip("\n") + "\n"


def measured(command: Sequence[str], feed: Path | None = None) -> tuple[float, float, int]:
    """Seconds, peak resident MB, and lines printed, of one process from its start to its end."""
    with tempfile.TemporaryFile() as printed:
        began = time.perf_counter()
        source = subprocess.Popen(["cat", str(feed)], stdout=subprocess.PIPE) if feed else None
        process = subprocess.Popen(command, stdin=source.stdout if source else subprocess.DEVNULL, stdout=printed)
        if source is not None and source.stdout is not None:
            source.stdout.close()
        peak = 0
        while process.poll() is None:  # ru_maxrss would tell of the benchmark's own memory, from before the exec
            peak = max(peak, resident_peak(process.pid))
            time.sleep(0.005)
        took = time.perf_counter() - began
        if source is not None:
            source.wait()
        if process.returncode not in (0, 1):
            raise SystemExit(f"{command[:4]} failed with status {process.returncode}")
        printed.seek(0)
        return took, peak / MEGABYTE, sum(1 for _ in printed)


def resident_peak(pid: int) -> int:
    """Bytes; 0 where the process has just ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else 0


def table(title: str, lines: Iterator[str], megabytes: int, folder: Path) -> Table:
    """One mixture: as a file, through a pipe, compressed, and grep beside it."""
    part, blocks = block(lines), max(1, megabytes * MEGABYTE // BLOCK_BYTES)
    log, packed, tenth = folder / "node.log", folder / "node.log.1.gz", folder / "tenth.log"
    with log.open("wb") as file:
        for _ in range(blocks):
            file.write(part)
    tenth.write_bytes(part * max(1, blocks // 10))
    packed.write_bytes(gzip.compress(part, 6) * blocks)
    leakwatch = [sys.executable, "-m", "leakwatch", "logs", "-o", "json"]
    pattern = literals()
    candidates: dict[str, tuple[list[str], Path | None, Path]] = {
        "leakwatch logs FILE": ([*leakwatch, str(log)], None, log),
        "leakwatch logs FILE, a tenth of it": ([*leakwatch, str(tenth)], None, tenth),
        "cat FILE \\| leakwatch logs -": ([*leakwatch, "-"], log, log),
        "leakwatch logs FILE.gz": ([*leakwatch, str(packed)], None, log),
        "LC_ALL=C grep -E, the same literals": (["env", "LC_ALL=C", "grep", "-a", "-E", pattern, str(log)], None, log),
        "LC_ALL=C.UTF-8 grep -E": (["env", "LC_ALL=C.UTF-8", "grep", "-a", "-E", pattern, str(log)], None, log),
    }
    best: dict[str, tuple[float, float, int]] = {}
    for _ in range(ROUNDS):
        for name, (command, feed, _log) in candidates.items():
            took, peak, printed = measured(command, feed)
            best[name] = min(best.get(name, (took, peak, printed)), (took, peak, printed))
    rows = []
    for name, (_command, _feed, read) in candidates.items():
        took, peak, printed = best[name]
        size = read.stat().st_size / MEGABYTE
        rows.append((name, f"{size:.0f}", f"{took:.2f}", f"{size / took:.0f}", f"{peak:.0f}", f"{printed}"))
    note = (
        f"Whole processes, one core, start-up included; at least {AIM_MEGABYTES_PER_SECOND} MB/s are asked for. One "
        f"kill stands in every {BLOCK_BYTES // MEGABYTE} MB; leakwatch prints events, grep the lines with a literal."
    )
    return Table(title, note, ("reader", "MB", "seconds", "MB/s", "peak MB", "printed"), rows)


def main() -> None:
    """Measure, print, and write where asked to."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--megabytes", type=int, default=100, help="how long the log is (100)")
    parser.add_argument("--write", action="store_true", help="put the tables into benchmarks/RESULTS.md")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        tables = [table("Reading logs: what a node writes", ordinary_lines(), wanted.megabytes, place)]
        if CORPUS.exists():
            tables.append(table("Reading logs: ordinary public excerpts", corpus_lines(), wanted.megabytes, place))
        if KERNEL.exists():
            tables.append(
                table(
                    "Reading logs: what a node writes, a kernel dump in every 20,000 lines",
                    dumped_lines(),
                    wanted.megabytes,
                    place,
                )
            )
    for each in tables:
        each.show()
    if wanted.write:
        command = f"python -m benchmarks.logs --megabytes {wanted.megabytes} --write"
        write_section("logs", command, tables)


if __name__ == "__main__":
    main()
