"""Slack, by slack_sdk: an incoming webhook, or a bot that keeps one thread an incident.

A webhook returns no timestamp: it can neither thread nor update nor show a picture, so it gets one message when an
incident is opened, acted on, and resolved or escalated. A bot needs the scopes chat:write, files:write and, to look for
a message of which it is not known whether it arrived, channels:history.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from leakwatch.ports import Delivery, Notification, Stage
from leakwatch.tell import slack_blocks
from leakwatch.tell.links import Links
from leakwatch.tell.post import TIMEOUT_SECONDS, refusal, retry_after, unreachable
from leakwatch.tell.secrets import Secret, SecretError
from leakwatch.tell.webhook import STAGES

if TYPE_CHECKING:
    from slack_sdk import WebClient
    from slack_sdk.errors import SlackApiError

_BLOCKS_REFUSED = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "invalid_attachments"})
_NEVER = frozenset({"msg_too_long", "no_text", "invalid_arguments", "invalid_arg_name", "invalid_payload"})
_GONE = frozenset({"message_not_found", "thread_not_found", "cant_update_message", "edit_window_closed"})
_FIXES = {
    "invalid_auth": "check the bot token",
    "not_authed": "check the bot token",
    "token_revoked": "make a new bot token",
    "account_inactive": "make a new bot token",
    "channel_not_found": "check the channel, and invite the bot where it is private",
    "not_in_channel": "invite the bot to the channel",
    "is_archived": "name another channel",
    "missing_scope": "give the bot chat:write and files:write",
}


class SlackWebhook:
    """An incoming webhook; its address is the secret."""

    name = "slack"
    repeat_seconds = None
    stages = STAGES

    def __init__(self, url: Secret, links: Links, now: Callable[[], float]) -> None:
        self._url, self._links, self._now = url, links, now

    def notify(self, notification: Notification, thread: Mapping[str, str], *, again: bool = False) -> Delivery:
        """One self-contained message; where Slack refuses its blocks, its text alone."""
        blocks = slack_blocks.message(notification, self._links, again=again)
        delivery, said = self._send(slack_blocks.text(notification), blocks)
        if said in _BLOCKS_REFUSED:
            delivery, said = self._send(slack_blocks.text(notification), None)
        return delivery

    def _send(self, text: str, blocks: list[slack_blocks.Block] | None) -> tuple[Delivery, str]:
        from slack_sdk.webhook import WebhookClient

        try:
            client = WebhookClient(self._url.value(), int(TIMEOUT_SECONDS), logger=_silent(), retry_handlers=[])
            answer = client.send(text=text, blocks=blocks, unfurl_links=False, unfurl_media=False)
        except SecretError as error:
            return Delivery(False, True, str(error)), ""
        except Exception as error:  # slack_sdk lets through whatever urllib and http.client raise, addresses and all
            return unreachable("the Slack webhook", error), ""
        said = answer.body.strip()[:100]
        if answer.status_code == 200:
            return Delivery(True, False, "Slack took it"), said
        delivery = refusal("the Slack webhook", answer.status_code, answer.headers, self._now())
        return delivery, said


class SlackBot:
    """A bot token and a channel: a head that always tells how things stand, and a thread that tells what happened."""

    name = "slack"
    repeat_seconds = None
    stages = frozenset(Stage)

    def __init__(
        self,
        token: Secret,
        channel: str,
        links: Links,
        now: Callable[[], float],
        *,
        api_url: str | None = None,
        buttons: Callable[[], bool] = lambda: False,
    ) -> None:
        self._token, self._channel, self._links, self._now = token, channel, links, now
        self._api_url, self._buttons = api_url or "https://slack.com/api/", buttons

    def notify(self, notification: Notification, thread: Mapping[str, str], *, again: bool = False) -> Delivery:
        """Post the head, or bring it up to date and reply under it."""
        from slack_sdk import WebClient
        from slack_sdk.errors import SlackApiError

        try:
            client = WebClient(
                self._token.value(), self._api_url, int(TIMEOUT_SECONDS), logger=_silent(), retry_handlers=[]
            )
            return self._said(client, notification, thread, again=again)
        except SecretError as error:
            return Delivery(False, True, str(error))
        except SlackApiError as error:
            return _refused(error, self._now())
        except Exception as error:  # as above
            return unreachable("Slack", error)

    def _said(self, client: "WebClient", n: Notification, thread: Mapping[str, str], *, again: bool) -> Delivery:
        told = thread if "ts" in thread and "channel" in thread else None
        if again and (arrived := self._arrived(client, n, told)) is not None:
            return Delivery(True, False, "Slack had it already", thread=told or arrived)
        file_id, without = self._upload(client, n)
        if told is not None and not self._update(client, n, told, file_id or told.get("file")):
            told = None  # somebody deleted the head: a new thread begins
        form = slack_blocks.message if told is None else slack_blocks.reply
        answer = self._post(
            client,
            n,
            lambda file_id: form(n, self._links, file_id=file_id, buttons=self._buttons()),
            file_id,
            channel=self._channel if told is None else told["channel"],
            thread_ts=None if told is None else told["ts"],
            # a reply is seen by those who follow the thread; these have to be seen by all
            reply_broadcast=True if told is not None and n.stage in (Stage.OPENED, Stage.ESCALATED) else None,
        )
        kept = {"file": file_id} if file_id is not None else {}
        return Delivery(True, False, f"Slack took it{without}", thread={**(told or answer), **kept})

    def _post(
        self,
        client: "WebClient",
        n: Notification,
        blocks: Callable[[str | None], list[slack_blocks.Block]],
        file_id: str | None,
        **more: Any,
    ) -> dict[str, str]:
        """With the picture; if Slack refuses that, without it; if it refuses the blocks, as text."""
        from slack_sdk.errors import SlackApiError

        forms = [blocks(file_id), blocks(None), None] if file_id is not None else [blocks(None), None]
        for form in forms:
            try:
                answer = client.chat_postMessage(
                    text=slack_blocks.text(n),
                    blocks=form,
                    metadata={"event_type": "leakwatch_incident", "event_payload": _name(n)},
                    unfurl_links=False,
                    unfurl_media=False,
                    **more,
                )
                return {"ts": str(answer["ts"]), "channel": str(answer["channel"])}
            except SlackApiError as error:
                if form is None or error.response.get("error") not in _BLOCKS_REFUSED:
                    raise
        raise AssertionError("the last form is text alone")

    def _update(self, client: "WebClient", n: Notification, told: Mapping[str, str], file_id: str | None) -> bool:
        """Brings the head up to date; False where it is no longer there."""
        from slack_sdk.errors import SlackApiError

        said = ""
        for picture in (file_id, None) if file_id is not None else (None,):
            blocks = slack_blocks.message(n, self._links, file_id=picture)
            try:
                client.chat_update(channel=told["channel"], ts=told["ts"], text=slack_blocks.text(n), blocks=blocks)
                return True
            except SlackApiError as error:
                said = str(error.response.get("error"))
                if said not in _BLOCKS_REFUSED | _GONE:
                    raise
        return said != "message_not_found"

    def _upload(self, client: "WebClient", n: Notification) -> tuple[str | None, str]:
        """The id of the uploaded chart; where that did not work the text does without, and says why in the delivery."""
        from slack_sdk.errors import SlackApiError

        if n.chart_png is None:
            return None, ""
        try:
            answer = client.files_upload_v2(filename="memory.png", content=n.chart_png, title=n.target[:100])
            return str(answer["file"]["id"]), ""
        except SlackApiError as error:
            return None, f", without the picture ({_word(error)})"
        except Exception as error:
            return None, f", without the picture ({type(error).__name__})"

    def _arrived(self, client: "WebClient", n: Notification, told: Mapping[str, str] | None) -> dict[str, str] | None:
        """Where the message is, if it arrived when it was tried before; None where it did not, or cannot be asked.

        A channel can be asked by its id alone; by its name it takes a new message, and nothing else.
        """
        since = str(n.at_seconds - 60)
        try:
            if told is not None:
                answer = client.conversations_replies(
                    channel=told["channel"], ts=told["ts"], oldest=since, include_all_metadata=True
                )
            elif not self._channel.startswith("#"):
                answer = client.conversations_history(channel=self._channel, oldest=since, include_all_metadata=True)
            else:
                return None
            messages: list[dict[str, Any]] = answer.get("messages") or []
            for message in messages:
                if message.get("metadata", {}).get("event_payload") == _name(n):
                    return {"ts": str(message["ts"]), "channel": self._channel if told is None else told["channel"]}
        except Exception:
            return None
        return None


def _name(n: Notification) -> dict[str, str]:
    return {"key": n.key[:200], "number": str(n.number), "stage": str(n.stage)}


def _refused(error: "SlackApiError", now: float) -> Delivery:
    said = _word(error)
    fix = _FIXES.get(said, "see https://docs.slack.dev/reference/methods/chat.postMessage")
    retry = said not in _NEVER | _BLOCKS_REFUSED
    return Delivery(False, retry, f"Slack answered {said}; {fix}", retry_after(error.response.headers, now))


def _word(error: "SlackApiError") -> str:
    """Slack's own word for what is wrong, or the status of an answer that is no JSON."""
    said = str(error.response.get("error"))
    return said if said.isidentifier() and said != "None" else str(error.response.status_code)


def _silent() -> Any:
    """A logger that says nothing: slack_sdk's would write addresses and headers, and with them the secret, at debug."""
    import logging

    return logging.Logger("slack_sdk", logging.CRITICAL + 1)
