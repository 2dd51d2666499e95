"""Lines of the text format: one that is none spoils no other, and no line takes long."""

import math
import os
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakwatch.sample.exposition import PageSample, parse_series, read_page, types_of


class Everything:
    def __contains__(self, name: object) -> bool:
        return True


def test_bad_lines_do_not_spoil_the_page_around_them() -> None:
    """Half a line, a label without a value and NaN are passed over; the samples beside them are read."""
    good = ('a{b="c"} 1', ":tf:count{} 5", 'z{le="+Inf",} 3 170 # {} 1')
    bad = ('half{x="y', "bad{=} 2", "# TYPE t counter", "nan NaN", 'cut{a="b"}')
    page = "\n".join((*good[:1], *bad, *good[1:]))
    assert list(read_page(page.encode(), Everything())) == [
        PageSample("a", {"b": "c"}, 1.0),
        PageSample(":tf:count", {}, 5.0),
        PageSample("z", {"le": "+Inf"}, 3.0),
    ]


def test_labels_keep_what_was_escaped_and_braces_inside_quotes() -> None:
    """A quote, a backslash, a line feed and a brace in a label are what the server meant."""
    (sample,) = read_page(rb'm{path="a\\b\"c\nd}",x="1"} 7', {"m"})
    assert sample.labels == {"path": 'a\\b"c\nd}', "x": "1"}


@given(st.text(max_size=300))
def test_any_text_is_read_without_an_error(text: str) -> None:
    """No input ends in an exception, and no value is NaN."""
    assert all(
        not math.isnan(sample.value) for sample in read_page(text.encode("utf-8", "surrogatepass"), Everything())
    )
    parse_series(text)


def test_no_line_takes_long() -> None:
    """Each of the lines that set a pattern to backtracking is done with at once (tenfold room on 100 ms)."""
    size = 1_000_000
    for line in (
        "a" + " " * size,
        "a{" + 'b="c",' * (size // 6),
        'a{b="' + "\\" * size,
        "a" * size,
        "a{" + "x" * size,
        "a 1 " + " " * size + "x y",
        "{" * size,
    ):
        began = time.perf_counter()
        list(read_page(line.encode(), Everything()))
        assert time.perf_counter() - began < 1.0, line[:20]


@pytest.mark.parametrize("unit", [b"\xff", "\U0001f600".encode(), b"a\n", b"# TYPE ", b"m", b'm{a="b",'])
def test_garbage_never_becomes_text_as_a_whole(unit: bytes) -> None:
    """A page of garbage takes next to no memory beside its bytes, with line ends, without them, or made of one line."""
    for page in (unit * (2**20 // len(unit)), os.urandom(2**20)):
        tracemalloc.start()
        assert not list(read_page(page, {"m"})) and len(types_of(page)) <= 1000
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 2**18
