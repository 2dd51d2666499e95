"""Requests that change things in a cluster, with the address, certificates and token of the official client.

Answers are JSON, not the client's models, which refuse what a newer server adds. Nothing is tried again behind our
back: whether a refused change is worth another try is decided where the change is made.
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from leakwatch.errors import ActError
from leakwatch.quantities import shown

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

NAME = "kubernetes"
ANSWER_SECONDS = 5.0
_ANSWER_BYTES = 32 * 2**20
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}
_UNCLEAR = (429, 500, 502, 503, 504)

Object = dict[str, Any]


class ForbiddenError(ActError):
    """The server refuses (401, 403), and has changed nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and JSON of an answer; ``retry_after_seconds`` where the server asked to wait."""

    status: int
    body: Object
    retry_after_seconds: float | None

    @property
    def message(self) -> str:
        """What the server says, with its causes, in one line."""
        causes = (self.body.get("details") or {}).get("causes") or []
        said = [str(self.body.get("message", "")), *(str(cause.get("message", "")) for cause in causes)]
        return shown("; ".join(filter(None, said)), 300)


@dataclass(frozen=True, slots=True)
class Path:
    """An object, or all of a kind in a namespace (``name`` None)."""

    group: str
    plural: str
    namespace: str
    name: str | None = None
    subresource: str | None = None

    @property
    def url(self) -> str:
        """Below the server's address."""
        root = f"/apis/{self.group}/v1" if self.group else "/api/v1"
        parts = ("namespaces", self.namespace, self.plural, self.name, self.subresource)
        return "/".join([root, *(quote(part, safe="") for part in parts if part is not None)])

    def rule(self, verb: str) -> str:
        """The rule of a Role that allows the verb."""
        resource = f"{self.plural}/{self.subresource}" if self.subresource else self.plural
        return f'{{apiGroups: ["{self.group}"], resources: ["{resource}"], verbs: ["{verb}"]}}'


class Cluster:
    """One API server.

    Args:
        kubeconfig: a file; None takes the pod's service account, else the usual file.
    """

    def __init__(self, kubeconfig: str | None = None, context: str | None = None) -> None:
        self._kubeconfig, self._context = kubeconfig, context
        self._client: ApiClient | None = None

    def get(self, path: Path, query: dict[str, str] | None = None) -> Object | None:
        """The object or list; None where there is none (404).

        Raises:
            ActError: refused, overloaded, or no answer.
        """
        answer = self.send("GET", path, query=query)
        if answer.status == 404:
            return None
        return self.accepted(answer, path).body

    def send(
        self,
        method: str,
        path: Path,
        body: Object | None = None,
        content_type: str = "application/json",
        query: dict[str, str] | None = None,
    ) -> Answer:
        """One request, sent once.

        Raises:
            ActError: no answer: nobody knows whether it was carried out.
            ForbiddenError: with the rule that is missing.
        """
        import urllib3

        client = self._connected()
        host = client.configuration.host.rstrip("/")
        headers = {"Accept": "application/json", "Content-Type": content_type, "User-Agent": "leakwatch"}
        headers |= {auth["key"]: auth["value"] for auth in client.configuration.auth_settings().values()}
        url = f"{host}{path.url}" + (f"?{urlencode(query)}" if query else "")
        content = None if body is None else json.dumps(body).encode()
        try:
            response = client.rest_client.pool_manager.request(
                method, url, body=content, headers=headers, timeout=ANSWER_SECONDS, retries=False, preload_content=False
            )
            try:
                text = response.read(_ANSWER_BYTES)
            finally:
                response.release_conn()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            what = f"no answer from {host.rpartition('@')[2]} ({type(error).__name__})"
            raise ActError(NAME, what, "check the address, the network and the server") from None
        try:
            parsed = json.loads(text)
        except ValueError:
            parsed = {"message": text[:160].decode(errors="replace")}
        wait = str(response.headers.get("Retry-After", ""))
        answer = Answer(int(response.status), parsed, float(wait) if wait.isdigit() else None)
        if answer.status in (401, 403):
            verb = _VERBS.get(method) or ("get" if path.name else "list")
            raise ForbiddenError(NAME, f"{answer.status}: {answer.message}", f"add to the role: {path.rule(verb)}")
        return answer

    def accepted(self, answer: Answer, path: Path) -> Answer:
        """The answer where it is a yes; raises ActError with what the server said."""
        if answer.status >= 300:
            fix = "try again later" if answer.status in _UNCLEAR else "see what the server says"
            raise ActError(NAME, f"{path.url}: {answer.status} {answer.message}", fix)
        return answer

    def _connected(self) -> "ApiClient":
        if self._client is None:
            from kubernetes import client, config

            settings = client.Configuration()
            try:
                if self._kubeconfig is None and self._context is None:
                    try:
                        config.load_incluster_config(client_configuration=settings)
                    except config.ConfigException:
                        config.load_kube_config(client_configuration=settings)
                else:
                    config.load_kube_config(self._kubeconfig, self._context, client_configuration=settings)
            except Exception as error:  # the loaders raise whatever a broken file makes them raise
                what = f"no cluster is known ({shown(str(error), 160)})"
                raise ActError(NAME, what, "run in a pod with a service account, or set KUBECONFIG") from None
            self._client = client.ApiClient(settings)
        return self._client
