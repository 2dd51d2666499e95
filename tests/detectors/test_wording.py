"""Numbers in sentences, as a person reads them."""

import pytest

from detectors import wording

MIB = 2.0**20


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (wording.size(0.0), "0 B"),
        (wording.size(1023.6 * MIB), "1 GiB"),
        (wording.size(12.345 * MIB), "12.3 MiB"),
        (wording.size(-3 * MIB), "-3 MiB"),
        (wording.size(5e30), "4,336,808,689,942 EiB"),
        (wording.sizes(512 * 1024.0, 2 * MIB), "0.5 to 2 MiB"),
        (wording.rate(MIB / 3600.0), "1 MiB/h"),
        (wording.rates(-MIB / 3600.0, 3 * MIB / 3600.0), "-1 to 3 MiB/h"),
        (wording.duration(0.26), "0.26 s"),
        (wording.duration(59.7), "1 min"),
        (wording.duration(90.0), "1 min 30 s"),
        (wording.duration(2400.0), "40 min"),
        (wording.duration(3599.9), "1 h"),
        (wording.duration(12_000.0), "3 h 20 min"),
        (wording.duration(5 * 86_400.0 + 3 * 3600.0), "5 d 3 h"),
        (wording.duration(-5.0), "0 s"),
        (wording.share(0.999), "over 99 %"),
        (wording.share(1e-9), "under 1 %"),
        (wording.share(1.0), "100 %"),
        (wording.odds(1.0), "as likely as"),
        (wording.odds(1.2), "hardly more likely than"),
        (wording.odds(1234.0), "1,200 times as likely as"),
        (wording.odds(float("inf")), "over 10,000 times as likely as"),
        (wording.count(1, "restart"), "1 restart"),
        (wording.count(40_320, "sample"), "40,320 samples"),
    ],
)
def test_a_number_reads_well(said: str, expected: str) -> None:
    """Three digits, units that fit, no exponent, and nothing that rounds to a lie."""
    assert said == expected


def test_a_moment_is_as_exact_as_its_trace_is_short() -> None:
    """A time of day names the day where the trace holds several, and the second where it is short."""
    noon = 1_790_000_000.0 // 86_400 * 86_400 + 43_200
    assert wording.moment(noon + 61.0, noon, noon + 600.0) == "12:01:01Z"
    assert wording.moment(noon + 61.0, noon, noon + 7200.0) == "12:01Z"
    assert wording.moment(noon, noon, noon + 86_400.0).endswith(" 12:00Z")
    assert wording.moment(40.0, 0.0, 600.0) == "40 s after 0"
    assert wording.moment(1e18, 0.0, 1e18)
