"""The evidence that the agent holds already: the decision, the verdict, the incidents seen, and the trace."""

import csv
import dataclasses
import io
import json
import math
from typing import Any

from leakwatch.act.decision import Decision
from leakwatch.ports import EvidencePart
from leakwatch.trace import Trace


def known_parts(decision: Decision) -> tuple[EvidencePart, ...]:
    """Parts that cost nothing to take, the most telling first."""
    case = decision.case
    reasons = [dataclasses.asdict(reason) for reason in decision.reasons]
    said = {"ruling": decision.ruling, "backend": decision.backend, "life": decision.life, "reasons": reasons}
    action = dataclasses.asdict(decision.action) if decision.action else None
    parts = [
        _json("decision.json", {**said, "action": action, "at": decision.at_seconds, "incident": case.incident}),
        _json("verdict.json", dataclasses.asdict(case.verdict)),
    ]
    if case.diagnosis is not None:
        parts.append(_json("diagnosis.json", dataclasses.asdict(case.diagnosis)))
    if case.sentences:
        parts.append(EvidencePart("incidents.txt", "\n".join([*case.sentences, ""]).encode(errors="replace")))
    if case.trace is not None:
        parts.append(EvidencePart("trace.csv", trace_csv(case.trace)))
    return tuple(parts)


def trace_csv(trace: Trace) -> bytes:
    """The trace in leakwatch's own form, which ``leakwatch analyze`` reads; unknown cells are empty."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    names = list(trace.columns)
    constant = trace.limit_bytes if "limit_bytes" not in trace.columns else None
    rows.writerow(["timestamp", *names, *(["limit_bytes"] if constant is not None else [])])
    limit = [f"{constant:.0f}"] if constant is not None else []
    for i, moment in enumerate(trace.time_seconds):
        cells = (float(trace.columns[name][i]) for name in names)
        rows.writerow([f"{moment:.3f}", *("" if math.isnan(cell) else f"{cell:.10g}" for cell in cells), *limit])
    return text.getvalue().encode(errors="replace")


def _json(name: str, value: Any) -> EvidencePart:
    return EvidencePart(name, json.dumps(_finite(value), indent=1).encode())


def _finite(value: Any) -> Any:
    """Infinity and NaN are no JSON: null."""
    if isinstance(value, dict):
        return {str(key): _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
