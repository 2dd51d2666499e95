"""A container is restarted by its Docker engine.

Needs the engine's socket (/var/run/docker.sock or DOCKER_HOST), which is as good as root on that host.
API: https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerRestart
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from leakwatch.act.docker_claim import ContainerClaim
from leakwatch.act.holder import fresh_holder
from leakwatch.act.reachable import answers
from leakwatch.act.wording import duration
from leakwatch.errors import ActError
from leakwatch.ports import Action, Clock, Outcome, Standing
from leakwatch.quantities import shown
from playbooks.types import Action as Remedy

if TYPE_CHECKING:
    import docker

NAME = "docker"
ASK_SECONDS = 4.0
CREATE_SECONDS = 30.0  # an engine whose storage copies whole layers takes its time
_MORE_SECONDS = 30.0  # for the engine itself, beside the container's time to stop
CLAIM_SECONDS = 600.0
_NEVER = frozenset({"replicas", "disruption_budget", "rollout"})


class DockerRestarter:
    """One container by name or id.

    Args:
        url: the engine; None takes DOCKER_HOST, else the usual socket.
        server_url: the server's own address; where it has one, ready means that it takes connections. Without one there
            is nothing to drain either.
        claim_seconds: the longest that an action on it may take, from its evidence until the new life is ready.
        holder: the name in which it is claimed (`leakwatch.act.holder`); None takes one of this object alone.
    """

    name = NAME

    def __init__(
        self,
        container: str,
        clock: Clock,
        url: str | None = None,
        server_url: str | None = None,
        claim_seconds: float = CLAIM_SECONDS,
        holder: str | None = None,
    ) -> None:
        self._container, self._clock, self._url, self._server_url = container, clock, url, server_url
        self._claim_seconds, self._holder = claim_seconds, holder or fresh_holder()
        self._claims: dict[str, ContainerClaim] = {}

    def remedies(self) -> frozenset[Remedy]:
        """A restart, and nothing cheaper."""
        return frozenset({Remedy.RESTART})

    def lease(self) -> ContainerClaim:
        """The claim on the container, which all agents of this engine see; by its name, whatever it was found by."""
        described = self._described()
        name, image = described["Name"].lstrip("/"), described["Image"]
        if name not in self._claims:
            asks = partial(self._client, CREATE_SECONDS)
            self._claims[name] = ContainerClaim(asks, name, image, self._clock, self._claim_seconds, self._holder)
        return self._claims[name]

    def standing(self, now_seconds: float) -> Standing:
        """The container as the engine describes it; ready is its health check's word where it has one.

        One that does not run is an error: a new life is nothing to give it before somebody knows why it ended.
        """
        described = self._described()
        state = described["State"]
        if not state["Running"]:
            killed = ", killed for want of memory" if state.get("OOMKilled") else ""
            what = f"the container does not run ({state['Status']}, exit status {state['ExitCode']}{killed})"
            raise ActError(NAME, what, "see 'docker logs', and start it")
        started = datetime.fromisoformat(state["StartedAt"].replace("Z", "+00:00")).timestamp()
        health = (state.get("Health") or {}).get("Status", "none")
        ready = not state.get("Restarting") and health in ("none", "healthy")
        if self._server_url is not None:
            ready = ready and answers(self._server_url)
        absent = _NEVER if self._server_url is not None else _NEVER | {"drain"}
        return Standing(_life(described), max(now_seconds - started, 0.0), ready, not_applicable=absent)

    def carry_out(self, action: Action, held: Callable[[], bool]) -> Outcome:
        """The engine sends SIGTERM (or the image's stop signal), waits, kills, and starts the container again."""
        described = self._described()
        name, life = described["Name"].lstrip("/"), _life(described)
        if action.dry_run:
            return Outcome(False, f"dry run: the container {name} would be restarted", 0.0)
        began, stop = self._clock.steady(), math.floor(action.stop_seconds)  # never more than was planned
        with self._client(stop + _MORE_SECONDS) as client:
            client.restart(described["Id"], timeout=stop)  # by id: the name may have been given to another container
        took = self._clock.steady() - began
        if _life(self._described()) == life:
            raise ActError(NAME, f"the engine says it restarted {name}, and it was not", "look at 'docker events'")
        return Outcome(True, f"the container {name} was restarted in {duration(took)}", took)

    def _described(self) -> dict[str, Any]:
        with self._client(ASK_SECONDS) as client:
            described: dict[str, Any] = client.inspect_container(self._container)
            return described

    @contextmanager
    def _client(self, timeout_seconds: float) -> "Iterator[docker.APIClient]":
        """A client for one request; whatever goes wrong is an ActError."""
        import docker
        import requests

        try:
            settings = docker.utils.kwargs_from_env()
            settings |= {"base_url": self._url} if self._url else {}
            client = docker.APIClient(**settings, timeout=timeout_seconds, version="auto")
            try:
                yield client
            finally:
                client.close()
        except docker.errors.NotFound as error:
            what = f"there is no container {shown(self._container, 80)}"
            raise ActError(NAME, what, "see 'docker ps' for the names") from error
        except docker.errors.APIError as error:
            what = f"the engine refuses: {shown(str(error.explanation or error), 160)}"
            raise ActError(NAME, what, "look at 'docker events' and the engine's log") from error
        except (docker.errors.DockerException, requests.RequestException, OSError, ValueError) as error:
            what = f"no answer from the engine ({shown(str(error), 120)})"
            raise ActError(NAME, what, "check that it runs, DOCKER_HOST, and who may open its socket") from error


def _life(described: dict[str, Any]) -> str:
    """The same name that the samples bear."""
    return f"{NAME}:{described['Id'][:12]}:{described['State']['StartedAt']}"
