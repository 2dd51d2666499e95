"""A container as its Docker engine accounts it.

Needs: the engine's socket (/var/run/docker.sock or DOCKER_HOST), which is as good as root on that host: prefer
`cgroup:` where the files can be seen. Cannot see: memory pressure, a cgroup's own count of kills, and events older than
the first look. Each look asks for one reading (``one-shot``, renewed once a second): without it the engine waits two
seconds for a second one, and a stream would send one a second, whoever wants it. API: https://docs.docker.com/reference/api/engine/version/v1.41/
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from leakwatch.errors import SourceError
from leakwatch.quantities import shown
from leakwatch.sample.bounded_answers import bound_session
from leakwatch.sample.cgroups.version1 import UNLIMITED_FROM
from leakwatch.trace import Sample

if TYPE_CHECKING:
    import docker

NAME = "docker"

ENGINE_SECONDS = 4.0
"""Under the five seconds between two samples."""

ANSWER_BYTES = 8 * 1024 * 1024
"""The description of a container has some 10 kB."""

ONE_SHOT_SINCE = (1, 41)
"""Engine 20.10; an older one makes us wait for its second reading."""

_ANY_VERSION = "1.41"
"""Only for the question which one the engine speaks, which has no version in its address."""

_WANTED_EVENTS = ("oom", "die", "start", "restart")

_TROUBLES = (
    (("Permission",), "the engine's socket may not be opened", "join the group docker, or run as root"),
    (("FileNotFound", "ConnectionRefused", "NameRes"), "no engine answers", "start it, or set DOCKER_HOST"),
    (
        ("timed out", "no whole answer"),
        "the engine gives no whole answer in time",
        "check whether it hangs (docker ps)",
    ),
    (("IncompleteRead",), "the engine's answer was cut off", "check whether it is being restarted"),
    (("Expecting value",), "no JSON in the engine's answer", "check what DOCKER_HOST names"),
    (("sends more than",), "the engine's answer is far too large", "check what DOCKER_HOST names"),
)
"""Words by which a failure is known, what is said, and the remedy: the libraries below us wrap each cause in others."""


class DockerSource:
    """One container by name or id; when it is started or made anew that is another life.

    Args:
        container: name or id.
        url: the engine; None takes DOCKER_HOST, else the usual socket.
    """

    name = NAME
    blind_to = (
        "memory pressure, and limits above the container's: name its cgroup instead (cgroup: CONTAINER_ID)",
        "kills for want of memory before the first look: the engine keeps few events",
    )

    def __init__(self, container: str, url: str | None = None) -> None:
        self._container, self._url = container, url
        self._client: docker.APIClient | None = None
        self._events_since: float | None = None
        self._seen: set[tuple[int, str]] = set()
        self._kills = self._told_kills = 0
        self._pid: int | None = None

    @property
    def pid(self) -> int | None:
        """Its first process, where the engine is on this host; None before the first look, and of another host."""
        return self._pid

    def read(self, now_seconds: float) -> Sample:
        """One reading, and the events since the last.

        Raises:
            SourceError: no engine or no right; no such container, or it does not run (``gone``).
        """
        import docker
        import requests

        try:
            client = self._client = self._client or connect(self._url)
            described = client.inspect_container(self._container)
            self._count_events(client, described["Id"], now_seconds)
            life = f"{NAME}:{described['Id'][:12]}:{described['State']['StartedAt']}"
            if not described["State"]["Running"]:
                if self._kills > self._told_kills:  # its end is told once, then that it is not there
                    return self._sample(now_seconds, {}, described, life)
                raise self._not_running(described["State"])
            self._pid = pid_if_here(described)
            one_shot = tuple(map(int, client.api_version.split("."))) >= ONE_SHOT_SINCE
            stats = client.stats(described["Id"], stream=False, one_shot=True if one_shot else None)
            values = values_of(stats, described["HostConfig"])
            if "usage_bytes" not in values:
                raise SourceError(NAME, f"{self._shown} has no memory just now", "it ends or begins", gone=True)
            return self._sample(now_seconds, values, described, life)
        except docker.errors.NotFound:
            raise SourceError(NAME, f"there is no {self._shown}", "start it, or check the name", gone=True) from None
        except (docker.errors.DockerException, requests.RequestException, OSError) as error:
            self.close()
            raise failure_of(error) from None
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            self.close()
            what = f"the answer about {self._shown} is none of an engine's ({type(error).__name__})"
            raise SourceError(NAME, what, "check what DOCKER_HOST names") from None

    def close(self) -> None:
        """Close the connections; the next read opens others."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _sample(
        self, now_seconds: float, values: Mapping[str, float], described: Mapping[str, Any], life: str
    ) -> Sample:
        self._told_kills = self._kills
        counted = {"oom_kills_total": self._kills, "restarts_total": described.get("RestartCount", 0)}
        return Sample(now_seconds, {**values, **counted}, life)

    @property
    def _shown(self) -> str:
        return f"container {shown(self._container, 100)}"

    def _count_events(self, client: "docker.APIClient", container_id: str, now_seconds: float) -> None:
        """What has happened to it since the last event that was seen; a query with an end does not wait for more."""
        since = now_seconds if self._events_since is None else self._events_since
        filters = json.dumps({"container": [container_id], "event": list(_WANTED_EVENTS)})
        answer = client.get(
            f"{client.base_url}/v{client.api_version}/events",
            params={"since": f"{since:.9f}", "until": f"{now_seconds:.9f}", "filters": filters},
            timeout=ENGINE_SECONDS,
        )
        answer.raise_for_status()
        events = [json.loads(line) for line in answer.text.splitlines()]
        fresh = {(int(event["timeNano"]), str(event["Action"])) for event in events} - self._seen
        self._kills += sum(action == "oom" for _, action in fresh)
        latest = max((nanoseconds / 1e9 for nanoseconds, _ in fresh), default=since)
        self._events_since = latest
        # Asked again from the last one on, the engine repeats those of that moment.
        self._seen = {
            (nanoseconds, action) for nanoseconds, action in self._seen | fresh if nanoseconds / 1e9 >= latest
        }

    def _not_running(self, state: Mapping[str, Any]) -> SourceError:
        killed = ", killed for want of memory" if state.get("OOMKilled") else ""
        what = f"{self._shown} does not run ({state.get('Status')}, exit status {state.get('ExitCode')}{killed})"
        return SourceError(NAME, what, "start it; it is looked for again", gone=True)


def pid_if_here(described: Mapping[str, Any]) -> int | None:
    """The container's first process by its number here; None where it does not run, or runs on another host."""
    pid = int(described["State"].get("Pid") or 0)
    try:
        with open(f"/proc/{pid}/cgroup", encoding="utf-8", errors="replace") as file:
            return pid if described["Id"] in file.read(65536) else None
    except OSError:
        return None


def connect(url: str | None = None) -> "docker.APIClient":
    """A client whose answers are bounded in time and size; None takes DOCKER_HOST, else the usual socket.

    Raises:
        docker.errors.DockerException, requests.RequestException, OSError: no engine, or no right.
    """
    import docker
    from docker.utils import kwargs_from_env

    options = kwargs_from_env() if url is None else {"base_url": url}
    # The library's own version="auto" asks before its answers could be bounded.
    asking = docker.APIClient(version=_ANY_VERSION, timeout=ENGINE_SECONDS, **options)
    try:
        bound_session(asking, ENGINE_SECONDS, ANSWER_BYTES)
        version = str(asking.version(api_version=False)["ApiVersion"])
    finally:
        asking.close()
    client = docker.APIClient(version=version, timeout=ENGINE_SECONDS, **options)
    bound_session(client, ENGINE_SECONDS, ANSWER_BYTES)
    return client


def failure_of(error: Exception) -> SourceError:
    """A failure of the library, or of those below it, as one line with its remedy."""
    text = f"{error} {error.__cause__ or ''} {error.__context__ or ''}"
    for words, what, fix in _TROUBLES:
        if any(word in text for word in words):
            return SourceError(NAME, what, fix)
    return SourceError(NAME, f"the engine failed ({shown(str(error), 200)})", "check its log")


def values_of(stats: Mapping[str, Any], host_config: Mapping[str, Any]) -> dict[str, float]:
    """Columns of a sample from an answer of ``/containers/ID/stats`` and the container's HostConfig.

    The engine gives the keys of memory.stat as they are: those of cgroup v2, or of v1 with ``total_`` before them. Its
    ``limit`` is the host's memory where there is none, so the limit is taken from the container's settings. Without
    usage (a container that has just ended) there is no memory column.
    """
    memory = stats.get("memory_stats") or {}
    stat = memory.get("stats") or {}
    values: dict[str, float] = {}
    if "usage" in memory:
        version_1 = "total_rss" in stat
        usage = memory["usage"]
        values["usage_bytes"] = usage
        values["working_set_bytes"] = max(
            0, usage - stat.get("total_inactive_file" if version_1 else "inactive_file", 0)
        )
        keys = ("total_rss", "total_cache", "total_shmem") if version_1 else ("anon", "file", "shmem")
        for column, key in zip(("anon_bytes", "file_bytes", "shmem_bytes"), keys, strict=True):
            if key in stat:
                values[column] = stat[key]
        if "kernel" in stat:
            values["kernel_bytes"] = stat["kernel"]
        limits = (host_config.get("Memory") or 0, stat.get("hierarchical_memory_limit", 0))
        values["limit_bytes"] = min((limit for limit in limits if 0 < limit < UNLIMITED_FROM), default=0)
        for column, key in (("peak_bytes", "max_usage"), ("limit_hits_total", "failcnt")):
            if key in memory:
                values[column] = memory[key]
    processor = stats.get("cpu_stats") or {}
    if used := (processor.get("cpu_usage") or {}).get("total_usage"):
        values["cpu_seconds_total"] = used / 1e9
        values["cpu_throttled_seconds_total"] = (processor.get("throttling_data") or {}).get("throttled_time", 0) / 1e9
    if threads := (stats.get("pids_stats") or {}).get("current"):
        values["threads"] = threads
    return {column: float(value) for column, value in values.items()}
