"""The urgency table as a Parquet file: a row for each leaking container, the most urgent first."""

import json
from collections.abc import Sequence

from detectors.types import Answer
from leakwatch.members import Group, Judged
from leakwatch.tell.fleet_rows import Json, as_dict, container_dict

LABELS = ("cluster", "namespace", "workload", "image", "node", "pod", "container")
NUMBERS = ("start", "end", "confidence", "onset", "limit_bytes", "last_bytes")
WORDS = ("verdict", "shape", "metric")
BOUNDED = {"slope_bytes_per_second": "slope", "time_to_limit_seconds": "time_to_limit"}
"""Estimates with their bounds, by the names that the bounds begin with."""


def render(
    containers: int,
    counts: dict[Answer, int],
    leaks: Sequence[Judged],
    groups: Sequence[Group],
    errors: Sequence[str],
) -> bytes:
    """The file. Null is unknown; the document's other parts (counts, groups, errors) are its metadata ``leakwatch``."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    text, number = pa.string(), pa.float64()
    fields = [("urgency", pa.int64()), *((name, text) for name in (*LABELS, *WORDS)), ("samples", pa.int64())]
    fields += [(name, number) for name in NUMBERS]
    for estimate, bounds in BOUNDED.items():
        fields += [(estimate, number), (f"{bounds}_low", number), (f"{bounds}_high", number)]
    fields += [("because", pa.list_(text)), ("levels", pa.list_(pa.float32()))]
    rows = [_row(place, one) for place, one in enumerate(leaks, 1)]
    whole = as_dict(containers, counts, (), groups, errors)
    del whole["leaks"]
    table = pa.Table.from_pylist(rows, schema=pa.schema(fields, metadata={"leakwatch": json.dumps(whole)}))
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue().to_pybytes())


def _row(place: int, one: Judged) -> Json:
    told = container_dict(one)
    row = {name: one.labels.get(name) for name in LABELS} | {name: told[name] for name in (*NUMBERS, *WORDS, "samples")}
    for estimate, bounds in BOUNDED.items():
        known = told[estimate] or {}
        row |= {estimate: known.get("estimate"), f"{bounds}_low": known.get("low"), f"{bounds}_high": known.get("high")}
    return row | {"urgency": place, "because": told["because"], "levels": one.levels}
