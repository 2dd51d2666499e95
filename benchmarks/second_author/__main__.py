"""Writes the second author's traces: ``python -m benchmarks.second_author DIR --seeds 0:10``."""

import argparse
import json
from pathlib import Path

import numpy as np

from benchmarks.second_author import FAMILIES, Labelled, generate


def main() -> None:
    """Writes DIR/FAMILY-SEED.csv of each family and seed, and DIR/truth.jsonl."""
    parser = argparse.ArgumentParser(description="Write the second author's labelled traces.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", default="0:10", help="FIRST:STOP, the stop not included")
    arguments = parser.parse_args()
    first, stop = map(int, arguments.seeds.split(":"))
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with (arguments.folder / "truth.jsonl").open("w") as truths:
        for family in FAMILIES:
            for seed in range(first, stop):
                truths.write(json.dumps(_write(generate(family, seed), arguments.folder)) + "\n")


def _write(trace: Labelled, folder: Path) -> dict[str, object]:
    """Writes one trace as native CSV and gives its line of truth."""
    name = f"{trace.family}-{trace.seed}.csv"
    limit = np.full(len(trace.time_seconds), trace.limit_bytes or 0.0)
    table = np.column_stack([trace.time_seconds, *trace.columns.values(), limit])
    header = ",".join(["timestamp", *trace.columns, "limit_bytes"])
    forms = ["%.3f"] + ["%d"] * (table.shape[1] - 1)
    np.savetxt(folder / name, table, fmt=forms, delimiter=",", header=header, comments="")
    return {
        "file": name, "leak": trace.leak, "family": trace.family, "full": trace.full,
        "slope": trace.slope_bytes_per_second, "eta": trace.seconds_to_limit, "per_request": trace.bytes_per_request,
    }  # fmt: skip


if __name__ == "__main__":
    main()
