"""What is around a target, asked for when its cause is sought: in threads of their own, so that no beat waits."""

import logging
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from leakwatch.errors import LeakwatchError
from leakwatch.ports import Clock
from leakwatch.tell.units import visible

if TYPE_CHECKING:
    from leakwatch.surroundings import Question, State

LONGEST_SECONDS = 6.0
"""More than a server, an engine or a cluster is given for one answer; an opening waits no longer than 10 s."""

log = logging.getLogger(__name__)


class Survey:
    """One target's questions, each in a thread while it is asked; what has not answered in time is unknown.

    Args:
        name: the target's, for the log.
    """

    def __init__(self, name: str, clock: Clock) -> None:
        self._name, self._clock = name, clock
        self._lock = threading.Lock()
        self._asking: set[str] = set()
        self._answers: dict[str, tuple[State, ...]] = {}
        self._order: tuple[str, ...] = ()
        self._began = 0.0
        self._late = False
        self._said: set[str] = set()

    def begin(self, questions: "Mapping[str, Question]") -> None:
        """Ask anew; one that hangs is not asked again before it has answered."""
        self._order, self._began = tuple(questions), self._clock.steady()
        with self._lock:
            self._answers, self._late = {}, False
            fresh = [name for name in questions if name not in self._asking]
            self._asking |= set(fresh)
        for name in fresh:
            ask = threading.Thread(target=self._ask, args=(name, questions[name]), daemon=True, name=f"ask {name}")
            ask.start()

    @property
    def is_over(self) -> bool:
        """Whether all have answered, or have had their time."""
        return not self._asking or self._clock.steady() - self._began >= LONGEST_SECONDS

    @property
    def has_news(self) -> bool:
        """Whether an answer came after the last call of `states`."""
        return self._late

    def states(self) -> "tuple[State, ...]":
        """What was answered so far, in the order of the questions."""
        with self._lock:
            self._late = False
            for name in self._asking:
                self._say(f"{name}: no answer within {LONGEST_SECONDS:g} s; the cause is sought without it")
            return tuple(state for name in self._order for state in self._answers.get(name, ()))

    def _ask(self, name: str, question: "Question") -> None:
        answer: tuple[State, ...] = ()
        try:
            answer = question()
        except LeakwatchError as error:
            self._say(f"the cause is sought without its {name}: {error}")
        except Exception as error:  # of ours, and it must not end the search for the cause
            log.error("%s: unexpected %s; this is a fault of leakwatch", visible(self._name), type(error).__name__)
        with self._lock:
            self._answers[name] = answer
            self._asking.discard(name)
            self._late = bool(answer)

    def _say(self, what: str) -> None:
        """Each wording once."""
        if what not in self._said and len(self._said) < 100:
            self._said.add(what)
            log.info("%s: %s", visible(self._name), visible(what))
