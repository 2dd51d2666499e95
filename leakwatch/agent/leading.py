"""Of several agents with the same settings one watches: the holder of a Lease. The others wait for it to fall free."""

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from leakwatch.errors import ActError
from leakwatch.ports import Clock
from leakwatch.settings import LeaderLeaseSettings
from leakwatch.tell.units import visible

if TYPE_CHECKING:
    from leakwatch.act.cluster import Cluster

LOOK_EVERY_SECONDS = 5.0
"""How soon a Lease that was given back is seen; one whose holder died is taken when its time is over."""

log = logging.getLogger(__name__)


class Leading:
    """Whether it is us; asked for in a thread of its own, so that a server that hangs delays no beat.

    Args:
        lease: None: there is no Lease, and it is always us.
        cluster: the usual one where None is given.
    """

    def __init__(
        self,
        lease: LeaderLeaseSettings | None,
        clock: Clock,
        cluster: "Cluster | None" = None,
        every_seconds: float = LOOK_EVERY_SECONDS,
    ) -> None:
        self._clock, self._every_seconds = clock, every_seconds
        self._is_ours = lease is None
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        if lease is not None:
            from leakwatch.act.cluster import Cluster
            from leakwatch.act.lease import WorkloadLease

            self._lease = WorkloadLease(cluster or Cluster(), lease.namespace, lease.name, clock)
            self._thread = threading.Thread(target=self._work, name="leakwatch leader", daemon=True)
            self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Gives the Lease back, in the thread that has it; where the server is away it grows old by itself."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join(1.0)

    @property
    def is_ours(self) -> bool:
        """Whether we are the one."""
        return self._is_ours

    def wait(self, ended: Callable[[], bool]) -> bool:
        """Waits until it is us, or ``ended``; whether it is."""
        while not self._is_ours and not ended():
            self._closed.wait(0.05)
        return self._is_ours

    def _work(self) -> None:
        said = ""
        while not self._closed.is_set():
            now = self._clock.now()
            try:
                ours, why = self._lease.held(now) or self._lease.acquire(now), ""
            except ActError as error:
                ours, why = False, f"the leader's Lease: {error}"
            if ours != self._is_ours:
                log.info("this agent %s", "leads, and watches" if ours else "no longer leads, and waits")
            elif why and why != said:
                log.warning("%s", visible(why))
            self._is_ours, said = ours, why
            self._closed.wait(self._every_seconds)
        self._lease.release()
