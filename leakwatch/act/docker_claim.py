"""A claim on a container that every agent of the same engine sees: a container of a fixed name that is never started.

The engine gives a name once (409 to the second), wherever its clients run, and removes by id: of two who find a claim
that has grown old, one removes it, and neither can remove what the other made since. It grows old by our own steady
clock, when we have seen it for as long as its holder may need.
https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerCreate
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from leakwatch.errors import ActError
from leakwatch.ports import Clock
from leakwatch.quantities import shown

if TYPE_CHECKING:
    import docker

NAME_PREFIX = "leakwatch-acting-on-"
HOLDER, SECONDS = "leakwatch.holder", "leakwatch.claimed-seconds"
_LOOK_EVERY_SECONDS = 5.0

Client = Callable[[], "AbstractContextManager[docker.APIClient]"]


class ContainerClaim:
    """One container's claim; kept between actions, since it has to see others' claims grow old.

    Args:
        client: a client for one request, whose errors are ActErrors (`leakwatch.act.docker`).
        claim_seconds: the longest that an action may take.
        holder: the name that it is held in; a claim in it is ours, also one of before we were killed.
    """

    def __init__(
        self, client: Client, container: str, image: str, clock: Clock, claim_seconds: float, holder: str
    ) -> None:
        self._client, self._image, self._clock = client, image, clock
        self._name, self._seconds = f"{NAME_PREFIX}{container}", claim_seconds
        self.holder = holder
        self._mine: str | None = None
        self._since = self._looked = 0.0
        self._seen: tuple[str, float] | None = None

    def acquire(self, now_seconds: float) -> bool:
        """Whether it is ours now; raises ActError where the engine does not say."""
        if self._made():
            return True
        found = self._found(self._name)
        if found is not None:
            if not self._is_old(found):
                return False
            self._remove(found["Id"])
        return self._made()

    def held(self, now_seconds: float) -> bool:
        """Whether nobody has taken it for abandoned, or removed it; asked of the engine now and then."""
        now = self._clock.steady()
        if self._mine is None or now - self._since > self._seconds:
            return False
        if now - self._looked > _LOOK_EVERY_SECONDS:
            self._looked = now
            self._mine = self._mine if self._found(self._mine) is not None else None
        return self._mine is not None

    def release(self) -> None:
        """Gives it back; where that fails it grows old by itself."""
        mine, self._mine = self._mine, None
        if mine is not None:
            try:
                self._remove(mine)
            except ActError:
                return

    def _made(self) -> bool:
        """False where the name is taken."""
        import docker

        labels = {HOLDER: self.holder, SECONDS: f"{self._seconds:.0f}"}
        with self._client() as client:
            try:
                config = client.create_container_config(self._image, ["leakwatch"], labels=labels)
                made = client.create_container_from_config(config, self._name)
            except docker.errors.APIError as error:
                if error.response is not None and error.response.status_code == 409:
                    return False
                if error.response is not None and error.response.status_code == 403:
                    what = "the container cannot be claimed: a proxy before the engine refuses POST /containers/create"
                    raise ActError("docker", what, "allow it; two agents could act on it at once otherwise") from error
                raise
        self._mine, self._since = str(made["Id"]), self._clock.steady()
        self._looked = self._since
        return True

    def _found(self, which: str) -> dict[str, Any] | None:
        import docker

        with self._client() as client:
            try:
                described: dict[str, Any] = client.inspect_container(which)
                return described
            except docker.errors.NotFound:
                return None

    def _remove(self, identity: str) -> None:
        import docker

        with self._client() as client:
            try:
                client.remove_container(identity, v=True)
            except docker.errors.NotFound:
                return

    def _is_old(self, found: dict[str, Any]) -> bool:
        """Whether we saw it for as long as its holder may need it; one that runs is none of ours."""
        labels = (found.get("Config") or {}).get("Labels") or {}
        if HOLDER not in labels or (found.get("State") or {}).get("Running"):
            what = f"the name {shown(self._name, 120)}, by which a container is claimed, belongs to something else"
            raise ActError("docker", what, "give that container another name")
        if labels[HOLDER] == self.holder:  # what we could not give back, or were killed with
            return True
        now = self._clock.steady()
        if self._seen is None or self._seen[0] != found["Id"]:
            self._seen = (found["Id"], now)
        claimed = str(labels.get(SECONDS, ""))
        return now - self._seen[1] > (float(claimed) if claimed.isdigit() else self._seconds)
