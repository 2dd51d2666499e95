"""Which explanations competed, as rows for a table: the best dozen, and how many more there were."""

from collections.abc import Sequence

from detectors.types import Explanation
from leakwatch.tell import units

HEAD = ("Explanation", "Leaks", "Belief", "Lost by (nats)")
MOST_ROWS = 12


def competition_rows(explanations: Sequence[Explanation]) -> list[tuple[str, str, str, str]]:
    """Name, whether it leaks, share of belief, distance to the best; of the best dozen."""
    return [
        (
            units.visible(one.name),
            "yes" if one.leak else "no",
            units.share(one.weight),
            "best" if one.lost_by == 0 else units.number(one.lost_by),
        )
        for one in explanations[:MOST_ROWS]
    ]


def left_out(explanations: Sequence[Explanation]) -> str | None:
    """and 7 more, together under 1 % of the belief; None where all are shown."""
    rest = explanations[MOST_ROWS:]
    if not rest:
        return None
    return f"and {len(rest)} more, together {units.share(sum(one.weight for one in rest))} of the belief"
