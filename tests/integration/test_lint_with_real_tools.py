"""What lint mends, the tools that read it take: Prometheus' own checker, Kubernetes' schemas, kustomize."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from leakwatch.lint.check import fixes, lint
from leakwatch.lint.patch import write

ROOT = Path(__file__).parents[2]
CASES = sorted((ROOT / "tests" / "leakwatch" / "lint" / "rules").glob("*.yaml"))
CORPUS = ROOT / "benchmarks" / "lint_corpus"
KUBERNETES = "1.32"
SINGLE = {
    path.stem: case for path in CASES for case in (yaml.safe_load(path.read_text()),) if isinstance(case["bad"], str)
}
RULES_FILES = sorted(rule for rule, case in SINGLE.items() if case["bad"].startswith("groups:"))
MANIFESTS = sorted(rule for rule, case in SINGLE.items() if "apiVersion:" in case["bad"] and "{{" not in case["bad"])


def mended(text: str, folder: Path) -> Path:
    """The text in a file, with every fix made."""
    path = folder / "input.yaml"
    path.write_text(text)
    for file, edits in fixes(lint([str(path)])).items():
        write(file, edits)
    return path


def problems(text: str) -> list[str]:
    """What Kubernetes' schemas have against the objects in a text; kinds that they do not know are passed over."""
    kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="needs kubernetes-validate")
    found = []
    for document in yaml.safe_load_all(text):
        try:
            kubernetes_validate.validate(document, KUBERNETES, strict=True)
        except kubernetes_validate.SchemaNotFoundError:
            continue
        except kubernetes_validate.ValidationError as error:
            found.append(str(error.message))
    return found


@pytest.mark.parametrize("rule", RULES_FILES)
def test_promtool_takes_mended_rules(rule: str, tmp_path: Path) -> None:
    """An alert is as valid after its fix as before, and so is the good one of its case."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("needs promtool")
    for text in (SINGLE[rule]["bad"], SINGLE[rule]["good"]):
        path = mended(text, tmp_path)
        done = subprocess.run([promtool, "check", "rules", str(path)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("rule", MANIFESTS)
def test_kubernetes_takes_mended_manifests(rule: str, tmp_path: Path) -> None:
    """A fix puts nothing where the API does not know it."""
    before = problems(SINGLE[rule]["bad"])
    assert set(problems(mended(SINGLE[rule]["bad"], tmp_path).read_text())) <= set(before)
    assert problems(SINGLE[rule]["good"]) == []


def test_the_good_manifests_are_valid() -> None:
    """The corpus that noise is measured on is one that a cluster would take."""
    for path in sorted(CORPUS.rglob("*.yaml")):
        text = path.read_text()
        if "apiVersion:" in text and "kustomize" not in path.parts:
            assert problems(text) == [], path


def test_kustomize_output_is_linted() -> None:
    """`kubectl kustomize overlay | leakwatch lint -`: the patch has been merged, and nothing is left to say."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("needs kubectl")
    overlay = CORPUS / "kustomize" / "overlays" / "production"
    rendered: Any = subprocess.run([kubectl, "kustomize", str(overlay)], capture_output=True, text=True, check=True)
    found = subprocess.run(
        [sys.executable, "-m", "leakwatch", "lint", "-"],
        input=rendered.stdout,
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert (found.returncode, found.stdout) == (0, "Nothing found in 1 file.\n"), found.stdout + found.stderr
