"""The table of explanations that competed."""

from detectors.types import Explanation
from leakwatch.tell.competition import MOST_ROWS, competition_rows, left_out


def explanations(count: int) -> tuple[Explanation, ...]:
    return tuple(Explanation(f"kind {i}", i % 2 == 0, 2.0 ** -(i + 1), 0.7 * i) for i in range(count))


def test_a_long_list_is_cut_and_says_so() -> None:
    """Whoever asks what competed sees the best dozen, and how much belief the others hold, not forty rows."""
    many = explanations(40)
    rows = competition_rows(many)
    assert [row[0] for row in rows] == [one.name for one in many[:MOST_ROWS]]
    assert left_out(many) == "and 28 more, together under 1 % of the belief"


def test_a_short_list_is_whole() -> None:
    """Nothing is said to be left out where nothing is."""
    few = explanations(MOST_ROWS)
    assert len(competition_rows(few)) == MOST_ROWS
    assert left_out(few) is None
    assert competition_rows(few)[0] == ("kind 0", "yes", "50 %", "best")
