"""GET requests to an API server or a kubelet, with the address, certificates and token of the official client.

Answers are read as JSON, not as the client's models: those cost 25 MiB more and refuse what a newer server adds.
"""

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from leakwatch.errors import SourceError
from leakwatch.quantities import shown
from leakwatch.sample.bounded_answers import AnswerTooLargeError, bounded_chunks

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

NAME = "kubernetes"

ANSWER_SECONDS = 4.0
"""Under the five seconds between two samples."""

ANSWER_BYTES = 32 * 1024 * 1024
"""The summary of a node with 250 pods has about 1 MiB."""


class NotAllowedError(Exception):
    """The server knows who we are and does not let us (401, 403), or has no such page (404, 405, 503)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """What an API server and, with the same token, its nodes' kubelets answer.

    Args:
        kubeconfig: a file and a context in it; None and None take the pod's service account, else the usual file.
    """

    def __init__(self, kubeconfig: str | None = None, context: str | None = None) -> None:
        self._kubeconfig, self._context = kubeconfig, context
        self._client: ApiClient | None = None

    @property
    def verifies_certificates(self) -> bool:
        """Whether a token that is sent to a kubelet can only reach a kubelet of this cluster."""
        return bool(self._connected().configuration.verify_ssl)

    def get(self, path: str, query: dict[str, str] | None = None, server: str | None = None) -> Any:
        """The answer's JSON; ``server`` is another than the API server: ``https://10.0.0.7:10250``.

        Raises:
            NotAllowedError: refused, or there is no such thing.
            SourceError: no connection, too slow, too large, or no JSON.
        """
        try:
            return json.loads(self.get_bytes(path, query, server))
        except (ValueError, RecursionError):
            raise self._failed(server, "no JSON in its answer", "check the address in the kubeconfig") from None

    def get_bytes(self, path: str, query: dict[str, str] | None = None, server: str | None = None) -> bytes:
        """The answer as it is; raises as `get`."""
        import urllib3

        client = self._connected()
        base = server or client.configuration.host.rstrip("/")
        url = f"{base}{path}?{urlencode(query)}" if query else f"{base}{path}"
        headers = {"Accept": "application/json", "User-Agent": "leakwatch"}
        headers |= {auth["key"]: auth["value"] for auth in client.configuration.auth_settings().values()}
        try:
            response = client.rest_client.pool_manager.request(
                "GET",
                url,
                headers=headers,
                preload_content=False,
                retries=False,
                timeout=ANSWER_SECONDS,
                redirect=False,
            )
            try:
                body = b"".join(bounded_chunks(response, ANSWER_SECONDS, ANSWER_BYTES))
                status = int(response.status)
            except (urllib3.exceptions.HTTPError, OSError):
                response.close()  # what is left of it must not be taken for the next answer
                raise
            response.release_conn()
            if status < 300:
                return body
            raise NotAllowedError(status, f"{status} ({shown(_message(body), 160)})")
        except (urllib3.exceptions.TimeoutError, TimeoutError):
            what, fix = f"no whole answer within {ANSWER_SECONDS:g} s", "check whether it is overloaded"
        except AnswerTooLargeError as error:
            what, fix = str(error), "check the address in the kubeconfig"
        except urllib3.exceptions.SSLError:
            what, fix = "its certificate is not to be trusted", "check the certificate authority"
        except (urllib3.exceptions.HTTPError, OSError):
            what, fix = "no connection, or it was cut off", "check address and network"
        raise self._failed(server, what, fix)

    def close(self) -> None:
        """Close the connections; the next request opens others."""
        if self._client is not None:
            self._client.rest_client.pool_manager.clear()
            self._client = None

    def _connected(self) -> "ApiClient":
        if self._client is None:
            from kubernetes import client, config

            settings = client.Configuration()
            try:
                if self._kubeconfig is None and self._context is None:
                    _load_usual(settings)
                else:
                    config.load_kube_config(self._kubeconfig, self._context, client_configuration=settings)
            except Exception as error:  # the loaders raise whatever a broken file makes them raise
                what = f"no cluster is known ({shown(str(error), 160)})"
                raise SourceError(NAME, what, "run in a pod with a service account, or set KUBECONFIG") from None
            self._client = client.ApiClient(settings)
        return self._client

    def _failed(self, server: str | None, what: str, fix: str) -> SourceError:
        base = server or str(self._connected().configuration.host)
        return SourceError(NAME, f"{base.rpartition('@')[2]}: {what}", fix)


def _load_usual(settings: Any) -> None:
    """In a pod its service account; elsewhere the user's file."""
    from kubernetes import config

    try:
        config.load_incluster_config(client_configuration=settings)
    except config.ConfigException:
        config.load_kube_config(client_configuration=settings)


def _message(body: bytes) -> str:
    """What a Status object says, else the beginning of whatever it is."""
    try:
        return str(json.loads(body)["message"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return body[:160].decode(errors="replace")
