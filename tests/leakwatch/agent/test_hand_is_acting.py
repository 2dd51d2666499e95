from collections import deque

import pytest

from leakwatch.act.decision import Happening, What
from leakwatch.agent.hand import Hand


class Told:
    """Who acts, as far as it is asked: tells what it is given, one list a call."""

    def __init__(self) -> None:
        self.next: deque[tuple[Happening, ...]] = deque()

    def happenings(self) -> tuple[Happening, ...]:
        return self.next.popleft() if self.next else ()

    def consider(self, case: object) -> None:
        """Nobody offers a case here."""

    def begin(self, decision: object) -> bool:
        return False

    def draining(self) -> frozenset[str]:
        return frozenset()

    def close(self) -> None:
        """Nothing to close."""


@pytest.mark.parametrize(
    "end", [What.HELD, What.FAILED, What.BOUGHT_TIME, What.HELPED, What.NOT_HELPED, What.UNFINISHED]
)
def test_an_action_is_under_way_until_it_is_verified(end):
    """From its beginning, over its being carried out, to what came of it: no other pods are taken in meanwhile."""
    told = Told()
    hand = Hand(lambda: told, at_once=True)
    try:
        seen = []
        for what in (What.DECIDED, What.BEGUN, What.DONE, end):
            told.next.append((Happening(0.0, what, "said", target="serving/a"),))
            while told.next:
                hand.happenings()
            seen.append(hand.is_acting)
        assert seen == [False, True, True, False]
    finally:
        hand.close()
