"""The stream: cut anywhere, dirty, endless."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.oom_lines import Scanner
from detectors.oom_lines.signature import Signature
from detectors.oom_lines.signatures import SIGNATURES
from detectors.oom_lines.window import LONGEST_LINE
from detectors.types import Incident, OomEvent

CORPUS = Path(__file__).parents[3].parent / "shared" / "corpus"
KILL = (
    b"[ 1.5] Memory cgroup out of memory: Killed process 89 (leakc) total-vm:10kB, anon-rss:8kB,"
    b" file-rss:4kB, oom_score_adj:0"
)


def scan(text: bytes, *sizes: int) -> tuple[list[OomEvent], list[Incident]]:
    scanner = Scanner(boot=0.0)
    events: list[OomEvent] = []
    position, turn = 0, 0
    while position < len(text):
        size = sizes[turn % len(sizes)] if sizes else len(text)
        events += scanner.feed(text[position : position + size])
        position, turn = position + size, turn + 1
    return events + scanner.finish(), scanner.incidents()


lines = st.lists(
    st.one_of(
        st.sampled_from([signature.example.encode() for signature in SIGNATURES]),
        st.binary(max_size=60),
        st.sampled_from(
            [
                b"",
                b"      Exit Code:    137",
                b"[ 9.1] x",
                b"ordinary",
                b"> wrapped",
                b"\xff\xfe",
                b'{"log":"Killed\\n"}',
                b"\x00" * 9,
            ]
        ),
    ),
    max_size=14,
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(lines, st.lists(st.integers(1, 90), min_size=1, max_size=5))
def test_where_the_chunks_are_cut_makes_no_difference(parts: list[bytes], sizes: list[int]) -> None:
    """Files are read in big chunks, pipes in small ones: the events are the same."""
    text = b"\n".join(parts)
    assert scan(text, *sizes) == scan(text)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(lines)
def test_events_come_in_input_order_and_name_their_lines(parts: list[bytes]) -> None:
    """Line numbers rise, lie within the input, and every event belongs to an incident that lists its line."""
    text = b"\n".join(parts)
    events, incidents = scan(text)
    numbers = [event.line for event in events]
    assert numbers == sorted(numbers)
    assert all(1 <= event.line <= event.line + event.lines - 1 <= text.count(b"\n") + 1 for event in events)
    listed = {incident.number: incident.lines for incident in incidents}
    assert all(event.incident is not None and event.line in listed[event.incident] for event in events)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.sampled_from(SIGNATURES), st.binary(max_size=8), st.integers(0, 300), st.integers(0, 300))
def test_damaged_lines_never_raise(signature: object, noise: bytes, at: int, cut: int) -> None:
    """Any bytes in any place of any known line, and any cut of it: no exception, and text that can be encoded."""
    example = signature.example.encode()  # type: ignore[attr-defined]
    events, _ = scan((example[:at] + noise + example[at:])[:cut] + b"\n")
    for event in events:
        event.text.encode("utf-8")
        assert all(not isinstance(value, float) or value == value for value in event.fields.values())


def test_an_event_is_told_as_soon_as_its_line_is_whole() -> None:
    """A follower must not wait for the next kill to hear of this one."""
    scanner = Scanner()
    assert scanner.feed(KILL) == []
    assert [event.kind for event in scanner.feed(b"\n")] == ["kernel_oom_kill"]


def test_a_line_without_end_is_held_in_flat_memory() -> None:
    """Twenty megabytes without a line feed: what is kept stays a few megabytes, and an event in the middle is found."""
    scanner = Scanner()
    events = []
    for turn in range(20):
        events += scanner.feed(b"x" * (1 << 20))
        if turn == 9:
            events += scanner.feed(b" " + KILL + b" ")
        assert len(scanner._window.data) < 4 << 20
    events += scanner.finish()
    assert [event.fields["pid"] for event in events] == [89]


def test_done_input_is_forgotten() -> None:
    """Memory does not grow with the length of an ordinary log."""
    scanner = Scanner()
    for _ in range(30):
        scanner.feed(b"an ordinary line, as there are many\n" * 30_000)
        assert len(scanner._window.data) < 4 << 20
    assert scanner.feed(KILL + b"\n")[0].line == 900_001


def test_nul_and_broken_characters_become_replacement_characters() -> None:
    """What a log holds is shown, and never hurts who reads it."""
    (event,), _ = scan(b"Killed process 7 (a\xff\x00b) total-vm:1kB, anon-rss:1kB, file-rss:0kB\n")
    assert event.fields["process"] == "a��b"


@pytest.mark.parametrize("name", ["oom_cgroup_v1.txt", "oom_cgroup_v2.txt"])
def test_real_kernel_dumps_are_told_whole(name: str) -> None:
    """Each dump of a real kernel gives one incident with victim, pid, limit, control group and the process table."""
    path = CORPUS / "kernel" / name
    if not path.exists():
        pytest.skip(f"needs ../shared: {path.name}")
    _, incidents = scan(path.read_bytes(), 1000)
    told = [incident for incident in incidents if incident.limit_bytes is not None]
    assert told
    for incident in told:
        assert incident.proves_oom
        assert incident.scope == "container"
        assert incident.usage_bytes == incident.limit_bytes
        assert incident.processes[0][:2] == (incident.victim, incident.pid)
        assert incident.cgroup


@pytest.mark.parametrize("signature", SIGNATURES, ids=lambda signature: signature.kind or "context")
@pytest.mark.parametrize("between", [b" ", b"\n"], ids=["one-line", "lines"])
def test_nothing_but_events_costs_no_more_than_so_much_each(signature: Signature, between: bytes) -> None:
    """An event takes 1 ms at most, 16 KB of the worst half a second; asserted with tenfold room."""
    example = signature.example.encode().replace(b"\n", b" ") + between
    begun = time.process_time()
    scanner = Scanner()
    scanner.feed(example * ((16 << 10) // len(example)) + b"\n")
    scanner.finish()
    assert time.process_time() - begun < 5.0


def test_a_line_of_a_megabyte_that_is_all_glued_kernel_messages_is_read_in_linear_time() -> None:
    """Quadratic, it took a minute; linear, two seconds; asserted with tenfold room."""
    glued = b"[ 7093.543707] a invoked oom-killer: gfp_mask=0xcc0, order=0, oom_score_adj=0 "
    begun = time.process_time()
    scanner = Scanner()
    events = scanner.feed(glued * (LONGEST_LINE // len(glued)) + b"\n") + scanner.finish()
    assert len(events) == LONGEST_LINE // len(glued)
    assert time.process_time() - begun < 20.0


def test_one_line_that_holds_many_lines_tells_a_few_events() -> None:
    """A megabyte of escaped lines in one is no way to fill a log of events."""
    scanner = Scanner()
    events = scanner.feed(b"x " + b"\\nKilled" * 130_000 + b"\n") + scanner.finish()
    assert 0 < len(events) <= 64
