"""Writes the second author's traces: ``python -m benchmarks.second_author DIR --seeds 0:10``."""

import argparse
import json
from pathlib import Path

from benchmarks.corpus import seed_range, write
from benchmarks.second_author import FAMILIES, generate


def main() -> None:
    """Writes DIR/FAMILY_SEED.csv of each family and seed, and DIR/truth.jsonl."""
    parser = argparse.ArgumentParser(description="Write the second author's labelled traces.")
    parser.add_argument("dir", type=Path)
    parser.add_argument("--seeds", type=seed_range, default=range(10), metavar="A:B")
    given = parser.parse_args()
    given.dir.mkdir(parents=True, exist_ok=True)
    with (given.dir / "truth.jsonl").open("w") as truths:
        for family in FAMILIES:
            for seed in given.seeds:
                trace = generate(family, seed)
                truth = {
                    "file": f"{family}_{seed}.csv",
                    "leak": trace.leak,
                    "family": family,
                    "full": trace.full,
                    "slope": trace.slope_bytes_per_second,
                    "eta": trace.seconds_to_limit,
                    "onset": trace.onset_seconds,
                    "per_request": trace.bytes_per_request,
                }
                write(trace, given.dir / f"{family}_{seed}.csv")
                truths.write(json.dumps(truth) + "\n")


if __name__ == "__main__":
    main()
