"""The flags of `leakwatch plan`, its forms and its exit statuses."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

ROOT = Path(__file__).parents[3]
VALIDATOR = jsonschema.Draft202012Validator(json.loads((ROOT / "docs/schemas/plan.schema.json").read_text()))


def leakwatch(*arguments: str, columns: int = 100) -> subprocess.CompletedProcess[str]:
    """Run ``leakwatch plan`` in the project's folder, as a shell would."""
    return subprocess.run(
        [sys.executable, "-m", "leakwatch", "plan", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": str(columns)},
        timeout=120,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("--model-size", "2GiB"),
        ("--model-size", "2GiB", "--model-size", "300MiB", "--versions", "2", "--clients", "64", "--cpus", "8"),
        ("--trace", "sample_traces/tf_healthy.csv", "--price-per-gib-hour", "0.005"),
        ("--trace", "sample_traces/two_models_one_leaks.csv", "--keep-for", "1h", "--model-size", "1MiB"),
    ],
)
def test_json_holds_to_the_schema(arguments: tuple[str, ...]) -> None:
    """One document, whatever is known."""
    done = leakwatch(*arguments, "-o", "json")
    assert (done.returncode, done.stderr) == (0, "")
    VALIDATOR.validate(json.loads(done.stdout))


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_screen_fits(columns: int) -> None:
    """The sum, the manifest and the batching file stand there at any width, with nothing cut off but blanks."""
    done = leakwatch("--model-size", "2GiB", "--clients", "64", "--price-per-gib-hour", "0.005", columns=columns)
    assert all(len(line) <= columns for line in done.stdout.splitlines())
    for shown in ("limit", "memory:", "max_batch_size { value: 32 }", "rule of thumb"):
        assert shown in done.stdout


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ((), 2),
        (("--model-size", "2"), 2),
        (("--container", "a", "--model-size", "2GiB"), 2),
        (("--versions", "0", "--model-size", "2GiB"), 2),
        (("--trace", "gone.csv"), 1),
        (("--trace", "sample_traces/tf_healthy.csv", "--container", "gone"), 1),
    ],
)
def test_what_is_wrong_is_one_line(arguments: tuple[str, ...], status: int) -> None:
    """2 for wrong usage, 1 for a trace that cannot be used."""
    done = leakwatch(*arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr.startswith("leakwatch: ") and done.stderr.count("\n") == 1


def test_a_file_of_many_containers_asks_which(tmp_path: Path) -> None:
    """Their names are told."""
    rows = [f"{1_790_000_000 + 30 * i},{name},{100_000_000 + i}" for i in range(300) for name in ("a", "b")]
    path = tmp_path / "two.csv"
    path.write_text("\n".join(["timestamp,container,anon_bytes", *rows]) + "\n")
    done = leakwatch("--trace", str(path))
    assert done.returncode == 1 and "name one with --container (a, b" in done.stderr
    assert leakwatch("--trace", str(path), "--container", "b").returncode == 0
