"""Whether the clock on the wall was set, told by the one that only ever rises."""

from leakwatch.ports import Clock

LEAST_STEP_SECONDS = 2.0
"""Less is a clock that is being slewed, or a loop that was held up between two readings."""


class ClockSteps:
    """Asked once a cycle; a suspended machine is no step, its steady clock goes on (`leakwatch.clock.SystemClock`)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset_seconds = clock.now() - clock.steady()

    def step_seconds(self) -> float:
        """By how much it was set since the last call, negative for back; 0.0 where it was not."""
        offset = self._clock.now() - self._clock.steady()
        step, self._offset_seconds = offset - self._offset_seconds, offset
        return step if abs(step) >= LEAST_STEP_SECONDS else 0.0
