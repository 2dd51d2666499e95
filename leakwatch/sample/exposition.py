"""Lines of the Prometheus text format, read one by one: a line that is none does not spoil the page around it.

The format: https://prometheus.io/docs/instrumenting/exposition_formats/. The parser of prometheus_client gives up the
whole page at the first bad line, renames counters to ``*_total``, and takes a hundred times as long (it walks over
characters); a page that an exporter half wrote, and that is read every few seconds, needs neither.
"""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass

SAMPLE = re.compile(
    r'\s*+((?:[A-Za-z_:][\w:]*+)?+(?:\s*+\{(?:[^"}]|"(?:[^"\\]|\\.)*+")*+\})?+)'
    r"\s++([^\s{]\S*+)(?:\s++([^\s#]\S*+))?+\s*+(?:#.*)?"
)
"""Name and labels, value, timestamp; an exemplar may follow. Possessive throughout, so that no line takes long."""

_LABEL = re.compile(r'([A-Za-z_]\w*+)\s*+=\s*+"((?:[^"\\]|\\.)*+)"\s*+,?\s*+')
_SERIES = re.compile(r"\s*+([A-Za-z_:][\w:]*+)?+\s*+(?:\{(.*)\})?+\s*+", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)")
_LINE = re.compile(rb"^[ \t]*+([A-Za-z_:][\w:]{0,1000}+)[^\n]{0,65536}+", re.MULTILINE)
"""A longer line is no sample, and is not read further: a page without an end of line never becomes one text."""

_TYPE = re.compile(rb"^# ?TYPE (\S{1,1000})", re.MULTILINE)  # an old Triton leaves out the blank after the hash


@dataclass(frozen=True, slots=True)
class PageSample:
    """One number of a page: the metric as the page names it, its labels, its value (finite or infinite, never NaN)."""

    name: str
    labels: dict[str, str]
    value: float


def types_of(page: bytes) -> frozenset[str]:
    """The names for which the page states a type."""
    return frozenset(match[1].decode("utf-8", "replace") for match in _TYPE.finditer(page))


def read_page(page: bytes, wanted: Container[str]) -> Iterator[PageSample]:
    """The samples of the page whose names are wanted; lines that are no samples, and NaN, are passed over.

    Only a wanted line becomes text: 30 MiB of garbage as one text, and its lines as one list, took 250 MiB.
    """
    for match in _LINE.finditer(page):
        if match[1].decode("ascii") not in wanted:
            continue
        line = match[0].decode("utf-8", "replace")
        sample = SAMPLE.fullmatch(line)
        series = parse_series(sample.group(1)) if sample else None
        if sample is None or series is None:
            continue
        try:
            value = float(sample.group(2))
        except ValueError:
            continue
        if value == value:
            yield PageSample(*series, value)


def parse_series(text: str) -> tuple[str, dict[str, str]] | None:
    """Metric name (may be empty) and labels of ``name{a="b"}``; None where the text is no such thing."""
    match = _SERIES.fullmatch(text)
    if match is None or match.group(1) is None and match.group(2) is None:
        return None
    inside, labels, at = (match.group(2) or "").strip(), {}, 0
    while at < len(inside):
        label = _LABEL.match(inside, at)
        if label is None:
            return None
        labels[label.group(1)] = _ESCAPED.sub(lambda m: "\n" if m.group(1) == "n" else m.group(1), label.group(2))
        at = label.end()
    return labels.pop("__name__", match.group(1) or ""), labels
