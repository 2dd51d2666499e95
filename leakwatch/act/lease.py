"""A Lease of coordination.k8s.io/v1 for each workload: two agents never act on one at once.

Clocks of machines differ, so a lease of another is over when *our* clock saw it unchanged for as long as it says, as
client-go's leader election does. Each write names the version that it rests on: of two that write, one gets 409.
"""

from datetime import UTC, datetime

from leakwatch.act.cluster import Cluster, Object, Path
from leakwatch.act.holder import fresh_holder
from leakwatch.errors import ActError
from leakwatch.ports import Clock

DURATION_SECONDS = 120.0
_RENEW_EVERY_SECONDS = DURATION_SECONDS / 3


class WorkloadLease:
    """The claim on one workload; it is kept between actions, since it has to see others' leases grow old.

    ``holder`` is as in `leakwatch.act.holder`; None takes a name of this object alone.
    """

    def __init__(
        self, cluster: Cluster, namespace: str, workload: str, clock: Clock, holder: str | None = None
    ) -> None:
        self._cluster, self._clock = cluster, clock
        self._path = Path("coordination.k8s.io", "leases", namespace, f"leakwatch-{workload}"[:253])
        self.holder = holder or fresh_holder()
        self._mine: Object | None = None
        self._renewed = 0.0
        self._seen: tuple[str, float] | None = None

    def acquire(self, now_seconds: float) -> bool:
        """Whether it is ours now; False where another holds it, or was faster.

        Raises:
            ActError: the server does not say.
        """
        found = self._cluster.get(self._path)
        if found is None:
            fresh = {"metadata": {"name": self._path.name}, "spec": self._spec(now_seconds, None)}
            return self._written("POST", fresh)
        spec = found.get("spec") or {}
        if spec.get("holderIdentity") not in (None, "", self.holder) and not self._is_old(found, spec):
            return False
        return self._written("PUT", {**found, "spec": self._spec(now_seconds, spec)})

    def held(self, now_seconds: float) -> bool:
        """Renews it now and then; while the server is away it is ours until its time is over."""
        if self._mine is None:
            return False
        since = self._clock.steady() - self._renewed
        if since < _RENEW_EVERY_SECONDS:
            return True
        try:
            if self._written("PUT", {**self._mine, "spec": self._spec(now_seconds, self._mine["spec"])}):
                return True
        except ActError:
            return since < DURATION_SECONDS
        self._mine = None
        return False

    def release(self) -> None:
        """Gives it back; where that fails it grows old by itself."""
        mine, self._mine = self._mine, None
        if mine is None:
            return
        try:
            self._cluster.send("PUT", self._path, {**mine, "spec": {**mine["spec"], "holderIdentity": ""}})
        except ActError:
            return

    def _is_old(self, found: Object, spec: Object) -> bool:
        """Whether we saw it unchanged for as long as its holder claimed it."""
        version, now = str(found["metadata"]["resourceVersion"]), self._clock.steady()
        if self._seen is None or self._seen[0] != version:
            self._seen = (version, now)
        return now - self._seen[1] > float(spec.get("leaseDurationSeconds") or DURATION_SECONDS)

    def _written(self, method: str, lease: Object) -> bool:
        """False where somebody else wrote first (409)."""
        path = self._path
        where = path if method == "PUT" else Path(path.group, path.plural, path.namespace)
        answer = self._cluster.send(method, where, lease)
        if answer.status == 409:
            return False
        self._mine, self._renewed = self._cluster.accepted(answer, path).body, self._clock.steady()
        return True

    def _spec(self, now_seconds: float, before: Object | None) -> Object:
        now = datetime.fromtimestamp(now_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        old = before or {}
        ours = old.get("holderIdentity") == self.holder
        return {
            "holderIdentity": self.holder,
            "leaseDurationSeconds": int(DURATION_SECONDS),
            "acquireTime": old.get("acquireTime", now) if ours else now,
            "renewTime": now,
            "leaseTransitions": int(old.get("leaseTransitions") or 0) + (0 if ours or before is None else 1),
        }
