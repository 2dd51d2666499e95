"""Fails where the tests take too few of the branches of a package: `branch_floor.py --floor 90 PACKAGE...`.

Reads the .coverage file of the last run through `coverage json`. Branches alone: coverage's own --fail-under mixes
them with lines, which hides an untested else.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any


def branch_percent(files: Mapping[str, Any], package: str) -> float:
    """Taken branches of all files under the package, in percent; 100 where it has none.

    Raises:
        LookupError: no file of the package was measured.
    """
    summaries = [file["summary"] for name, file in files.items() if name.startswith(f"{package}/")]
    if not summaries:
        raise LookupError(f"no file of {package}/ was measured")
    branches = sum(summary["num_branches"] for summary in summaries)
    return 100.0 * sum(summary["covered_branches"] for summary in summaries) / branches if branches else 100.0


def main() -> int:
    """Prints one line a package; exit status 1 where one lies under the floor."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packages", nargs="+")
    parser.add_argument("--floor", type=float, required=True, help="percent of branches")
    arguments = parser.parse_args()
    report = subprocess.run(
        [sys.executable, "-m", "coverage", "json", "-q", "-o", "-"], capture_output=True, text=True, check=True
    )
    files = json.loads(report.stdout)["files"]
    percents = {package: branch_percent(files, package) for package in arguments.packages}
    for package, percent in percents.items():
        print(f"branches of {package}/ taken: {percent:.1f} % (floor {arguments.floor:g} %)")
    return int(min(percents.values()) < arguments.floor)


if __name__ == "__main__":
    sys.exit(main())
