"""The flags of `leakwatch lint`, its forms and its exit statuses."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((ROOT / "docs/schemas/lint.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: serving
spec:
  containers:
    - name: server
      image: registry.example.com/web:1.0
"""
LIMITED = POD + "      resources: {limits: {memory: 512m}}\n"
GOOD = POD + "      resources: {limits: {memory: 512Mi}}\n"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def leakwatch(tmp_path: Path) -> Run:
    """Run ``leakwatch lint`` in a folder of its own, as a shell would."""

    def run(*arguments: str, stdin: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "leakwatch", "lint", *arguments],
            capture_output=True,
            text=True,
            input=stdin,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", **environment},
            timeout=120,
        )

    return run


def test_json_holds_to_the_schema(tmp_path: Path, leakwatch: Run) -> None:
    """One document, with the path as given and the fix as a diff of that path."""
    (tmp_path / "pod.yaml").write_text(LIMITED)
    done = leakwatch("pod.yaml", "-o", "json")
    document = json.loads(done.stdout)
    VALIDATOR.validate(document)
    [finding] = document["findings"]
    assert (finding["rule"], finding["file"], finding["line"]) == ("memory-unit", "pod.yaml", 9)
    assert finding["fix"].startswith("--- pod.yaml\n+++ pod.yaml\n")
    assert "+      resources: {limits: {memory: 512Mi}}" in finding["fix"]
    assert (done.returncode, done.stderr) == (10, "")


def test_the_published_schema_is_a_schema() -> None:
    """It is valid itself, and it refuses a finding without its line."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert VALIDATOR.is_valid({"schema_version": 1, "findings": []})
    assert not VALIDATOR.is_valid({"schema_version": 1, "findings": [{"rule": "x"}]})


def test_exit_statuses(tmp_path: Path, leakwatch: Run) -> None:
    """0 without errors and warnings, 10 with, 1 where a file cannot be read, 2 wrong usage; each error one line."""
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "bad.yaml").write_text(POD)
    (tmp_path / "broken.yaml").write_text("kind: [\n")
    assert leakwatch("good.yaml").returncode == 0
    assert leakwatch("bad.yaml").returncode == 10
    for failing in ("broken.yaml", "gone.yaml"):
        done = leakwatch(failing, "bad.yaml")
        assert done.returncode == 1
        assert done.stderr.startswith(f"leakwatch: {failing}")
        assert done.stderr.count("\n") == 1
        assert "no-memory-limit" in done.stdout
    for wrong in (
        (),
        ("-", "-"),
        ("--fix", "-"),
        ("--fix", "--diff", "good.yaml"),
        ("--diff", "-o", "json", "good.yaml"),
    ):
        done = leakwatch(*wrong, stdin="")
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1


def test_a_note_alone_is_no_failure(tmp_path: Path, leakwatch: Run) -> None:
    """Notes are shown and the status is 0."""
    (tmp_path / "batching.config").write_text("max_batch_size { value: 8 }\nbatch_timeout_micros { value: 50000 }\n")
    done = leakwatch("batching.config")
    assert done.returncode == 0
    assert "batch-timeout" in done.stdout


def test_fix_writes_and_shows_what_is_left(tmp_path: Path, leakwatch: Run) -> None:
    """The file is as --diff said, its mode and line ends are kept, and the status is that of what is left."""
    path = tmp_path / "pod.yaml"
    path.write_bytes(LIMITED.replace("\n", "\r\n").encode())
    path.chmod(0o640)
    shown = leakwatch("pod.yaml", "--diff").stdout
    assert "-      resources: {limits: {memory: 512m}}\n+      resources: {limits: {memory: 512Mi}}\n" in shown
    assert path.read_bytes() == LIMITED.replace("\n", "\r\n").encode()
    done = leakwatch("pod.yaml", "--fix")
    assert done.returncode == 0
    assert done.stderr == "leakwatch: mended 1 finding in 1 file\n"
    assert path.read_bytes() == GOOD.replace("\n", "\r\n").encode()
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["pod.yaml"]


def test_what_is_allowed_is_not_said(tmp_path: Path, leakwatch: Run) -> None:
    """By --ignore for a run, by a comment on the line or before it for one place; another rule's comment allows "
    "nothing."""
    (tmp_path / "pod.yaml").write_text(LIMITED)
    assert leakwatch("pod.yaml", "--ignore", "memory-unit").returncode == 0
    for comment, status in (("memory-unit", 0), ("image-latest, memory-unit", 0), ("image-latest", 10)):
        (tmp_path / "pod.yaml").write_text(LIMITED.rstrip() + f"  # leakwatch: allow {comment}\n")
        assert leakwatch("pod.yaml").returncode == status
        before = LIMITED.replace("      resources", f"      # leakwatch: allow {comment}\n      resources")
        (tmp_path / "pod.yaml").write_text(before)
        assert leakwatch("pod.yaml").returncode == status
    done = leakwatch("pod.yaml", "--ignore", "no-such-rule")
    assert done.returncode == 2 and "there is no rule 'no-such-rule'" in done.stderr


def test_standard_input(leakwatch: Run) -> None:
    """`helm template . | leakwatch lint -`: the file is called -."""
    done = leakwatch("-", "-o", "json", stdin=POD + "---\n" + LIMITED)
    assert [(one["file"], one["line"]) for one in json.loads(done.stdout)["findings"]] == [("-", 7), ("-", 18)]


def test_values_fill_in_a_template(tmp_path: Path, leakwatch: Run) -> None:
    """Without values a template is one note; with them its findings have the template's lines."""
    (tmp_path / "pod.yaml").write_text(POD.replace("1.0", '{{ .Values.image.tag | default "1.0" }}'))
    (tmp_path / "values.txt").write_text("image:\n  tag: latest\n")
    assert [one["rule"] for one in json.loads(leakwatch("pod.yaml", "-o", "json").stdout)["findings"]] == [
        "template-not-rendered"
    ]
    done = leakwatch("pod.yaml", "--values", "values.txt", "-o", "json")
    assert [(one["rule"], one["line"]) for one in json.loads(done.stdout)["findings"]] == [
        ("no-memory-limit", 7),
        ("image-latest", 8),
    ]


def test_a_fix_writes_no_values_into_a_template(tmp_path: Path, leakwatch: Run) -> None:
    """A line with a placeholder stays as it is; the others are mended."""
    template = LIMITED.replace("1.0", "{{ .Values.tag }}") + "      args: [{{ .Values.memory }}]\n"
    template += '    - {name: b, image: "a:{{ .Values.tag }}", resources: {limits: {memory: {{ .Values.memory }}}}}\n'
    (tmp_path / "pod.yaml").write_text(template)
    (tmp_path / "values.txt").write_text("tag: '1'\nmemory: 512m\n")
    done = leakwatch("pod.yaml", "--values", "values.txt", "--fix", "-o", "json")
    assert (tmp_path / "pod.yaml").read_text() == template.replace("memory: 512m}", "memory: 512Mi}")
    assert [(one["rule"], one["fix"]) for one in json.loads(done.stdout)["findings"]] == [("memory-unit", None)]


def test_the_size_of_a_model_may_be_given(tmp_path: Path, leakwatch: Run) -> None:
    """--model-size stands in for a model that is not on this disk."""
    text = GOOD.replace("registry.example.com/web:1.0", "tensorflow/serving:2.19.1").replace("512Mi", "3Gi")
    (tmp_path / "pod.yaml").write_text(text)
    assert "limit-under-two-models" not in leakwatch("pod.yaml").stdout
    assert "at least 4 GiB are resident" in leakwatch("pod.yaml", "--model-size", "2GiB", COLUMNS="200").stdout


def test_sarif_names_rules_places_and_fixes(tmp_path: Path, leakwatch: Run) -> None:
    """Version 2.1.0, each result with its rule's index, its line, and its fix as whole lines."""
    (tmp_path / "a pod.yaml").write_text(LIMITED)
    log = json.loads(leakwatch("a pod.yaml", "-o", "sarif").stdout)
    assert log["version"] == "2.1.0"
    [run] = log["runs"]
    [result] = run["results"]
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "memory-unit"
    place = result["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "a%20pod.yaml"}, "region": {"startLine": 9}}
    [change] = result["fixes"][0]["artifactChanges"]
    assert change["replacements"] == [
        {
            "deletedRegion": {"startLine": 9, "startColumn": 1, "endLine": 10, "endColumn": 1},
            "insertedContent": {"text": "      resources: {limits: {memory: 512Mi}}\n"},
        }
    ]


def test_what_is_no_format_of_ours_is_said(tmp_path: Path, leakwatch: Run) -> None:
    """A file that was named and holds nothing to lint is told on standard error, and is no failure."""
    (tmp_path / "values.yaml").write_text("replicas: 3\n")
    done = leakwatch("values.yaml")
    assert (done.returncode, done.stdout) == (0, "Nothing to lint was found.\n")
    assert done.stderr == "leakwatch: values.yaml: not linted, it is none of the formats that lint knows\n"
