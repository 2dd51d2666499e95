"""Lint on good manifests: how much it says where little is to be said, and how long a large folder takes.

    python -m benchmarks.lint_noise            prints the tables
    python -m benchmarks.lint_noise --write    and puts them into benchmarks/RESULTS.md

The manifests in benchmarks/lint_corpus/ are written in the manner of public ones, a folder a case: model servers, plain
applications, data stores, compose stacks, jobs, alert rules, and files that are none of lint's business. Each is one
that a reviewer would let pass; whatever lint says there is judged in `JUDGED`, and a finding without a judgement is a
fault.
"""

import argparse
import shutil
import tempfile
import time
from pathlib import Path

from benchmarks.tables import Table, write_section
from leakwatch.lint.check import lint
from leakwatch.lint.rules import RULES

CORPUS = Path(__file__).parent / "lint_corpus"
MOST_FINDINGS = 1
"""In a good manifest."""
FOLDER_FILES, ROUNDS = 1000, 3

JUDGED = {
    ("compose_stacks/wordpress.yml", "no-memory-limit"): "right: nothing bounds either container",
    ("tfs_compose/docker-compose.yml", "threads-over-cpus"): "right, and only a note: pools follow the host's CPUs",
    ("tfs_rendered_chart/rendered.yaml", "threads-over-cpus"): "right, and only a note: pools follow the node's CPUs",
}
"""What is said about good manifests, by file and rule, and what is to be thought of it."""


def cases() -> list[Path]:
    """The folders of the corpus."""
    return sorted(path for path in CORPUS.iterdir() if path.is_dir())


def files() -> list[Path]:
    """The files of the corpus."""
    return sorted(path for path in CORPUS.rglob("*") if path.is_file())


def found() -> dict[str, list[str]]:
    """The rules that find something, by file; each folder is linted by itself, as its owner would."""
    said: dict[str, list[str]] = {path.relative_to(CORPUS).as_posix(): [] for path in files()}
    for case in cases():
        for finding in lint([str(case)]).findings:
            said[Path(finding.file).relative_to(CORPUS).as_posix()].append(finding.rule)
    return said


def noise() -> Table:
    """Every file with a finding, and what to think of it."""
    said = found()
    rows = [(file, rule, JUDGED.get((file, rule), "NOT JUDGED")) for file, rules in said.items() for rule in rules]
    loud = sum(len(rules) > MOST_FINDINGS for rules in said.values())
    note = (
        f"{len(said)} files in {len(cases())} folders, {len(RULES)} rules: {len(said) - len(rows)} files without a "
        f"finding, {loud} with more than {MOST_FINDINGS}. Written by the author of the rules, so this is a lower bound."
    )
    return Table("Lint on good manifests", note, ("file", "rule", "judged"), rows)


def speed() -> Table:
    """A folder of many manifests, the imports not counted."""
    manifests = [path for path in files() if path.suffix in (".yaml", ".yml")]
    took = []
    with tempfile.TemporaryDirectory() as folder:
        for i in range(FOLDER_FILES):
            shutil.copy(manifests[i % len(manifests)], Path(folder) / f"{i:04}.yaml")
        for _ in range(ROUNDS):
            began = time.perf_counter()
            report = lint([folder])
            took.append(time.perf_counter() - began)
    lines = sum(text.count("\n") for text in report.texts.values())
    row = (f"{FOLDER_FILES:,}", f"{lines:,}", f"{min(took):.2f}", f"{1000 * min(took) / FOLDER_FILES:.2f}")
    return Table("Lint on a large folder", "One process.", ("files", "lines", "s", "ms a file"), [row])


def main() -> None:
    """Measure, show, and write where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the tables into benchmarks/RESULTS.md")
    write = parser.parse_args().write
    tables = [noise(), speed()]
    for table in tables:
        table.show()
    if write:
        write_section("lint", "python -m benchmarks.lint_noise --write", tables)


if __name__ == "__main__":
    main()
