"""The machine's clocks: the one place that reads them for a loop; it keeps to `leakwatch.ports.Clock`."""

import time


class SystemClock:
    """Wall clock and monotonic clock."""

    def now(self) -> float:
        """Unix seconds; may be set back or forward while we run."""
        return time.time()

    def steady(self) -> float:
        """Seconds that only ever rise, and go on while the machine is suspended (CLOCK_BOOTTIME, clock_gettime(2))."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)
