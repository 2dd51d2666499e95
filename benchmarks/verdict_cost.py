"""What a verdict costs on points that are in memory already: time and memory, beside the peers' rules and by size.

Traces are those of benchmarks/corpus.py, brought to one size: interpolated in time, with a little noise of their own so
that neighbouring samples differ. Everything is CPU time of this process, so that neighbours on the machine matter less.
"""

import statistics
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import psutil

from benchmarks import corpus, peers
from benchmarks.tables import Table
from leakwatch.detect import assess
from leakwatch.trace import Target, Trace

PICTURE = Path(__file__).parent / "verdict_cost.svg"
WEEK_SAMPLES = 40_320
FAMILIES = (
    "healthy_flat",
    "healthy_daily_load",
    "healthy_sawtooth",
    "healthy_deploys",
    "healthy_models_added",
    "healthy_page_cache",
    "leak_by_time",
    "leak_late",
    "leak_under_daily_load",
    "leak_by_request_bursty",
    "leak_per_model",
    "leak_oom_cycles",
)
OF_THE_CURVE = ("healthy_daily_load", "leak_by_time", "leak_per_model")
SIZES = (1_000, 2_000, 5_000, 10_000, 20_000, 40_320, 100_000, 200_000, 500_000, 1_000_000)
AT_FULL_SIZE = ("OLS with R2 > 0.8", "predict_linear, 24 h to 96 h ahead", "Coroot")
RANK_TESTS = ("Mann-Kendall and Sen", "Hamed-Rao and Sen")
RANK_SIZES = (600, 1_200, 2_400)
VERDICTS = 400


def stretched(trace: corpus.Labelled, samples: int, step_seconds: float | None = None) -> corpus.Labelled:
    """The same container in ``samples`` equal steps, of the given length or over the same time; noise of 0.02 %."""
    random = np.random.default_rng(trace.seed)
    begin, end = trace.time_seconds[[0, -1]]
    clock, columns = np.linspace(begin, end, samples), {}
    for name, values in trace.columns.items():
        known = np.isfinite(values)
        column = np.interp(clock, trace.time_seconds[known], values[known])
        noisy = column * (1 + 0.0002 * random.standard_normal(samples)) if name.endswith("_bytes") else column
        columns[name] = np.floor(noisy)
    time_seconds = clock if step_seconds is None else np.floor(begin) + step_seconds * np.arange(samples)
    return replace(trace, time_seconds=time_seconds, columns=columns)


def in_memory(family: str, samples: int) -> Trace:
    """A family's first trace, as the program holds it once it is read."""
    labelled = stretched(corpus.generate(family, 0), samples)
    return Trace(Target(family), labelled.time_seconds, labelled.columns, labelled.limit_bytes)


def cpu_seconds(run: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Best and median over ``rounds``, after one that does not count."""
    run()
    took = []
    for _ in range(rounds):
        began = time.process_time()
        run()
        took.append(time.process_time() - began)
    return min(took), statistics.median(took)


def extra_bytes(run: Callable[[], object]) -> int:
    """The most that was held at any time beyond what was held before."""
    tracemalloc.start()
    run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def by_family(families: Sequence[str], samples: int, rounds: int) -> Table:
    """A verdict on each family."""
    rows: list[tuple[str, ...]] = []
    for family in families:
        trace = in_memory(family, samples)
        best, median = cpu_seconds(partial(assess, trace), rounds)
        extra = extra_bytes(partial(assess, trace))
        rows.append((family, f"{best * 1e3:.1f}", f"{median * 1e3:.1f}", f"{extra / 1e6:.1f}"))
    mean = [statistics.mean(float(row[i]) for row in rows) for i in (1, 2, 3)]
    rows.append(("mean", *(f"{value:.1f}" for value in mean)))
    note = f"CPU time, best and median of {rounds}; extra memory is the peak that tracemalloc saw. Asked for: at most "
    note += "25 ms, better 10, and less than 50 MB."
    return Table(
        f"A verdict on {samples:,} points in memory", note, ("family", "best, ms", "median, ms", "extra, MB"), rows
    )


def beside_peers(families: Sequence[str], samples: int, rounds: int, rank_sizes: Sequence[int]) -> Table:
    """The peers' rules on the same traces at full size; the rank tests, quadratic in time and memory, extrapolated."""
    from scipy.stats import linregress

    traces = [in_memory(family, samples) for family in families]
    levels = [(t.time_seconds, t.columns.get("anon_bytes", t.columns["working_set_bytes"])) for t in traces]
    limits = [trace.limit_bytes for trace in traces]

    def asked(rule: peers.Rule) -> Callable[[int], object]:
        return lambda i: rule(*levels[i], limits[i])

    candidates: dict[str, Callable[[int], object]] = {
        "leakwatch": lambda i: assess(traces[i]),
        "scipy.stats.linregress": lambda i: linregress(*levels[i]),
        **{name: asked(peers.RULES[name]) for name in AT_FULL_SIZE},
        **{f"{name}, on medians of 600": asked(peers.RULES[name]) for name in RANK_TESTS},
    }
    costs = {
        name: statistics.mean(cpu_seconds(partial(run, i), rounds)[0] for i in range(len(traces)))
        for name, run in candidates.items()
    }
    clock, level = levels[0]
    whole = []
    for n in rank_sizes:
        every = slice(None, n * (samples // n), samples // n)
        whole.append(cpu_seconds(partial(_rank_tests, clock[every], level[every]), 2)[0])
    costs[f"Mann-Kendall and Sen, all points (extrapolated from {rank_sizes[-1]:,})"] = (
        whole[-1] * (samples / rank_sizes[-1]) ** 2
    )
    rows = [(name, f"{cost / costs['leakwatch']:.3g}", f"{cost * 1e3:,.2f}") for name, cost in costs.items()]
    rose = np.polyfit(np.log(rank_sizes), np.log(whole), 1)[0]
    note = f"CPU time, best of {rounds}, mean over the families above. All pairs of {rank_sizes[-1]:,} points took "
    note += f"{whole[-1] * 1e3:,.0f} ms, and cost rose as the power {rose:.1f} of the points; all pairs of {samples:,} "
    note += f"points would need {samples * samples / 2 * 8 / 1e9:.1f} GB for the slopes alone."
    return Table(f"Beside the peers' rules, {samples:,} points", note, ("rule", "times leakwatch", "ms"), rows)


def _rank_tests(clock: peers.FloatArray, level: peers.FloatArray) -> None:
    peers.mann_kendall_score(level)
    peers.sen_slope(clock, level)


@dataclass(frozen=True, slots=True)
class Law:
    """CPU seconds = fixed + each * samples ** power."""

    fixed: float
    each: float
    power: float


def fit_law(samples: Sequence[int], seconds: Sequence[float]) -> Law:
    """The law with the smallest relative errors; of the powers from 0.5 to 2 in steps of 0.01."""
    n, took = np.array(samples, dtype=np.float64), np.array(seconds)
    best = (np.inf, Law(0.0, 0.0, 1.0))
    for power in np.arange(0.5, 2.005, 0.01):
        design = np.stack([np.ones_like(n), n**power], axis=1) / took[:, None]
        solution = np.linalg.lstsq(design, np.ones_like(n), rcond=None)[0]
        error = float(((design @ solution - 1) ** 2).sum())
        if error < best[0]:
            best = (error, Law(float(solution[0]), float(solution[1]), float(power)))
    return best[1]


def by_size(families: Sequence[str], sizes: Sequence[int], rounds: int, picture: Path | None) -> Table:
    """The curve over the samples; drawn into ``picture`` where one is given."""
    best = [[cpu_seconds(partial(assess, in_memory(family, size)), rounds)[0] for family in families] for size in sizes]
    means = [statistics.mean(row) for row in best]
    law = fit_law(sizes, means)
    rows = [
        (f"{size:,}", f"{mean / means[0]:.2f}", f"{mean * 1e3:.1f}", *(f"{each * 1e3:.1f}" for each in row))
        for size, mean, row in zip(sizes, means, best, strict=True)
    ]
    if picture is not None:
        picture.write_text(drawn(sizes, means, law), encoding="utf-8")
    note = f"CPU time, best of {rounds}. Fitted to the mean: {law.fixed * 1e3:.1f} ms + {law.each * 1e9:.3g} ns x "
    note += f"samples^{law.power:.2f}; the curve: verdict_cost.svg."
    heads = ("samples", f"times {sizes[0]:,}", "mean, ms", *(f"{family}, ms" for family in families))
    return Table("A verdict by the number of samples", note, heads, rows)


def drawn(sizes: Sequence[int], seconds: Sequence[float], law: Law) -> str:
    """The curve as SVG: both axes logarithmic, the measured points on the fitted law."""
    width, height, left, bottom = 560, 300, 60, 40
    low, high = np.log10(min(sizes)), np.log10(max(sizes))
    floor, top = np.floor(np.log10(min(seconds) * 1e3)), np.ceil(np.log10(max(seconds) * 1e3))

    def place(n: float, took: float) -> tuple[float, float]:
        x = left + (np.log10(n) - low) / (high - low) * (width - left - 20)
        y = height - bottom - (np.log10(took * 1e3) - floor) / (top - floor) * (height - bottom - 20)
        return round(float(x), 1), round(float(y), 1)

    curve = (place(n, law.fixed + law.each * n**law.power) for n in np.logspace(low, high, 60))
    marks = (place(n, took) for n, took in zip(sizes, seconds, strict=True))
    decades = [(10**k, *place(10**k, 10**floor / 1e3)) for k in range(int(np.ceil(low)), int(high) + 1)]
    levels = [(10.0**k, *place(min(sizes), 10.0**k / 1e3)) for k in range(int(floor), int(top) + 1)]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"',
        ' font-family="sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="{left}" y="14">CPU time of a verdict, ms, by samples; both axes logarithmic</text>',
        *(f'<text x="{x}" y="{y + 16}" text-anchor="middle">{n:,}</text>' for n, x, y in decades),
        *(f'<path d="M{x} {y}H{width - 20}" stroke="#ddd"/>' for _, x, y in levels),
        *(f'<text x="{x - 6}" y="{y + 4}" text-anchor="end">{ms:g}</text>' for ms, x, y in levels),
        f'<polyline points="{" ".join(f"{x},{y}" for x, y in curve)}" fill="none" stroke="#c60"/>',
        *(f'<circle cx="{x}" cy="{y}" r="3" fill="#036"/>' for x, y in marks),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def kept_memory(families: Sequence[str], samples: int, verdicts: int) -> Table:
    """What the process holds after a quarter of the verdicts and after all of them."""
    traces = [in_memory(family, samples) for family in families]
    rows, before = [], 0.0
    for i in range(1, verdicts + 1):
        assess(traces[i % len(traces)])
        if i in (verdicts // 4, verdicts):
            held = psutil.Process().memory_info().rss / 1e6
            rows.append((str(i), f"{held / (before or held):.3f}", f"{held:.1f}"))
            before = held
    return Table("Memory held after many verdicts", "Resident set.", ("verdicts", "times the first", "MB"), rows)
