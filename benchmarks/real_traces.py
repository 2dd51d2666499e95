"""Real traces as labelled ones: those shipped here, those that stand beside the repository, and pods given leaks."""

import json
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import yaml

from benchmarks.corpus import Labelled
from leakwatch.sample.trace_files import read_traces
from leakwatch.trace import Trace

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "sample_traces"
SHARED = ROOT.parent / "shared" / "corpus" / "traces"
LEAK_SHARES_PER_DAY = (0.02, 0.05, 0.10, 0.20)
DAY_SECONDS = 86_400.0


def _labelled(family: str, trace: Trace, leak: bool, truth: Mapping[str, float]) -> Labelled:
    return Labelled(
        family=family,
        seed=zlib.crc32(Path(trace.target.source).name.encode()),
        time_seconds=trace.time_seconds,
        columns=trace.columns,
        limit_bytes=trace.limit_bytes,
        leak=leak,
        slope_bytes_per_second=truth.get("slope_bytes_per_second"),
        onset_seconds=None,
        seconds_to_limit=None,
        bytes_per_request=truth.get("bytes_per_request"),
        full="requests_total" in trace.columns,
    )


def samples() -> Iterator[tuple[str, Labelled]]:
    """(material, trace) of sample_traces/index.yaml; traces of which nothing certain is expected are left out."""
    index = SAMPLES / "index.yaml"
    if not index.exists():
        return
    for entry in yaml.safe_load(index.read_text())["traces"]:
        verdict = entry["expected"]["verdict"]
        if verdict in {"leak", "no_leak"}:
            [trace] = read_traces(str(SAMPLES / entry["file"]))
            yield "sample traces", _labelled(entry["file"], trace, verdict == "leak", entry.get("truth", {}))


def shared(folder: Path) -> Iterator[tuple[str, Labelled]]:
    """(material, trace) of the archives in ../shared/corpus/traces, where present, unpacked into ``folder``."""
    for archive in sorted(SHARED.glob("*.tar.xz")):
        name = archive.name.removesuffix(".tar.xz")
        into = folder / name
        with tarfile.open(archive) as tar:
            tar.extractall(into, filter="data")
        for line in (into / "truth.jsonl").read_text().splitlines():
            truth = json.loads(line)
            [trace] = read_traces(str(into / truth["file"]))
            yield truth["family"], _labelled(truth["family"], trace, truth["leak"], {})


def leaking(pod: Labelled, share_per_day: float, from_start: bool) -> Labelled:
    """A healthy pod with a leak added, a share of its limit each day.

    Args:
        pod: with a limit.
        share_per_day: of the limit.
        from_start: whether it leaks over the whole trace, or from a moment in its first half (the same each time).
    """
    rng = np.random.default_rng([pod.seed, int(share_per_day * 1e4)])
    onset = pod.time_seconds[0]
    if not from_start:
        onset += rng.uniform(0, 0.5) * np.ptp(pod.time_seconds)
    if pod.limit_bytes is None:
        raise ValueError("pod must have a limit, for the leak is a share of it")
    slope = share_per_day * pod.limit_bytes / DAY_SECONDS
    added = np.floor(slope * np.maximum(pod.time_seconds - onset, 0.0))
    return replace(
        pod,
        columns={**pod.columns, "working_set_bytes": pod.columns["working_set_bytes"] + added},
        leak=True,
        slope_bytes_per_second=slope,
        onset_seconds=float(onset),
    )
