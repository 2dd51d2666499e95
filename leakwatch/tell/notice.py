"""A notification as a JSON document (docs/schemas/notification.schema.json), and back: for webhooks and the outbox.

The picture is bytes and no part of it.
"""

import math
from dataclasses import asdict
from typing import Any

from leakwatch.ports import Action, Notification, Outcome, Severity, Stage
from playbooks.types import Action as Remedy
from playbooks.types import Answered, Branch, Confidence, Diagnosis, Step
from playbooks.types import Remedy as DiagnosedRemedy

SCHEMA_VERSION = 1

Json = dict[str, Any]


def as_document(notification: Notification) -> Json:
    """Plain dicts, lists, strings and finite numbers; what is unknown is None."""
    n = notification
    return {
        "schema_version": SCHEMA_VERSION,
        "key": n.key,
        "number": n.number,
        "at": n.at_seconds,
        "stage": str(n.stage),
        "severity": str(n.severity),
        "target": n.target,
        "title": n.title,
        "sentences": list(n.sentences),
        "news": list(n.news),
        "facts": [{"label": label, "value": value} for label, value in n.facts],
        "diagnosis": _diagnosis(n.diagnosis),
        "action": None if n.action is None else {**_finite(asdict(n.action)), "remedy": str(n.action.remedy)},
        "outcome": None if n.outcome is None else _finite(asdict(n.outcome)),
        "approval": n.approval,
        "sparkline": n.sparkline,
    }


def from_document(document: Json, chart_png: bytes | None = None) -> Notification:
    """What `as_document` made.

    Raises:
        KeyError, TypeError, ValueError: it is no such document.
    """
    d, action = document, document["action"]
    return Notification(
        key=d["key"],
        number=d["number"],
        at_seconds=d["at"],
        stage=Stage(d["stage"]),
        severity=Severity(d["severity"]),
        target=d["target"],
        title=d["title"],
        sentences=tuple(d["sentences"]),
        news=tuple(d["news"]),
        facts=tuple((fact["label"], fact["value"]) for fact in d["facts"]),
        diagnosis=None if d["diagnosis"] is None else _diagnosis_from(d["diagnosis"]),
        action=None if action is None else Action(**{**action, "remedy": Remedy(action["remedy"])}),
        outcome=None if d["outcome"] is None else Outcome(**d["outcome"]),
        approval=d["approval"],
        chart_png=chart_png,
        sparkline=d["sparkline"],
    )


def _finite(values: Json) -> Json:
    return {k: 0.0 if isinstance(v, float) and not math.isfinite(v) else v for k, v in values.items()}


def _diagnosis(diagnosis: Diagnosis | None) -> Json | None:
    if diagnosis is None:
        return None
    remedy = diagnosis.remedy
    return {
        "playbook": diagnosis.playbook,
        "cause": diagnosis.cause,
        "confidence": str(diagnosis.confidence),
        "path": [{"ask": one.ask, "answer": str(one.answer), "evidence": one.evidence} for one in diagnosis.path],
        "steps": [{"do": step.do, "command": step.command} for step in diagnosis.steps],
        "remedy": None if remedy is None else {"action": str(remedy.action), "risk": remedy.risk},
    }


def _diagnosis_from(d: Json) -> Diagnosis:
    remedy = d["remedy"]
    return Diagnosis(
        cause=d["cause"],
        confidence=Confidence(d["confidence"]),
        path=tuple(Answered(one["ask"], Branch(one["answer"]), one["evidence"]) for one in d["path"]),
        steps=tuple(Step(step["do"], step["command"]) for step in d["steps"]),
        playbook=d["playbook"],
        remedy=None if remedy is None else DiagnosedRemedy(Remedy(remedy["action"]), remedy["risk"]),
    )
