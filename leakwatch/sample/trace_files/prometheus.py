"""The answer of Prometheus to ``query_range`` (https://prometheus.io/docs/prometheus/latest/querying/api/)."""

import io
import json
from typing import Any

import numpy as np

from leakwatch.errors import TraceError
from leakwatch.quantities import shown
from leakwatch.sample.trace_files.archive import TraceFile, not_utf8
from leakwatch.sample.trace_files.labelled import Series, join
from leakwatch.sample.trace_files.rows import Rejected
from leakwatch.trace import Trace

_FIX = "save the whole answer of /api/v1/query_range"


def read(file: TraceFile) -> list[Trace]:
    """The traces of a range query: a matrix, whole or as the bare list that ``promtool query range -o json`` prints.

    Raises:
        TraceError: cut short, no JSON, an error answer, another kind of result, or no memory metric in it.
    """
    try:
        answer = json.load(io.TextIOWrapper(file.open(), encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise not_utf8(file.source) from None
    except json.JSONDecodeError as error:
        what = f"the JSON is broken or cut short at column {error.colno}"
        raise TraceError(file.source, what, _FIX, error.lineno) from None
    except (RecursionError, ValueError):
        raise TraceError(file.source, "the JSON is none that Prometheus writes", _FIX) from None
    rejected: list[Rejected] = []
    return join(file.source, [_series(file, entry, rejected) for entry in _matrix(file, answer)], rejected)


def _matrix(file: TraceFile, answer: Any) -> list[Any]:
    if isinstance(answer, dict) and answer.get("status") == "error":
        what = f"Prometheus answered with an error ({shown(str(answer.get('error')), 120)})"
        raise TraceError(file.source, what, "mend the query and save its answer again")
    data = answer.get("data", answer) if isinstance(answer, dict) else answer
    if isinstance(data, dict) and data.get("resultType", "matrix") != "matrix":
        what = f"the result is a {shown(str(data['resultType']))}, not a matrix"
        raise TraceError(file.source, what, "ask query_range, which gives points over time")
    matrix = data.get("result") if isinstance(data, dict) else data
    if not isinstance(matrix, list):
        raise TraceError(file.source, "the JSON holds no result of a range query", _FIX)
    return matrix


def _series(file: TraceFile, entry: Any, rejected: list[Rejected]) -> Series:
    labels = entry.get("metric") if isinstance(entry, dict) else None
    points = entry.get("values", []) if isinstance(entry, dict) else None
    if not isinstance(labels, dict) or not isinstance(points, list):
        raise TraceError(file.source, "a series of the result has no labels or no values", _FIX)
    pairs = []
    for point in points:
        try:
            time_seconds, value = point
            pairs.append((float(time_seconds), float(value)))
        except (TypeError, ValueError, OverflowError):
            rejected.append(Rejected(1, f"{shown(json.dumps(point))} is no point of time and value"))
    times, values = np.array(pairs, dtype=np.float64).reshape(-1, 2).T
    # JSON can spell half a surrogate pair ("\\ud800"), which no terminal can print.
    names = {name: str(value).encode(errors="replace").decode() for name, value in labels.items()}
    metric = names.pop("__name__", "")
    return Series(metric, names, times, values, np.ones(len(times), dtype=np.int64))
