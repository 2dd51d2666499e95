"""What memory to give a model server: from its models' sizes, or from a measured trace, every number with its ground.

The arithmetic is a sum of parts. Where a trace was measured, its level stands in place of the parts that are thumbs.
"""

import math
from dataclasses import dataclass

import numpy as np

from detectors.types import Answer, Assessment
from leakwatch.errors import LeakwatchError
from leakwatch.proposal import Assumption, Basis, Batching, Cost, Part, Proposal
from leakwatch.tell.units import duration, size
from leakwatch.trace import Trace

LOAD_FACTOR = 1.2
"""TF Serving reckons with 1.2 times a version's bytes on disk (servables/tensorflow/bundle_factory_util.cc:
kResourceEstimateRAMMultiplier)."""
HEADROOM_SHARE = 0.2
"""Of everything else, for what the allocator keeps and does not use."""
BASE_BYTES = 512 * 2**20
"""The server without models: code, thread stacks, arenas."""
ROW_BYTES = 224 * 224 * 3 * 4
"""One picture of 224 x 224 x 3 floats."""
ACTIVATION_FACTOR = 8.0
"""Of a row: what a model holds of it between its layers, input and output included."""
DEFAULT_CPUS = 4
KEEP_SECONDS = 7 * 86_400.0
LARGEST_BATCH = 128
BATCH_TIMEOUT_MICROS = 1000
HOURS_PER_MONTH = 8760 / 12

_GIB, _MIB = 2**30, 2**20
_COARSE_FROM_BYTES, _COARSE, _FINE = 4 * _GIB, 256 * _MIB, 64 * _MIB
_QUIET_SHARE = 0.999
"""The level that is exceeded in one sample of a thousand: a lone spike is no level."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the caller knows; None is for thumbs.

    Attributes:
        model_bytes: one version of each model, on disk.
        versions: of each, loaded at the same time.
        swaps_in_place: whether a new version loads beside the old one.
        clients: requests at the same time.
        keep_seconds: how long a leak has to be borne until somebody restarts the server.
    """

    model_bytes: tuple[float, ...] = ()
    versions: int = 1
    swaps_in_place: bool = True
    clients: int | None = None
    cpus: int | None = None
    row_bytes: float | None = None
    keep_seconds: float = KEEP_SECONDS
    price_per_gib_hour: float | None = None


def plan(wanted: Wanted, measured: tuple[Trace, Assessment] | None = None) -> Proposal:
    """A limit, a request and batching parameters.

    Args:
        wanted: what is known.
        measured: a trace of the server as it runs today and its verdict; its level includes models, threads and
            requests, so that only what it cannot show is added: the swap, a leak's growth, headroom.

    Raises:
        LeakwatchError: the trace is too short to have a level.
    """
    batching = _batching(wanted)
    level = _measured(wanted, *measured) if measured is not None else _Level(_reckoned(wanted, batching))
    swap = tuple(_swap(wanted))
    # The leak's growth is heap already; the allocator keeps a share of what comes and goes.
    whole = sum(part.value_bytes for part in (*level.parts, *swap)) - level.leak_bytes
    headroom = Part(
        "allocator headroom",
        HEADROOM_SHARE * whole,
        f"{100 * HEADROOM_SHARE:.0f} % of {size(whole)}",
        Basis.THUMB,
        "tensorflow/serving#1215, #1664: freed memory that the allocator keeps",
    )
    limit = _rounded(whole + level.leak_bytes + headroom.value_bytes)
    # The swap comes rarely and alone: where two servers share a node they seldom swap together.
    request = min(limit, _rounded(limit - sum(part.value_bytes for part in swap)))
    kept_for_swap = f"the limit less the {size(swap[0].value_bytes)} of a swap, which is rare" if swap else "the limit"
    return Proposal(
        (*level.parts, *swap, headroom),
        _assumptions(wanted, measured is not None, level.leak_bytes > 0, batching),
        limit,
        request,
        f"{kept_for_swap}: a server's memory does not fall with its load, so a lower request invites eviction",
        batching,
        _cost(wanted, limit, level.leak_bytes),
        level.seconds_to_limit,
        level.notes,
    )


@dataclass(frozen=True, slots=True)
class _Level:
    """What the server holds: its parts, and what a leak that was measured makes of them."""

    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()
    leak_bytes: float = 0.0
    seconds_to_limit: float | None = None


def _reckoned(wanted: Wanted, batching: Batching | None) -> tuple[Part, ...]:
    """Parts from sizes and thumbs."""
    on_disk = sum(wanted.model_bytes)
    row = wanted.row_bytes or ROW_BYTES
    row_basis = Basis.GIVEN if wanted.row_bytes else Basis.THUMB
    several = f" x {wanted.versions} versions" if wanted.versions > 1 else ""
    parts = [
        Part("server", BASE_BYTES, size(BASE_BYTES), Basis.THUMB, "code, threads and arenas before any model"),
        Part(
            "models",
            on_disk * wanted.versions * LOAD_FACTOR,
            f"{size(on_disk)} on disk{several} x {LOAD_FACTOR}",
            Basis.SERVER,
            "its own estimate of a SavedModel's memory",
        ),
    ]
    if batching is not None:
        queued = batching.max_enqueued_batches * batching.max_batch_size
        running = batching.num_batch_threads * batching.max_batch_size
        parts.append(
            Part(
                "requests in the queue",
                queued * row,
                f"{batching.max_enqueued_batches} batches x {batching.max_batch_size} rows x {size(row)}",
                row_basis,
                "batching/README.md: what may wait",
            )
        )
    else:
        running = wanted.cpus or DEFAULT_CPUS
    parts.append(
        Part(
            "activations",
            running * row * ACTIVATION_FACTOR,
            f"{running:,} rows at once x {size(row)} x {ACTIVATION_FACTOR:g}",
            Basis.THUMB,
            "input, output and what lies between; measure it with --trace",
        )
    )
    return tuple(parts)


def _swap(wanted: Wanted) -> list[Part]:
    if not wanted.swaps_in_place or not wanted.model_bytes:
        return []
    largest = max(wanted.model_bytes)
    return [
        Part(
            "swap in place",
            largest * LOAD_FACTOR,
            f"{size(largest)} x {LOAD_FACTOR}, the new version beside the old one",
            Basis.SERVER,
            "AvailabilityPreservingPolicy; tensorflow/serving#2017",
        )
    ]


def _measured(wanted: Wanted, trace: Trace, assessment: Assessment) -> _Level:
    """From a trace: its level without the leak, and what the leak grows by."""
    metric, fit, trend = assessment.verdict.metric, assessment.fit, assessment.verdict.trend
    if metric is None or fit is None:
        raise LeakwatchError(f"{trace.target.source}: too short for a plan; record some hundred samples under load")
    column = "working_set_bytes" if "working_set_bytes" in trace.columns else metric
    leak = np.interp(trace.time_seconds, fit.time_seconds, fit.leak_bytes)
    level = trace.columns[column] - leak
    peak = float(np.quantile(level[np.isfinite(level)], _QUIET_SHARE))
    span = float(trace.time_seconds[-1] - trace.time_seconds[0])
    without = ", the leak taken off" if trend is not None else ""
    parts = [
        Part(
            "level",
            peak,
            f"highest {column} in {duration(span)}{without}",
            Basis.MEASURED,
            f"{trace.target.source}, {len(trace.time_seconds):,} samples",
        )
    ]
    if trend is None:
        undecided = "the verdict is undecided: whether it grows on is not known yet"
        return _Level(tuple(parts), (undecided,) if assessment.verdict.verdict is Answer.UNDECIDED else ())
    grown = max(trend.high, 0.0) * wanted.keep_seconds
    parts.append(
        Part(
            "growth of the leak",
            grown,
            f"{size(trend.high * 3600)}/h (high end of the 95 % interval) x {duration(wanted.keep_seconds)}",
            Basis.MEASURED,
            "the slope of the leak alone",
        )
    )
    seconds = grown / trend.slope_per_second if trend.slope_per_second > 0 else None
    notes = ["it leaks: memory only buys time; leakwatch analyze says why, and how fast"]
    if grown > peak > 0 and trend.high > 0:
        often = duration(peak / trend.high)
        notes.append(
            f"most of this is for the leak: restarted every {often} it would need no more for it than its level"
        )
    return _Level(tuple(parts), tuple(notes), grown, seconds)


def _batching(wanted: Wanted) -> Batching | None:
    """Parameters for online serving from the number of clients."""
    if wanted.clients is None:
        return None
    threads = wanted.cpus or DEFAULT_CPUS
    # Twice the batch as clients keeps it full (session_bundle_config.proto); a power of two suits the kernels.
    largest = 2 ** int(math.log2(min(max(wanted.clients // 2, 1), LARGEST_BATCH)))
    sizes = sorted({max(largest // 8, 1), max(largest // 4, 1), max(largest // 2, 1), largest})
    return Batching(largest, BATCH_TIMEOUT_MICROS, threads, threads, tuple(sizes))


def _assumptions(wanted: Wanted, is_measured: bool, leaks: bool, batching: Batching | None) -> tuple[Assumption, ...]:
    used = []
    if not is_measured or batching is not None:
        if wanted.cpus is None:
            used.append(Assumption("CPUs", str(DEFAULT_CPUS), Basis.THUMB, "a small node's share", "--cpus"))
        else:
            used.append(Assumption("CPUs", str(wanted.cpus), Basis.GIVEN, "--cpus"))
    if not is_measured:
        if wanted.row_bytes is None:
            source = "one picture of 224 x 224 x 3 floats"
            used.append(Assumption("row of input", size(ROW_BYTES), Basis.THUMB, source, "--row-size"))
        source = "deep models keep several times their input between layers"
        used.append(Assumption("activations", f"{ACTIVATION_FACTOR:g} rows a row", Basis.THUMB, source, "--trace"))
    if wanted.swaps_in_place and wanted.model_bytes:
        source = "the default: versions are looked for every second"
        used.append(Assumption("new versions", "load in place", Basis.SERVER, source, "--no-swap"))
    elif is_measured and wanted.swaps_in_place:
        source = "the trace cannot show it; without --model-size nothing is kept for it"
        used.append(Assumption("new versions", "none in place", Basis.GIVEN, source, "--model-size"))
    if batching is not None:
        guide = "batching/README.md"
        used.append(
            Assumption("batch", "half of the clients", Basis.SERVER, "session_bundle_config.proto", "--clients")
        )
        used.append(Assumption("queue", "as many batches as threads", Basis.SERVER, guide))
        used.append(Assumption("batch timeout", "1 ms", Basis.SERVER, f"{guide}: 0, then 1 to 10 ms"))
    if leaks:
        kept = duration(wanted.keep_seconds)
        used.append(Assumption("a leak is borne for", kept, Basis.GIVEN, "time between restarts", "--keep-for"))
    return tuple(used)


def _cost(wanted: Wanted, limit_bytes: float, leak_bytes: float) -> Cost | None:
    price = wanted.price_per_gib_hour
    if price is None:
        return None
    monthly = price * HOURS_PER_MONTH / _GIB
    return Cost(price, limit_bytes * monthly, leak_bytes * monthly)


def _rounded(value_bytes: float) -> int:
    step = _COARSE if value_bytes >= _COARSE_FROM_BYTES else _FINE
    return max(math.ceil(value_bytes / step), 1) * step
