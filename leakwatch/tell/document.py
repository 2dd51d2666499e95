"""The JSON document of ``leakwatch analyze`` (contracts.md section 2), as plain dicts; and it written as JSON and YAML.

The published schema is docs/schemas/analyze.schema.json. Unknown is ``null``: NaN and Infinity never appear.
"""

import json
import math
from collections.abc import Sequence
from typing import Any

from detectors.types import Assessment, Attribution, Forecast, Interval, Trend
from leakwatch.tell.event_lines import event_as_dict
from leakwatch.trace import Trace
from playbooks.types import Diagnosis

SCHEMA_VERSION = 1

Json = dict[str, Any]


def document(analyses: Sequence[tuple[Trace, Assessment]], diagnoses: Sequence[Diagnosis | None] | None = None) -> Json:
    """The whole document; ``diagnoses`` holds one for each of ``analyses``, None where none was made.

    Raises:
        ValueError: ``diagnoses`` has another length than ``analyses``.
    """
    found = [None] * len(analyses) if diagnoses is None else diagnoses
    return {
        "schema_version": SCHEMA_VERSION,
        "analyses": [
            analysis(trace, assessment, diagnosis)
            for (trace, assessment), diagnosis in zip(analyses, found, strict=True)
        ],
    }


def analysis(trace: Trace, assessment: Assessment, diagnosis: Diagnosis | None = None) -> Json:
    """One entry of ``analyses``: bytes and Unix seconds as numbers, in the order of the contract."""
    verdict, attribution, time = assessment.verdict, assessment.attribution, trace.time_seconds
    return {
        "source": trace.target.source,
        "container": trace.target.container,
        "samples": len(time),
        "dropped_rows": int(trace.dropped_rows),
        "start": _finite(time[0]) if len(time) else None,
        "end": _finite(time[-1]) if len(time) else None,
        "verdict": str(verdict.verdict),
        "shape": str(verdict.shape),
        "confidence": _ratio(verdict.confidence) or 0.0,
        "metric": verdict.metric,
        "slope_bytes_per_second": _trend(verdict.trend),
        "onset": _finite(verdict.onset),
        "restarts": [at for at in map(_finite, verdict.restarts) if at is not None],
        "limit_bytes": _whole(trace.limit_bytes),
        "time_to_limit_seconds": _forecast(assessment.forecast),
        "bytes_per_request": _interval(attribution.bytes_per_request) if attribution else None,
        "by_model": _by_model(attribution),
        "undecided_until_seconds": _finite(assessment.undecided_until_seconds),
        "because": list(verdict.because),
        "oom_events": [event_as_dict(source, event) for source, event in assessment.oom_events],
        "diagnosis": _diagnosis(diagnosis) if diagnosis else None,
    }


def as_json(analyses: Sequence[tuple[Trace, Assessment]], diagnoses: Sequence[Diagnosis | None] | None = None) -> str:
    """The document as JSON; pure ASCII, so that any path survives any encoding."""
    return json.dumps(document(analyses, diagnoses), indent=2, allow_nan=False) + "\n"


def diagnosis_as_json(diagnosis: Diagnosis) -> str:
    """One diagnosis as ``leakwatch playbook run -o json`` prints it: as in the document, with confidence and remedy."""
    remedy = diagnosis.remedy
    whole = {
        **_diagnosis(diagnosis),
        "confidence": str(diagnosis.confidence),
        "remedy": {"action": str(remedy.action), "risk": remedy.risk} if remedy else None,
    }
    return json.dumps({"schema_version": SCHEMA_VERSION, "diagnosis": whole}, indent=2, allow_nan=False) + "\n"


def as_yaml(analyses: Sequence[tuple[Trace, Assessment]], diagnoses: Sequence[Diagnosis | None] | None = None) -> str:
    """The same document as YAML."""
    import yaml  # 30 ms that no other output needs

    return yaml.safe_dump(document(analyses, diagnoses), sort_keys=False, width=120)


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def _ratio(value: float) -> float | None:
    return min(max(float(value), 0.0), 1.0) if math.isfinite(value) else None


def _whole(value: float | None) -> int | None:
    return round(value) if value is not None and math.isfinite(value) else None


def interval_as_dict(estimate: float, low: float, high: float | None) -> Json | None:
    """An interval; null where its estimate or its low end is unknown, ``high`` null where it has no upper end."""
    if not (math.isfinite(estimate) and math.isfinite(low)):
        return None
    return {"estimate": float(estimate), "low": float(low), "high": _finite(high)}


def _trend(trend: Trend | None) -> Json | None:
    return interval_as_dict(trend.slope_per_second, trend.low, trend.high) if trend else None


def _forecast(forecast: Forecast | None) -> Json | None:
    return interval_as_dict(forecast.seconds_to_limit, forecast.low, forecast.high) if forecast else None


def _interval(interval: Interval | None) -> Json | None:
    return interval_as_dict(interval.estimate, interval.low, interval.high) if interval else None


def _diagnosis(diagnosis: Diagnosis) -> Json:
    return {
        "playbook": diagnosis.playbook,
        "cause": diagnosis.cause,
        "path": [{"ask": one.ask, "answer": str(one.answer), "evidence": one.evidence} for one in diagnosis.path],
        "steps": [str(step) for step in diagnosis.steps],
    }


def _by_model(attribution: Attribution | None) -> list[Json]:
    return [
        {"model": m.model, "bytes_per_request": _interval(m.bytes_per_request), "share": _ratio(m.share)}
        for m in (attribution.by_model if attribution else ())
    ]
