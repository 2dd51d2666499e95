"""The sentences that say why."""

import re
from dataclasses import replace

import numpy as np
import pytest

from detectors.assess import assess
from detectors.types import Answer, Assessment
from detectors.wording import duration

MIB = 2.0**20
KIB = 2.0**10
N = 1500
STEP = 60.0
SHARE = np.linspace(0.0, 1.0, N)
TIME = 1_790_000_000.0 + STEP * np.arange(N)
HOURS = (TIME[-1] - TIME[0]) / 3600.0
RATE = 50.0 + 40.0 * np.sin(2 * np.pi * 6.3 * SHARE + 0.4) ** 2
REQUESTS = np.cumsum(RATE * STEP)
BASE = 500 * MIB + MIB * np.random.default_rng(3).normal(size=N)
WARM_UP = 300 * MIB * (1 - np.exp(-SHARE / 0.1))


def judged(
    level: np.ndarray, metric: str = "anon_bytes", limit: float | None = None, **columns: np.ndarray
) -> Assessment:
    return assess(TIME, {metric: level * 1.0, **columns}, limit_bytes=limit)


def walk(seed: int) -> np.ndarray:
    """A random walk with a short leash: growth that may be none."""
    level, out = 0.0, []
    for push in np.random.default_rng(seed).normal(size=N):
        level = 0.995 * level + push
        out.append(level)
    return np.array(out)


def why(assessment: Assessment) -> str:
    return "\n".join(assessment.verdict.because)


LEAK = judged(BASE + 240 * MIB * SHARE)
LEVEL = judged(BASE)
OPEN = judged(BASE + 300 * MIB * (1 - np.exp(-SHARE / 0.6)), "working_set_bytes")
LIVES = judged(
    BASE + 200 * MIB * (SHARE * 5 % 1.0), limit=1024 * MIB, requests_total=np.floor(90_000 * (SHARE * 5 % 1.0))
)
ALL = {"leak": LEAK, "level": LEVEL, "open": OPEN, "lives": LIVES, "warm-up": judged(BASE + WARM_UP)}


@pytest.mark.parametrize("name", ALL)
def test_why_is_a_few_short_sentences_with_numbers(name: str) -> None:
    """Three to seven sentences, each of one line with a number in it, none with an exponent or a machine's digits."""
    because = ALL[name].verdict.because
    assert 3 <= len(because) <= 7
    for sentence in because:
        assert re.search(r"\d", sentence), sentence
        assert len(sentence) <= 200 and sentence == sentence.strip() and "\n" not in sentence
        assert not re.search(r"\de[+-]?\d|nan|inf\b|\d\.\d{4}", sentence), sentence


def test_a_leak_is_told_with_its_growth_and_its_floor() -> None:
    """The first two sentences of a leak: how much and how fast, with the interval; the floor rises too."""
    assert LEAK.verdict.verdict is Answer.LEAK and LEAK.verdict.trend is not None
    growth, floor, *_ = LEAK.verdict.because
    total, hourly, low, high = map(float, re.findall(r"([\d.]+) (?:MiB|to|MiB/h)", growth.replace("95 %", "")))
    assert total == pytest.approx(240, rel=0.05) and hourly == pytest.approx(240 / HOURS, rel=0.05)
    assert low < hourly < high
    assert hourly == pytest.approx(LEAK.verdict.trend.slope_per_second * 3600 / MIB, rel=0.01)
    first, last = map(float, re.findall(r"from ([\d.]+) to ([\d.]+) MiB", floor)[0])
    assert 480 < first < 560 and 680 < last < 750


def test_what_was_judged_is_said_and_why_it_matters() -> None:
    """Anonymous memory cannot be taken back; a working set holds cache, and whoever has only that is told so."""
    assert "anonymous memory, which the kernel cannot take back: 1,500 samples over 1 d 1 h" in why(LEAK)
    assert "only the working set was recorded, which still holds active page cache" in why(OPEN)
    assert "resident set" in why(judged(BASE, "rss_bytes")) and "usage" in why(judged(BASE, "usage_bytes"))


def test_the_requests_are_told_from_the_clock() -> None:
    """A leak by request says what each leaves behind; one by the clock that it does not follow them."""
    by_request = judged(BASE + 48 * KIB * REQUESTS / 10, requests_total=REQUESTS)
    assert by_request.attribution is not None and by_request.attribution.follows == "requests"
    assert re.search(
        r"follows the requests, not the clock: 4\.\d+ KiB .* for each of 6,\d{3},\d{3} requests", why(by_request)
    )
    by_clock = judged(BASE + 400 * MIB * SHARE, requests_total=np.cumsum(STEP * (10 + 80 * (SHARE % 0.5 < 0.1))))
    assert by_clock.attribution is not None and by_clock.attribution.follows == "time"
    assert "follows the clock, not the requests" in why(by_clock)


def test_the_model_that_leaks_is_named() -> None:
    """Of two models the one whose requests leave memory behind is in the sentence."""
    other = np.cumsum(RATE[::-1] * STEP)
    columns = {"requests_total:good": other, "requests_total:bad": REQUESTS}
    assert re.search(r"requests to bad leave 4\.\d+ KiB each", why(judged(BASE + 4.8 * KIB * REQUESTS, **columns)))


def test_lives_are_counted() -> None:
    """A leak that is restarted says in how many lives it grew."""
    assert LIVES.verdict.verdict is Answer.LEAK and len(LIVES.verdict.restarts) == 4
    assert "grew in 5 of 5 lives around 4 restarts" in why(LIVES)


def test_what_else_moved_is_not_counted_as_leak() -> None:
    """The load's share of the swing is named beside the leak."""
    told = why(judged(BASE + MIB * RATE + 240 * MIB * SHARE, requests_total=REQUESTS))
    assert re.search(r"not counted as leak: 3\d(\.\d)? MiB that come and go with the load", told)


def test_a_warm_up_says_when_it_ended() -> None:
    """Two sentences in one: how far it rose, and for how long it has been level."""
    level = BASE + WARM_UP
    told = ALL["warm-up"].verdict
    assert told.verdict is Answer.NO_LEAK and len(level) == N
    assert re.search(
        r"anonymous memory rose by \d+ MiB in the first \d.* and has been level for 1\d h since", told.because[0]
    )


def test_page_cache_is_told_from_memory() -> None:
    """Who sees usage grow reads that it was files."""
    told = why(judged(BASE, file_bytes=800 * MIB * SHARE))
    assert re.search(r"page cache grew by 7\d\d MiB, .*; anonymous memory did not", told)


def test_teeth_say_where_they_stand() -> None:
    """A collector's teeth: how many, and that their lowest points stay."""
    told = why(judged(BASE + 150 * MIB * (SHARE * 9 % 1.0)))
    assert re.search(
        r"rises and falls back 9 times; its lowest points lie at (4|5)\d\d MiB .* (4|5)\d\d MiB in the second", told
    )


def test_a_healthy_container_at_its_limit_is_told_so() -> None:
    """No leak, and still one burst from the end."""
    assert re.search(r"its peak of 50\d MiB takes 9\d % of the limit", why(judged(BASE, limit=512 * MIB)))
    assert "of the limit" not in why(judged(BASE, limit=4096 * MIB))


def test_what_would_have_counted_is_said() -> None:
    """No leak means none above this."""
    assert re.search(
        r"growth under [\d.]+ MiB over this trace \([\d.]+ (KiB|MiB)/h\) would not be called a leak", why(LEVEL)
    )


def test_an_open_question_says_what_would_close_it() -> None:
    """Undecided comes with the reason, and with how much longer to look and what for."""
    walks = (BASE + 20 * MIB * SHARE + 0.5 * MIB * walk(seed) for seed in range(30))
    open_one = next(one for one in map(judged, walks) if one.verdict.verdict is Answer.UNDECIDED)
    assert open_one.undecided_until_seconds is not None
    assert f"another {duration(open_one.undecided_until_seconds)} would tell" in why(open_one)
    assert re.search(r"too close to call|disagree|growth of .* was found, but", open_one.verdict.because[0])


def test_the_best_explanations_are_set_against_each_other() -> None:
    """A leak and its healthiest rival stand in one sentence, with the odds."""
    assert re.search(r"times as likely as (the best healthy explanation|any healthy one)", why(LEAK))
    assert replace(LEAK.verdict, because=()).because == ()
