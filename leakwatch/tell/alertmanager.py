"""Alertmanager, API v2: one alert an incident, kept alive while it is open and ended when it is resolved.

An alert is its labels: what changes within the incident is in the annotations, all but the severity, by which people
route.
https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from leakwatch.ports import Delivery, Notification, Stage
from leakwatch.tell.links import Links
from leakwatch.tell.post import post

REPEAT_SECONDS = 60.0
ENDS_AFTER_SECONDS = 5 * REPEAT_SECONDS
"""An agent that is gone tells nothing any more: its alerts end by themselves after five reminders were missed."""
_MOST_TEXT = 4096


class Alertmanager:
    """Posts to ``url``, the address without ``/api/v2``; ``now`` is the clock."""

    name = "alertmanager"
    repeat_seconds = REPEAT_SECONDS
    stages = frozenset(Stage)

    def __init__(self, url: str, links: Links, now: Callable[[], float]) -> None:
        self._url, self._links, self._now = f"{url.rstrip('/')}/api/v2/alerts", links, now

    def notify(self, notification: Notification, thread: Mapping[str, str], *, again: bool = False) -> Delivery:
        """The alert as it stands; to say it again changes nothing. ``thread``: when it began, how loud it was."""
        now = self._now()
        began = float(thread.get("began", notification.at_seconds))
        before = thread.get("severity")
        severity = str(notification.severity)
        if notification.stage is Stage.RESOLVED:
            severity = before or severity
        alerts = [alert(notification, self._links, severity, began, now)]
        if before not in (None, severity):  # another label makes another alert of it: the one before ends
            alerts.append(alerts[0] | {"labels": labels(notification, str(before)), "endsAt": _time(now)})
        delivery = post(self._url, json.dumps(alerts, allow_nan=False).encode(), {}, now)
        if not delivery.delivered:
            return delivery
        return Delivery(True, False, delivery.detail, thread={"began": str(began), "severity": severity})


def labels(notification: Notification, severity: str) -> dict[str, str]:
    """What makes the alert the one that it is, and what routes and inhibitions go by."""
    n = notification
    return {"alertname": "LeakwatchIncident", "container": n.target, "incident": n.key, "severity": severity}


def alert(notification: Notification, links: Links, severity: str, began: float, now: float) -> dict[str, Any]:
    """One alert; ``began`` and ``now`` are Unix seconds."""
    n = notification
    annotations = {
        "summary": n.title,
        "description": "\n".join((*n.news, *n.sentences)),
        "cause": n.diagnosis.cause if n.diagnosis is not None else None,
        "steps": "\n".join(str(step) for step in n.diagnosis.steps) if n.diagnosis is not None else None,
        "approval": n.approval,
        "stage": str(n.stage),
        "runbook_url": links.runbook(n.target),
        "dashboard_url": links.dashboard(n.target),
    }
    ends = now if n.stage is Stage.RESOLVED else now + ENDS_AFTER_SECONDS
    return {
        "labels": labels(n, severity),
        "annotations": {name: text[:_MOST_TEXT] for name, text in annotations.items() if text},
        "startsAt": _time(min(began, ends)),
        "endsAt": _time(ends),
        "generatorURL": links.dashboard(n.target) or "",
    }


def _time(unix_seconds: float) -> str:
    return datetime.fromtimestamp(unix_seconds, UTC).isoformat()
