"""Presses of the buttons beside an action that waits for approval, by Slack's Socket Mode.

The agent opens the connection, so that nothing of it has to be reached from outside. It needs an app-level token with
connections:write, and interactivity switched on in the app: https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import json
import logging
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from leakwatch.tell.post import TIMEOUT_SECONDS
from leakwatch.tell.secrets import Secret, SecretError
from leakwatch.tell.slack_blocks import APPROVAL_BLOCK, APPROVE, DENY
from leakwatch.tell.slack_text import mrkdwn, plain
from leakwatch.tell.units import visible

if TYPE_CHECKING:
    from slack_sdk import WebClient
    from slack_sdk.socket_mode.builtin import SocketModeClient
    from slack_sdk.socket_mode.client import BaseSocketModeClient
    from slack_sdk.socket_mode.request import SocketModeRequest

FIRST_RETRY_SECONDS, MOST_RETRY_SECONDS = 2.0, 300.0

Answer = Callable[[str, str, bool, str], str]
"""Takes the target, its incident, yes or no, and who said it; returns one sentence of what follows; never raises."""

log = logging.getLogger(__name__)


class SlackPresses:
    """Listens in threads of its own until it is closed; what fails is told once and tried again, later and later."""

    def __init__(self, app_token: Secret, bot_token: Secret, answer: Answer, api_url: str | None = None) -> None:
        self._app_token, self._bot_token, self._answer = app_token, bot_token, answer
        self._api_url = api_url or "https://slack.com/api/"
        self._closed = threading.Event()
        self._client: SocketModeClient | None = None
        self._thread = threading.Thread(target=self._work, name="slack presses", daemon=True)
        self._thread.start()

    @property
    def hears(self) -> bool:
        """Whether a press would be heard now."""
        client = self._client
        return client is not None and client.is_connected()

    def close(self) -> None:
        """End; what was pressed is answered."""
        self._closed.set()
        client = self._client
        if client is not None:
            client.close()

    def _work(self) -> None:
        wait_seconds, said = FIRST_RETRY_SECONDS, ""
        while not self._closed.is_set():
            why = self._connected()
            if why is None:
                return  # the client keeps its connection by itself from here on
            if why != said:
                log.warning("slack: nobody hears the buttons: %s; tried again until it works", visible(why))
            said = why
            self._closed.wait(wait_seconds)
            wait_seconds = min(2 * wait_seconds, MOST_RETRY_SECONDS)

    def _connected(self) -> str | None:
        """Why not; None where it is."""
        from slack_sdk import WebClient
        from slack_sdk.errors import SlackApiError
        from slack_sdk.socket_mode.builtin import SocketModeClient

        client = None
        try:
            silent = logging.Logger("slack_sdk", logging.CRITICAL + 1)  # the library's would write tokens at debug
            web = WebClient(self._bot_token.value(), self._api_url, int(TIMEOUT_SECONDS), logger=silent)
            client = SocketModeClient(self._app_token.value(), silent, web, concurrency=1)
            client.socket_mode_request_listeners.append(self._heard)
            client.connect()
        except SecretError as error:
            return str(error)
        except SlackApiError as error:
            if client is not None:
                client.close()
            return f"Slack answered {error.response.get('error')}; check the app token and its connections:write"
        except Exception as error:  # whatever urllib and sockets raise, addresses and all
            if client is not None:
                client.close()
            return f"Slack cannot be reached ({type(error).__name__})"
        self._client = client
        if self._closed.is_set():
            client.close()
        return None

    def _heard(self, client: "BaseSocketModeClient", request: "SocketModeRequest") -> None:
        from slack_sdk.socket_mode.response import SocketModeResponse

        client.send_socket_mode_response(SocketModeResponse(request.envelope_id))  # Slack waits for it 3 s
        if request.type != "interactive":
            return
        try:
            self._pressed(client.web_client, request.payload)
        except Exception as error:
            # A payload is a stranger's; the next press must be heard.
            log.error("slack: a press could not be taken (%s)", type(error).__name__)

    def _pressed(self, web: "WebClient", payload: Mapping[str, Any]) -> None:
        user = payload["user"]
        who = f"{visible(str(user.get('username') or user.get('name') or ''))[:80]} ({visible(str(user['id']))[:20]})"
        for action in payload["actions"]:
            if action["action_id"] in (APPROVE, DENY):
                asked = json.loads(action["value"])
                said = self._answer(asked["target"], asked["incident"], action["action_id"] == APPROVE, who)
                log.info("slack: %s: %s", who, visible(said))
                _told(web, payload, said)


def _told(web: "WebClient", payload: Mapping[str, Any], said: str) -> None:
    """The buttons give way to what was answered; where the message cannot be changed, it is a reply under it."""
    message, channel = payload["message"], str(payload["channel"]["id"])
    answered = {"type": "section", "text": {"type": "mrkdwn", "text": mrkdwn(said, 2900), "verbatim": True}}
    blocks = [answered if block.get("block_id") == APPROVAL_BLOCK else block for block in message.get("blocks", [])]
    try:
        web.chat_update(channel=channel, ts=str(message["ts"]), text=str(message.get("text", "")), blocks=blocks)
    except Exception:
        thread = str(message.get("thread_ts") or message["ts"])
        web.chat_postMessage(channel=channel, thread_ts=thread, text=plain(said, 2900))
