"""The benchmark of logs measures what it says."""

import subprocess

from benchmarks.logs import KILL, block, literals, ordinary_lines


def test_a_block_is_ordinary_but_for_one_kill() -> None:
    """Throughput on ordinary logs is measured on lines without an event, and the kill shows that they were read."""
    lines = block(ordinary_lines()).decode().splitlines(keepends=True)
    assert lines.count(KILL) == 1
    assert len(set(lines)) > 0.99 * len(lines)


def test_grep_gets_the_same_literals() -> None:
    """The alternation is one that grep -E understands: it finds the kill among ordinary lines, and hardly more."""
    text = block(ordinary_lines())
    found = subprocess.run(["grep", "-a", "-E", literals()], input=text, capture_output=True, check=True).stdout
    assert KILL.encode() in found
    assert found.count(b"\n") < 0.001 * text.count(b"\n")
