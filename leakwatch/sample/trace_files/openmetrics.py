"""Prometheus or OpenMetrics text with a timestamp on each sample: federation, ``promtool tsdb dump``, saved scrapes.

Formats: https://prometheus.io/docs/instrumenting/exposition_formats/ (milliseconds) and the OpenMetrics specification
(seconds); which of the two a number is follows from its size.
"""

import math
from array import array
from dataclasses import dataclass, field

import numpy as np

from leakwatch.errors import TraceError
from leakwatch.quantities import parse_time
from leakwatch.sample.exposition import SAMPLE, parse_series
from leakwatch.sample.trace_files.archive import TraceFile
from leakwatch.sample.trace_files.labelled import Series, join
from leakwatch.sample.trace_files.rows import Rejected
from leakwatch.trace import Trace


@dataclass(slots=True)
class _Points:
    times: "array[float]" = field(default_factory=lambda: array("d"))
    values: "array[float]" = field(default_factory=lambda: array("d"))
    lines: "array[int]" = field(default_factory=lambda: array("q"))


def read(file: TraceFile) -> list[Trace]:
    """The traces of a text with timestamps.

    Raises:
        TraceError: samples without timestamps, no memory metric, not UTF-8.
    """
    points: dict[str, _Points] = {}
    rejected: list[Rejected] = []
    untimed = 0
    for number, line in file.lines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        sample = SAMPLE.fullmatch(line)
        name = sample.group(1).strip() if sample else ""
        if sample is None or not name:
            rejected.append(Rejected(number, "no sample of the form name{labels} value timestamp"))
            continue
        if sample.group(3) is None:
            untimed += 1
            rejected.append(Rejected(number, "no timestamp"))
            continue
        try:
            value, time_seconds = float(sample.group(2)), parse_time(sample.group(3))
        except ValueError:
            rejected.append(Rejected(number, "value or timestamp is no number"))
            continue
        of = points.setdefault(name, _Points())
        of.times.append(time_seconds)
        of.values.append(value)
        of.lines.append(number)
    if not points and untimed:
        fix = "sample the page over time, or query Prometheus for a range"
        raise TraceError(file.source, "the samples carry no timestamps, so this is one moment", fix)
    series = []
    for text, of in points.items():
        named = parse_series(text)
        if named is None:
            rejected += [Rejected(line, "labels that cannot be read") for line in of.lines]
        else:
            series.append(Series(*named, np.array(of.times), np.array(of.values), np.array(of.lines, dtype=np.int64)))
    return join(file.source, series, rejected)


def is_sample(line: str) -> bool:
    """Whether a line is a name, perhaps labels, and a number."""
    sample = SAMPLE.fullmatch(line)
    try:
        return sample is not None and bool(sample.group(1).strip()) and math.isfinite(float(sample.group(2)))
    except ValueError:
        return False
