"""The tables of the quality benchmark."""

import math
from collections.abc import Mapping, Sequence

from benchmarks.judged import Judged
from benchmarks.peers import RANK_TEST_POINTS, RULES
from benchmarks.real_traces import LEAK_SHARES_PER_DAY
from benchmarks.scores import Claims, Hits, Score, hits, peer_hits, score, wilson
from benchmarks.tables import Table

# Shown beside each family: one of each kind of rule, the strongest first.
FAMILY_PEERS = {
    "MK": "Mann-Kendall and Sen",
    "HR": "Hamed-Rao and Sen",
    "OLS": "OLS with R2 > 0.8",
    "Coroot's shape": "Coroot's shape, any size",
    "predict": "predict_linear, 24 h to 96 h ahead",
}

POD_AIMS = {0.20: 0.97, 0.10: 0.90, 0.05: 0.65}  # share of the limit a day: recall


def number(value: float, digits: int = 3) -> str:
    """A figure, or a dash where there is none."""
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def _claims(claims: Claims, width: bool = False) -> list[str]:
    cells = [str(claims.count), number(claims.median_error), number(claims.covered, 2)]
    return [*cells, number(claims.median_width, 2)] if width else cells


def _hits(alarms: Hits) -> list[str]:
    return [number(alarms.precision), number(alarms.recall), number(alarms.f1)]


CLAIM_HEADINGS = (
    *("slopes", "error", "cover", "width"),
    *("times to limit", "error", "cover"),
    *("bytes per request", "error", "cover"),
)


def _estimates(of: Score) -> list[str]:
    return [*_claims(of.slope, width=True), *_claims(of.seconds_to_limit), *_claims(of.bytes_per_request)]


def summary(title: str, slices: Mapping[str, Sequence[Judged]]) -> Table:
    """Leakwatch on several sets of traces."""
    rows = []
    for name, judged in slices.items():
        of = score(judged)
        drivers = (number(of.driver_right), number(of.driver_wrong))
        rows.append([name, str(of.count), *_hits(of.hits), number(of.undecided), *_estimates(of), *drivers])
    headings = ("traces", "count", "precision", "recall", "F1", "undecided", *CLAIM_HEADINGS, "driver right", "wrong")
    note = (
        "Undecided is no alarm. Error: median, relative. Cover: share of 95 % intervals that hold the truth; a missing "
        "one does not. Width: median (high - low) / estimate. All of leaks that were found and whose truth is one "
        "number. Driver: found leaks with a request column, put down to requests or to time; the rest were unclear."
    )
    return Table(title, note, headings, rows)


def peers(title: str, judged: Sequence[Judged]) -> Table:
    """Leakwatch and the peers' rules side by side."""
    rows = [["leakwatch", *_row(hits(judged, lambda one: one.found))]]
    rows += sorted(([rule, *_row(peer_hits(judged, rule))] for rule in RULES), key=lambda row: row[3], reverse=True)
    note = (
        f"Rank tests on medians of at most {RANK_TEST_POINTS} points, as their users run them. "
        "In brackets: 95 % interval of the share (Wilson), from the number of traces alone."
    )
    return Table(title, note, ("rule", "precision", "recall", "F1", "false alarms per healthy trace"), rows)


def _row(alarms: Hits) -> list[str]:
    def bounded(share: float, count: int) -> str:
        low, high = wilson(share, count)
        return f"{number(share)} ({number(low)} to {number(high)})" if count else "-"

    return [
        bounded(alarms.precision, alarms.true_alarms + alarms.false_alarms),
        bounded(alarms.recall, alarms.true_alarms + alarms.missed),
        number(alarms.f1),
        number(alarms.false_alarm_rate),
    ]


def families(author: str, judged: Mapping[str, Sequence[Judged]]) -> list[Table]:
    """Each family by itself: false alarms where it is healthy; finds and estimates where it leaks."""
    healthy, leaking = [], []
    for family, ones in sorted(judged.items()):
        of = score(ones)
        theirs = [peer_hits(ones, rule) for rule in FAMILY_PEERS.values()]
        if ones[0].leak:
            cells = [family, str(of.count), number(of.hits.recall, 2), number(of.undecided, 2), *_estimates(of)]
            leaking.append([*cells, *(number(alarms.recall, 2) for alarms in theirs)])
        else:
            cells = [family, str(of.count), number(of.hits.false_alarm_rate, 2), number(of.undecided, 2)]
            healthy.append([*cells, *(number(alarms.false_alarm_rate, 2) for alarms in theirs)])
    alarmed = ("family", "count", "false alarms", "undecided", *FAMILY_PEERS)
    found = ("family", "count", "found", "undecided", *CLAIM_HEADINGS, *FAMILY_PEERS)
    note = "The last columns are the peers'."
    return [
        Table(f"Healthy families: {author}", note, alarmed, healthy),
        Table(f"Leaking families: {author}", note, found, leaking),
    ]


def pods(title: str, judged: Mapping[tuple[float, bool], Sequence[Judged]]) -> Table:
    """Pods as they are (a share of 0) and with leaks added."""
    rows = []
    for (share, from_start), ones in sorted(judged.items(), key=lambda item: (not item[0][1], item[0][0])):
        of = score(ones)
        name = "as they are" if share == 0 else f"{share:.0%} of the limit per day"
        begin = "" if share == 0 else ("the first sample" if from_start else "the first half")
        caught = of.hits.recall if share else of.hits.false_alarm_rate
        theirs = [peer_hits(ones, rule) for rule in FAMILY_PEERS.values()]
        cells = [name, begin, str(of.count), number(caught), number(of.undecided), *_claims(of.slope, width=True)]
        rows.append([*cells, *(number(h.recall if share else h.false_alarm_rate) for h in theirs)])
    headings = ("leak", "begins in", "pods", "alarms", "undecided", *CLAIM_HEADINGS[:4], *FAMILY_PEERS)
    note = "Alarms: wrong ones in the first row, right ones below; the last columns are the peers' alarms."
    return Table(title, note, headings, rows)


def _aim(name: str, wanted: str, reached: bool, measured: str) -> list[str]:
    return [name, wanted, measured, "yes" if reached else "no"]


def aims(simulated: Sequence[Judged], injected: Mapping[tuple[float, bool], Sequence[Judged]]) -> Table:
    """What was to be reached, and what was."""
    of = score(simulated)
    least = [
        ("precision", 0.98, of.hits.precision),
        ("recall", 0.97, of.hits.recall),
    ]
    most = [
        ("undecided", 0.05, of.undecided),
        ("slope: median error", 0.03, of.slope.median_error),
        ("slope: median width of the interval", 0.25, of.slope.median_width),
        ("bytes per request: median error", 0.05, of.bytes_per_request.median_error),
    ]
    within = [
        ("slope: interval covers", of.slope.covered),
        ("time to the limit: interval covers", of.seconds_to_limit.covered),
    ]
    if injected:
        most.append(("healthy pods: false alarms", 0.02, score(injected[0.0, True]).hits.false_alarm_rate))
        found = {share: score(injected[share, True]).hits.recall for share in LEAK_SHARES_PER_DAY}
        least += [(f"pods with {share:.0%} a day: found", aim, found[share]) for share, aim in POD_AIMS.items()]
        together = score([one for share in POD_AIMS for one in injected[share, True]]).hits.recall
        least.append((f"pods with {', '.join(f'{share:.0%}' for share in POD_AIMS)} a day, together", 0.88, together))
    rows = [_aim(name, f"at least {aim:g}", got >= aim, number(got)) for name, aim, got in least]
    rows += [_aim(name, f"at most {aim:g}", got <= aim, number(got)) for name, aim, got in most]
    rows += [_aim(name, "0.90 to 0.98", 0.90 <= got <= 0.98, number(got)) for name, got in within]
    note = "On all simulated traces of this run, and on pods with leaks from their first sample."
    return Table("Aims", note, ("figure", "aim", "measured", "reached"), rows)


def mistakes(judged: Sequence[tuple[str, Judged]]) -> Table:
    """Every single wrong answer, to be looked at."""
    rows = [
        [f"{one.material}: {name}", "leak" if one.leak else "healthy", one.verdict.value]
        for name, one in judged
        if one.found != one.leak
    ]
    return Table("Wrong answers", "", ("trace", "truth", "verdict"), rows)
