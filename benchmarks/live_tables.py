"""The tables of the live benchmark."""

import math
from collections.abc import Mapping, Sequence

from benchmarks.live_peers import PeerRun
from benchmarks.live_runs import Changes, Delays, Found, Rate, delays, rate
from benchmarks.tables import Table
from detectors.types import Level

HOUR_SECONDS, DAY_SECONDS = 3_600.0, 86_400.0


def share(value: float) -> str:
    """.43, or a dash where there is none."""
    return "-" if math.isnan(value) else "never" if math.isinf(value) else f"{value:.2f}"


def _delays(of: Delays) -> list[str]:
    values = (of.median, of.p90, of.within_30, of.within_45, of.within_75, of.never, of.one_incident)
    return [str(of.count), *map(share, values)]


DELAY_HEADINGS = ("leaks", "median", "p90", "within .30", "within .45", "within .75", "never", "one incident")


def aims(healthy: Sequence[Changes], leaking: Mapping[Level, Sequence[Found]], real: Sequence[Changes] | None) -> Table:
    """What was to be reached on the hard mix and on real pods, and what was."""
    leak, suspected = delays(leaking[Level.LEAK]), delays(leaking[Level.SUSPECTED])
    rows = []

    def most(name: str, aim: float, got: float, more: str = "") -> None:
        rows.append([name, f"at most {aim:g}", share(got) + more, "yes" if got <= aim else "no"])

    def least(name: str, aim: float, got: float) -> None:
        rows.append([name, f"at least {aim:g}", share(got), "yes" if got >= aim else "no"])

    for level, aim in ((Level.LEAK, 1.0), (Level.SUSPECTED, 4.0)):
        of = rate(healthy, leaking[level], level)
        low, high = of.interval
        told = f" ({low:.2f} to {high:.2f}; {of.alarms} in {of.weeks:.0f} weeks)"
        most(f"{level}: false alarms per 50 container-weeks", aim, of.per_50_weeks, told)
        if real:
            of = rate(real, (), level)
            most(
                f"{level}: the same on real pods and machines",
                aim,
                of.per_50_weeks,
                f" ({of.alarms} in {of.weeks:.0f} weeks)",
            )
    most("leak: median way to the limit", 0.45, leak.median)
    most("leak: 90 % quantile of the way", 0.75, leak.p90)
    most("leak: never found", 0.05, leak.never)
    least("leak: one incident a leak", 0.85, leak.one_incident)
    most("suspected: median way to the limit", 0.30, suspected.median)
    note = "The way is the time since the onset over the time from onset to limit. In brackets: 95 % Poisson interval."
    return Table("Live: aims, on the hard mix", note, ("figure", "aim", "measured", "reached"), rows)


def mixes(rows: Mapping[str, tuple[Sequence[Changes], Mapping[Level, Sequence[Found]]]]) -> Table:
    """Both levels on each material."""
    cells = []
    for name, (healthy, leaking) in rows.items():
        for level in (Level.LEAK, Level.SUSPECTED):
            false = rate(healthy, leaking.get(level, ()), level)
            cells.append(
                [
                    name,
                    str(level),
                    f"{false.weeks:.0f}",
                    str(false.alarms),
                    str(false),
                    *_delays(delays(leaking.get(level, ()))),
                ]
            )
    headings = ("material", "level", "weeks", "false alarms", "per 50 weeks", *DELAY_HEADINGS)
    note = "Weeks and false alarms: healthy containers, and leaking ones before their onset. Only the hard mix decides."
    return Table("Live: every material", note, headings, cells)


KINDS = (
    ("under 2 h", 0.0, 2 * HOUR_SECONDS),
    ("2 to 12 h", 2 * HOUR_SECONDS, 12 * HOUR_SECONDS),
    ("12 to 48 h", 12 * HOUR_SECONDS, 2 * DAY_SECONDS),
    ("2 to 7 d", 2 * DAY_SECONDS, 7 * DAY_SECONDS),
    ("over 7 d", 7 * DAY_SECONDS, math.inf),
)


def by_speed(leaking: Mapping[Level, Sequence[Found]]) -> Table:
    """The hard mix by the time that the leak takes to the limit."""
    rows = []
    for name, low, high in KINDS:
        for level in (Level.LEAK, Level.SUSPECTED):
            of = [one for one in leaking[level] if low <= one.to_limit_seconds < high]
            rows.append([name, str(level), *_delays(delays(of))])
    return Table("Live: by time to the limit, hard mix", "", ("time to limit", "level", *DELAY_HEADINGS), rows)


def peers(healthy: Sequence[Mapping[str, PeerRun]], leaking: Sequence[Mapping[str, PeerRun]], weeks: float) -> Table:
    """The peers' rules on part of the same containers."""
    rows = []
    for name in healthy[0]:
        early = Rate(sum(run[name].early for run in (*healthy, *leaking)), weeks)
        ways = [run[name].way for run in leaking]
        of = delays([Found(0.0, 0, int(way is not None), way, 0.0) for way in ways])
        rows.append([name, f"{early.weeks:.0f}", str(early.alarms), str(early), *_delays(of)[:-1]])
    headings = ("rule", "weeks", "false alarms", "per 50 weeks", *DELAY_HEADINGS[:-1])
    note = "On the day before each look: hourly, and 40 times on the way; alarms within a day are one."
    return Table("Live: the peers' rules on the hard mix", note, headings, rows)


def incidents(rows: Sequence[Sequence[str]]) -> Table:
    """The replayed incident and its neighbours."""
    headings = ("replay", "runs", "suspected after", "leak after", "of the way", "action threshold at", "leak raised")
    note = (
        "Medians over the runs, the slowest in brackets. Action threshold: the low end of the time to the limit under "
        "30 min while the level is leak, as a share of the way."
    )
    return Table("Live: the incident", note, headings, rows)


def cost(runs: Sequence[Changes]) -> Table:
    """What a replay costs."""
    samples, seconds, weeks = (sum(getattr(one, name) for one in runs) for name in ("samples", "cpu_seconds", "weeks"))
    row = [f"{samples:,}", f"{1e6 * seconds / samples:.0f} us", f"{seconds / weeks:.2f} s"]
    return Table(
        "Live: cost", "CPU time of one core, shared machine.", ("samples", "a sample", "a week at 60 s"), [row]
    )
