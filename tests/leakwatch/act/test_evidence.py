"""The bundle: within its time and its size, whole or not there, without secrets, and the newest are kept."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from leakwatch.act.bundles import find, kept, read_manifest, read_part
from leakwatch.act.evidence import About, take
from leakwatch.act.known import trace_csv
from leakwatch.errors import ActError
from leakwatch.ports import EvidencePart
from leakwatch.sample.trace_files import read_traces
from leakwatch.settings import EvidenceSettings
from leakwatch.trace import Target, Trace
from tests.fakes.acting import FakeProbe

ABOUT = About("serving", "it leaks", 1_790_000_000.0)


def test_what_was_taken_can_be_read_again(tmp_path: Path) -> None:
    """Each part by its name, and a manifest with size and trouble of each."""
    parts = (EvidencePart("verdict.json", b"{}"), EvidencePart("gone.txt", b"", "no such process"))
    bundle = take(tmp_path, ABOUT, parts, [FakeProbe()], EvidenceSettings(), 30.0)
    assert bundle.path is not None
    assert "not taken: gone.txt (no such process)" in bundle.sentence
    assert read_part(bundle.path, "smaps_rollup.txt") == b"Rss: 12 kB\n"
    told = {part["name"]: (part["bytes"], part["error"]) for part in read_manifest(bundle.path)["parts"]}
    assert told == {"verdict.json": (2, None), "gone.txt": (0, "no such process"), "smaps_rollup.txt": (11, None)}
    assert bundle.path.stat().st_mode & 0o777 == 0o600
    assert bundle.path.parent.stat().st_mode & 0o777 == 0o700
    with pytest.raises(ActError, match="holds no"):
        read_part(bundle.path, "gone.txt")


def test_a_probe_that_hangs_or_raises_costs_its_own_part(tmp_path: Path) -> None:
    """All are asked at once, so the others are there when the time is over."""
    let_go = threading.Event()
    probes = [
        FakeProbe("slow.txt", do=lambda: let_go.wait(60)),
        FakeProbe("broken.txt", do=lambda: 1 / 0),
        FakeProbe("quick.txt"),
    ]
    began = time.monotonic()
    bundle = take(tmp_path, ABOUT, (), probes, EvidenceSettings(), 5.0)
    assert time.monotonic() - began < 60.0
    let_go.set()
    assert bundle.path is not None
    told = {part["name"]: part["error"] for part in read_manifest(bundle.path)["parts"]}
    assert told["quick.txt"] is None
    assert "not done within" in told["slow.txt"]
    assert "ZeroDivisionError" in told["broken.txt"]


def test_the_size_is_kept_and_small_parts_are_whole(tmp_path: Path) -> None:
    """What does not fit is cut and said; random bytes, which do not shrink."""
    settings = EvidenceSettings(size_bytes=300_000)
    parts = (EvidencePart("large.bin", os.urandom(2_000_000)), EvidencePart("small.txt", b"x" * 1000))
    bundle = take(tmp_path, ABOUT, parts, (), settings, 30.0)
    assert bundle.path is not None
    assert bundle.path.stat().st_size <= 300_000
    told = {part["name"]: part for part in read_manifest(bundle.path)["parts"]}
    assert told["small.txt"]["bytes"] == 1000
    assert told["large.bin"]["cut_from_bytes"] == 2_000_000
    assert len(read_part(bundle.path, "large.bin")) == told["large.bin"]["bytes"] > 100_000


def test_secrets_are_masked(tmp_path: Path) -> None:
    """In whatever part they stand."""
    parts = (EvidencePart("tail.log", b"\xff\x00 token=abc123 url=http://u:pw@h/ Authorization: Bearer abcdefgh12\n"),)
    bundle = take(tmp_path, ABOUT, parts, (), EvidenceSettings(), 30.0)
    assert bundle.path is not None
    content = read_part(bundle.path, "tail.log")
    assert content.startswith(b"\xff\x00 token=***")
    for secret in (b"abc123", b"pw", b"abcdefgh12"):
        assert secret not in content


def test_names_cannot_lead_out_of_the_archive(tmp_path: Path) -> None:
    """Neither a part's nor a target's; two of one name are both there."""
    names = ("../../etc/passwd", "/abs", "a b", "same", "same", "manifest.json", "..")
    parts = tuple(EvidencePart(name, name.encode()) for name in names)
    about = About("../evil/$(rm -rf)\x1b[31m", "it leaks", 1_790_000_000.0)
    bundle = take(tmp_path, about, parts, (), EvidenceSettings(), 30.0)
    assert bundle.path is not None
    assert bundle.path.parent == tmp_path / "evidence"
    for name in ("passwd", "abs", "a_b", "same", "2-same", "2-manifest.json", "part"):
        assert read_part(bundle.path, name)
    assert read_manifest(bundle.path)["schema_version"] == 1


def test_the_newest_are_kept(tmp_path: Path) -> None:
    """Five of eight; the one just made always stays, whatever its size."""
    for number in range(8):
        about = About("serving", str(number), 1_790_000_000.0 + number)
        assert take(tmp_path, about, (EvidencePart("n", b"x"),), (), EvidenceSettings(), 30.0).path is not None
    assert [one.manifest and one.manifest["reason"] for one in kept(tmp_path)] == ["7", "6", "5", "4", "3"]
    tiny = EvidenceSettings(size_bytes=1, keep=3)
    take(tmp_path, About("serving", "last", 1_790_000_100.0), (EvidencePart("n", b"x"),), (), tiny, 30.0)
    assert [one.manifest and one.manifest["reason"] for one in kept(tmp_path)] == ["last"]


def test_a_full_disk_is_told_and_leaves_nothing_half_done(tmp_path: Path) -> None:
    """The kernel refuses to write beyond a size: no bundle, no partial file, one sentence."""
    script = (
        "import os, resource, signal, sys; from pathlib import Path; from leakwatch.act.evidence import *;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000));"
        "parts = (EvidencePart('large.bin', os.urandom(100000)),);"
        "bundle = take(Path(sys.argv[1]), About('s', 'r', 1e9), parts, (), EvidenceSettings(), 30.0);"
        "print(bundle.path, bundle.sentence)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False)
    assert "could not be written" in done.stdout, done.stderr
    assert list((tmp_path / "evidence").iterdir()) == []


def test_a_bundle_is_found_by_the_beginning_of_its_name(tmp_path: Path) -> None:
    """Where only one begins so."""
    for number in range(2):
        take(tmp_path, About("serving", "r", 1_790_000_000.0 + number), (), (), EvidenceSettings(), 30.0)
    first, second = sorted(path.name for path in (tmp_path / "evidence").iterdir())
    assert find(tmp_path, "latest").name == second
    assert find(tmp_path, first[:20]).name == first
    with pytest.raises(ActError, match="2 bundles begin with"):
        find(tmp_path, first[:4])


def test_the_trace_can_be_analysed(tmp_path: Path) -> None:
    """It is in leakwatch's own form: what was written is read back, unknown cells as unknown."""
    time_seconds = np.arange(50.0) + 1_790_000_000.0
    columns = {"anon_bytes": np.arange(50.0) * 1e6, "requests_total": np.full(50, np.nan)}
    path = tmp_path / "trace.csv"
    path.write_bytes(trace_csv(Trace(Target("x"), time_seconds, columns, 2.0**30)))
    [trace] = read_traces(str(path))
    np.testing.assert_allclose(trace.time_seconds, time_seconds)
    np.testing.assert_allclose(trace.columns["anon_bytes"], columns["anon_bytes"])
    assert trace.limit_bytes == 2.0**30
