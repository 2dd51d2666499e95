"""The channels that the settings ask for: the one place that joins settings, secrets and notifiers.

A channel is imported when it is asked for: an agent has no memory to spare for those that nobody hears.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from leakwatch.errors import SettingsError
from leakwatch.ports import Notifier
from leakwatch.settings import KubernetesPlace, SlackSettings, TargetSettings, TellSettings
from leakwatch.tell.lines import Lines
from leakwatch.tell.links import Links
from leakwatch.tell.secrets import Secret

if TYPE_CHECKING:
    from leakwatch.tell.pod_events import PodPlace
    from leakwatch.tell.slack import SlackBot, SlackWebhook
    from leakwatch.tell.slack_presses import Answer, SlackPresses

WEBHOOK_SECRET_VARIABLE = "LEAKWATCH_WEBHOOK_SECRET"
APP_TOKEN_VARIABLE = "LEAKWATCH_SLACK_APP_TOKEN"
WEBHOOK_VARIABLE, TOKEN_VARIABLE = "LEAKWATCH_SLACK_WEBHOOK_URL", "LEAKWATCH_SLACK_BOT_TOKEN"


def notifiers(
    settings: TellSettings,
    targets: Iterable[TargetSettings],
    now: Callable[[], float],
    environment: Mapping[str, str] = os.environ,
    hears_presses: Callable[[], bool] = lambda: False,
) -> tuple[Notifier, ...]:
    """One for each channel, the terminal the first; nothing is sent and no library is loaded.

    ``hears_presses`` is asked at each message: a button that nobody would hear is not shown.

    Slack is on where the settings or the environment say where its secret is. A secret that cannot be read stops
    nobody: its channel says so at each message, which is kept until somebody has put it right.

    Raises:
        SettingsError: Slack without a word about its secret, or a bot without a channel.
    """
    links = Links(settings.dashboard_url, settings.runbook_url)
    found: list[Notifier] = [Lines()]
    slack = _slack(settings.slack or SlackSettings(), links, now, environment, hears_presses)
    if slack is not None:
        found.append(slack)
    elif settings.slack is not None:
        needed = f"name webhook_url_file, or bot_token_file and channel, or set {WEBHOOK_VARIABLE}"
        raise SettingsError([f"tell.slack: has no secret; {needed}"])
    if settings.webhook:
        from leakwatch.tell.webhook import Webhook
    for number, one in enumerate(settings.webhook, start=1):
        secret = Secret(one.secret_file, WEBHOOK_SECRET_VARIABLE, environment)
        name = "webhook" if len(settings.webhook) == 1 else f"webhook-{number}"
        found.append(Webhook(name, one.url, secret if secret.is_given else None, now))
    if settings.alertmanager is not None:
        from leakwatch.tell.alertmanager import Alertmanager

        found.append(Alertmanager(settings.alertmanager.url, links, now))
    if settings.kubernetes_events:
        from leakwatch.tell.kubernetes_events import KubernetesEvents

        found.append(KubernetesEvents(pods_of(targets, environment), now))
    return tuple(found)


def _slack(
    settings: SlackSettings,
    links: Links,
    now: Callable[[], float],
    environment: Mapping[str, str],
    hears_presses: Callable[[], bool],
) -> "SlackWebhook | SlackBot | None":
    """What the settings name goes before what the environment holds; a bot before a webhook, since it can do more."""
    token = Secret(settings.bot_token_file, TOKEN_VARIABLE, environment)
    url = Secret(settings.webhook_url_file, WEBHOOK_VARIABLE, environment)
    by_bot = settings.bot_token_file is not None or (token.is_given and settings.webhook_url_file is None)
    if not by_bot and not url.is_given:
        return None
    from leakwatch.tell.slack import SlackBot, SlackWebhook

    if by_bot:
        if not settings.channel:
            raise SettingsError(["tell.slack: a bot token needs a channel; write for example channel: '#oncall'"])
        return SlackBot(
            token,
            settings.channel,
            links,
            now,
            api_url=settings.api_url,
            buttons=hears_presses,
        )
    return SlackWebhook(url, links, now)


def presses(
    settings: TellSettings, answer: "Answer", environment: Mapping[str, str] = os.environ
) -> "SlackPresses | None":
    """What hears Slack's buttons; None where no app token is named, and then there are none."""
    slack = settings.slack or SlackSettings()
    app_token = Secret(slack.app_token_file, APP_TOKEN_VARIABLE, environment)
    bot_token = Secret(slack.bot_token_file, TOKEN_VARIABLE, environment)
    if not app_token.is_given or not bot_token.is_given or slack.webhook_url_file is not None:
        return None
    from leakwatch.tell.slack_presses import SlackPresses

    return SlackPresses(app_token, bot_token, answer, slack.api_url)


def pods_of(targets: Iterable[TargetSettings], environment: Mapping[str, str] = os.environ) -> "dict[str, PodPlace]":
    """Of each target the pods that it is; of one that is read from inside, the pod that we are in (downward API)."""
    from leakwatch.tell.pod_events import PodPlace

    pod, namespace = environment.get("POD_NAME"), environment.get("POD_NAMESPACE")
    places = {}
    for target in targets:
        if isinstance(target.place, KubernetesPlace):
            places[target.name] = PodPlace(target.place.namespace, target.place.pod, target.place.selector)
        elif pod and namespace:
            places[target.name] = PodPlace(namespace, pod)
    return places
