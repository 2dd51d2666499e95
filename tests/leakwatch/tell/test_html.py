"""The HTML report as text: nothing comes from outside, nothing hostile runs, no peak is lost. The browser's own test
is tests/integration/test_html_report.py."""

import base64
import hashlib
import html
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from detectors.types import (
    Answer,
    Assessment,
    Attribution,
    Explanation,
    Fit,
    Forecast,
    Interval,
    ModelShare,
    Shape,
    Trend,
    Verdict,
)
from leakwatch.tell.document import document
from leakwatch.tell.html import render
from leakwatch.tell.html.panels import drawable, panels
from leakwatch.tell.html.reduction import BRIDGE, GAP, encode_times, encode_values, reduce
from leakwatch.tell.html.sparkline import sparkline
from leakwatch.trace import DroppedRow, Target, Trace
from playbooks.types import Answered, Branch, Confidence, Diagnosis, Step

MIB = 2.0**20
HOSTILE = (
    "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)>[red]x[/red]\x1b[31m\u202e\udce9\n{{ 7*7 }}"
)


def leaking(
    source: str = "trace.csv", container: str | None = None, samples: int = 400, limit: float | None = 4096 * MIB
):
    """A trace that grows 0.01 MiB/s from its middle on, and the assessment that says so."""
    time = 1_790_000_000.0 + 15.0 * np.arange(samples)
    leak = np.maximum(0, np.arange(samples) - samples // 2) * 0.15 * MIB
    level = 500 * MIB + leak
    columns = {
        "anon_bytes": level,
        "file_bytes": np.full(samples, 80 * MIB),
        "requests_total:bert": np.arange(samples) * 150.0,
        "threads": np.full(samples, 64.0),
    }
    slope = 0.01 * MIB
    verdict = Verdict(
        Answer.LEAK,
        Shape.LINEAR,
        0.97,
        "anon_bytes",
        Trend(slope, slope * 0.95, slope * 1.05, samples),
        float(time[samples // 2]),
        (float(time[10]),),
        ("the floor rises 36 MiB/h",),
    )
    assessment = Assessment(
        verdict,
        Forecast(7200.0, 6000.0, 9000.0) if limit else None,
        Attribution(
            Interval(1024.0, 900.0, 1100.0), (ModelShare("bert", Interval(1024.0, 900.0, 1100.0), 1.0),), "requests"
        ),
        None,
        (Explanation("line", True, 0.9, 0.0), Explanation("flat", False, 0.1, 812.0)),
        Fit(time, level, level, leak),
    )
    return Trace(Target(source, container), time, columns, limit), assessment


def undecided(time, columns, metric=None, dropped_rows=0, dropped=()):
    """A trace about which nothing can be said."""
    verdict = Verdict(Answer.UNDECIDED, Shape.TOO_SHORT, 0.0, metric, None, None, (), ("too few samples",))
    return Trace(Target("short.csv"), time, columns, None, dropped_rows, dropped), Assessment(verdict)


class Page(HTMLParser):
    """What a browser would make of the page: tags with attributes, texts, and what stands in script and style."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self.words: list[str] = []
        self.data = ""
        self._inside = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._inside = tag if tag in self.raw else ""
        if dict(attrs).get("id") == "data":
            self._inside = "data"

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if self._inside == "data":
            self.data += data
        elif self._inside:
            self.raw[self._inside].append(data)
        else:
            self.words.append(data)

    @property
    def policy(self) -> str:
        """The content security policy."""
        return next(a["content"] for _, a in self.tags if a.get("http-equiv") == "Content-Security-Policy") or ""

    @property
    def text(self) -> str:
        """All words that are shown, on one line."""
        return " ".join(" ".join(self.words).split())


def decode(encoded) -> np.ndarray:
    """The other side of encode_values, as report.js reads it."""
    codes = np.frombuffer(base64.b64decode(encoded["codes"]), "<u2")
    return np.where(codes >= BRIDGE, np.nan, encoded["low"] + encoded["step"] * codes)


known_or_not = arrays.arrays(
    np.float64, st.integers(3, 400), elements=st.one_of(st.floats(-1e12, 1e12), st.just(float("nan")))
)


@settings(max_examples=60)
@given(known_or_not, st.integers(4, 60))
def test_reduction_keeps_every_extreme(values, max_points):
    """Highest and lowest known value of a column survive, on a time axis that still rises and is short enough."""
    time = np.arange(len(values)) * 15.0
    reduced_time, columns = reduce(time, {"level": values, "other": -values}, max_points)
    assert (np.diff(reduced_time) > 0).all()
    assert len(reduced_time) <= max(max_points, 0)
    known = values[np.isfinite(values)]
    for name, wanted in (("level", known), ("other", -known)):
        kept = columns[name][np.isfinite(columns[name])]
        assert len(columns[name]) == len(reduced_time)
        assert set(kept) <= set(wanted)
        if len(wanted):
            assert (kept.min(), kept.max()) == (wanted.min(), wanted.max())


def test_reduction_keeps_the_order_of_a_peak_and_a_trough():
    """A drop inside one bucket is drawn as a drop, a rise as a rise."""
    time = np.arange(20.0)
    _, columns = reduce(time, {"falls": -time, "rises": time}, 4)
    assert (np.diff(columns["falls"]) < 0).all()
    assert (np.diff(columns["rises"]) > 0).all()


def test_a_pause_breaks_the_line_and_a_missed_cell_does_not():
    """A long pause is a gap in the chart; one unknown cell is bridged."""
    time = np.concatenate([np.arange(50.0), 5000 + np.arange(50.0)])
    values = np.ones(100)
    values[7] = np.nan
    reduced_time, columns = reduce(time, {"level": values}, 2000)
    codes = np.frombuffer(base64.b64decode(encode_values(reduced_time, columns["level"])["codes"]), "<u2")
    assert codes[7] == BRIDGE
    assert np.flatnonzero(codes == GAP).tolist() == [50]
    assert 49 < reduced_time[50] < 5000


@settings(max_examples=60)
@given(known_or_not)
def test_values_and_times_survive_the_page(values):
    """What the script decodes is what was measured, to within half a step of the resolution that the page states."""
    time = 1.79e9 + np.arange(len(values)) * 0.5
    decoded, known = decode(encode_values(time, values)), np.isfinite(values)
    assert (np.isnan(decoded) == ~known).all()
    if known.any():
        allowed = np.ptp(values[known]) / 65_533 * 0.51 + np.abs(values[known]).max() * 1e-12
        assert np.abs(decoded[known] - values[known]).max() <= allowed
    encoded = encode_times(time)
    codes = np.frombuffer(base64.b64decode(encoded["codes"]), "<u4")
    assert np.abs(encoded["start"] + encoded["step"] * codes - time).max() < 1e-3


def test_counters_become_rates_and_a_reset_is_no_negative_rate():
    """requests_total is drawn per second; after a reset the counter's own value is what was served since."""
    trace, _ = undecided(np.arange(4.0) * 10, {"requests_total": np.array([0.0, 50.0, 20.0, np.nan])})
    assert np.array_equal(drawable(trace)["requests_total"], [np.nan, 5.0, 2.0, np.nan], equal_nan=True)


def test_nothing_comes_from_outside():
    """No element or style of the page names another file, and the policy would let none be loaded."""
    page = Page(render([leaking("a.csv"), leaking("b.csv")]))
    for tag, attributes in page.tags:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base", "form", "audio", "video"}
        assert "src" not in attributes
        assert (attributes.get("href") or "#").startswith("#")
    assert not re.search(r"url\(|@import|https?:", "".join(page.raw["style"]))
    assert page.policy.startswith("default-src 'none'; ")
    assert "unsafe" not in page.policy


def test_the_policy_names_each_script_and_style_by_its_hash():
    """Only our own scripts and styles run: their hashes are in the policy, and no attribute needs an exception."""
    page = Page(render([leaking()]))
    for kind, texts in page.raw.items():
        directive = next(part for part in page.policy.split("; ") if part.startswith(f"{kind}-src"))
        hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(t.encode()).digest()).decode()}'" for t in texts}
        assert set(directive.split()[1:]) == hashes
    assert not [name for _, attributes in page.tags for name in attributes if name == "style" or name.startswith("on")]


def test_hostile_names_change_no_tag():
    """Markup, quotes, escapes and template marks in every name are shown as text, and the page stays valid UTF-8."""
    trace, assessment = leaking(HOSTILE, HOSTILE)
    hostile_columns = {
        **trace.columns,
        f"requests_total:{HOSTILE}": trace.columns["requests_total:bert"],
        HOSTILE: np.ones(400),
    }
    tame_columns = {**trace.columns, "requests_total:other": trace.columns["requests_total:bert"], "zz": np.ones(400)}
    notes = (DroppedRow(3, HOSTILE),)

    def page(name, columns):
        share = ModelShare(name, Interval(1.0, 0.5, 2.0), 1.0)
        said = Verdict(Answer.LEAK, Shape.LINEAR, 1.0, "anon_bytes", None, None, (), (name,))
        judged = Assessment(
            said, None, Attribution(None, (share,), "time"), None, (Explanation(name, True, 1.0, 0.0),), assessment.fit
        )
        dropped = Trace(Target(name, name), trace.time_seconds, columns, None, 1, notes, (name,))
        return render([(dropped, judged), leaking()])

    hostile, tame = (Page(page(*case)) for case in ((HOSTILE, hostile_columns), ("other", tame_columns)))
    assert [tag for tag, _ in hostile.tags] == [tag for tag, _ in tame.tags]
    assert [set(attributes) for _, attributes in hostile.tags] == [set(attributes) for _, attributes in tame.tags]
    assert "<img src=x onerror=alert(2)>" in hostile.text
    assert "49" not in hostile.text.split("{{ 7*7 }}")[0][-10:]
    text = page(HOSTILE, hostile_columns)
    text.encode("utf-8")
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_the_page_holds_the_contract_document():
    """Whoever wants the numbers finds the JSON document of `-o json` inside the page."""
    analyses = [leaking("a</script>.csv", "c"), leaking("b.csv")]
    assert json.loads(Page(render(analyses)).data)["report"] == json.loads(json.dumps(document(analyses)))


def test_words_say_what_the_chart_shows():
    """The verdict, every number with its interval, the evidence and the explanations are text, not only picture."""
    text = Page(render([leaking()])).text
    for words in (
        "LEAK trace.csv",
        "Growth 36 MiB/h 34.2 to 37.8 MiB/h",
        "Time to limit 2 h 1 h 40 min to 2 h 30 min",
        "Per request 1 KiB 0.879 to 1.07 KiB, follows requests",
        "the floor rises 36 MiB/h",
        "flat no leak 10 % 812 nats",
        "bert 1 KiB a request 0.879 to 1.07 KiB, 100 % of the leak",
        "The shaded area is the leak's own part: 29.8 MiB at the end.",
        "The limit is 4 GiB.",
        "anon 500 500 530 530",
    ):
        assert words in text


def test_a_diagnosis_stands_with_its_own_trace():
    """Cause, steps with their commands, and the way there; sorting by urgency does not mix them up."""
    asked = Answered("Does it grow with requests?", Branch.YES, f"1 KiB a request {HOSTILE}")
    steps = (Step("Set a batch limit", "--max_batch_size=<8>"), Step("Look again"))
    diagnosis = Diagnosis("A cache <of> requests.", Confidence.LIKELY, (asked,), steps, "memory_leak")
    short = undecided(np.arange(5.0), {"anon_bytes": np.ones(5)}, "anon_bytes")
    page = Page(render([short, leaking("leaks.csv")], [None, diagnosis]))
    assert [one["diagnosis"] is None for one in json.loads(page.data)["report"]["analyses"]] == [False, True]
    for words in (
        "A cache <of> requests. likely; playbook memory leak",
        "Set a batch limit --max_batch_size=<8> Look again",
        "Does it grow with requests? yes 1 KiB a request </script>",
    ):
        assert words in page.text
    with pytest.raises(ValueError, match="zip"):
        render([short], [])


def test_the_most_urgent_trace_is_first():
    """The table opens with the leak, whatever the order of the files."""
    short = undecided(np.arange(5.0), {"anon_bytes": np.ones(5)}, "anon_bytes")
    text = Page(render([short, leaking("leaks.csv")])).text
    assert text.index("leaks.csv") < text.index("short.csv")
    assert "2 traces: 1 leaking, 1 undecided, 0 healthy" in text


@pytest.mark.parametrize(
    "analysis",
    [
        undecided(np.array([]), {"anon_bytes": np.array([])}),
        undecided(np.array([]), {}, dropped_rows=2, dropped=(DroppedRow(2, "row cut short"),)),
        undecided(np.array([5.0]), {"anon_bytes": np.array([7.0])}, "anon_bytes"),
        undecided(np.arange(30.0), {"anon_bytes": np.full(30, np.nan), "threads": np.ones(30)}, "anon_bytes"),
        undecided(
            np.arange(3.0), {"anon_bytes": np.zeros(3), "requests_total": np.array([np.nan, 1.0, np.nan])}, "anon_bytes"
        ),
        leaking(limit=None),
    ],
    ids=["no rows", "no rows, some dropped", "one row", "unknown throughout", "level at zero", "no limit"],
)
def test_poor_traces_make_a_page(analysis):
    """A trace with little or nothing in it is told as such."""
    page = Page(render([analysis]))
    assert "Why we say so" in page.text
    json.loads(page.data)


def test_no_trace_makes_a_page():
    """An empty list of analyses is a page that says so."""
    assert "No trace was given" in Page(render([])).text


def test_a_hundred_long_traces_stay_small():
    """A hundred weeks at 15 s make a page of under 5 MB that says that it is reduced; a short trace is not."""
    page = render([leaking(f"{i}.csv", samples=40_320) for i in range(100)])
    assert len(page.encode()) < 5e6
    assert "reduced from 40,320 to at most" in page
    assert "reduced from" not in render([leaking()])


def test_the_limit_and_the_marks_stand_on_the_judged_chart_alone():
    """Limit, restart and onset belong to the judged metric, in its unit."""
    judged, *others = panels(*leaking(), max_points=2000)
    assert (judged.unit, judged.limit, judged.limit_label) == ("MiB", 4096.0, "limit 4 GiB")
    assert [mark.label for mark in judged.marks] == ["restart", "onset"]
    assert not any(panel.limit or panel.marks for panel in others)


def test_the_sparkline_stays_in_its_box():
    """A path of numbers within 120 x 28, flat traces included."""
    for trace, assessment in (leaking(), undecided(np.arange(9.0), {"anon_bytes": np.ones(9)}, "anon_bytes")):
        path = sparkline(trace, assessment)
        assert re.fullmatch(r"M[\d. L]+", path)
        x, y = np.array([point.split() for point in path[1:].split("L")], dtype=float).T
        assert 0 <= x.min() <= x.max() <= 120
        assert 0 <= y.min() <= y.max() <= 28


def test_the_licence_of_the_vendored_library_is_beside_it():
    """uPlot travels with its licence and the page names it."""
    from importlib.resources import files

    licence = files("leakwatch.tell.html").joinpath("vendor/uPlot.LICENSE").read_text()
    assert "MIT License" in licence
    assert "uPlot" in html.unescape(Page(render([leaking()])).text)
