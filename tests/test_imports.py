"""The import contracts of .importlinter hold, and each one turns red where its rule is broken."""

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("leakwatch", "detectors", "playbooks")

# contract, file that is planted or appended to, the line that breaks the rule
VIOLATIONS = (
    ("layers", "leakwatch/trace.py", "import leakwatch.cli"),
    ("layers", "leakwatch/tell/planted.py", "import leakwatch.sample"),
    ("layers", "leakwatch/detect.py", "import leakwatch.diagnose"),
    ("layers", "leakwatch/tell/planted.py", "import leakwatch.lint.rule"),
    ("layers", "leakwatch/lint/planted.py", "import leakwatch.tell.units"),
    ("layers", "leakwatch/lint/planted.py", "import leakwatch.plan"),
    ("layers", "leakwatch/sample/planted.py", "from leakwatch.cli import main"),
    ("layers", "leakwatch/errors.py", "import leakwatch.trace"),
    ("layers", "leakwatch/agent.py", "import leakwatch.cli"),
    ("layers", "leakwatch/utils.py", "import math"),
    ("values-below", "leakwatch/trace.py", "from detectors.types import Verdict"),
    ("values-below", "leakwatch/findings.py", "import playbooks.types"),
    ("values-below", "leakwatch/quantities.py", "import playbooks.types"),
    ("layers", "leakwatch/serving_messages.py", "import leakwatch.trace"),
    ("detectors-alone", "detectors/planted.py", "from leakwatch.trace import Trace"),
    ("detectors-alone", "detectors/planted.py", "from playbooks.types import Fact"),
    ("playbooks-alone", "playbooks/planted.py", "from detectors.types import Verdict"),
    ("playbooks-alone", "playbooks/planted.py", "import leakwatch.errors"),
    ("types-alone", "detectors/types.py", "from detectors.assess import assess"),
    ("types-alone", "playbooks/types.py", "from playbooks.engine import walk"),
    ("detectors-door", "leakwatch/tell/planted.py", "from detectors.assess import assess"),
    ("detectors-door", "leakwatch/diagnose/planted.py", "import detectors.assess"),
    ("playbooks-door", "leakwatch/tell/planted.py", "from playbooks.engine import walk"),
    ("playbooks-door", "leakwatch/detect.py", "import playbooks.load"),
    ("detectors-front-door", "leakwatch/tell/planted.py", "import detectors"),
    ("playbooks-front-door", "leakwatch/tell/planted.py", "import playbooks"),
    ("detectors-pure", "detectors/planted.py", "import os"),
    ("detectors-pure", "detectors/planted.py", "from pathlib import Path"),
    ("detectors-pure", "detectors/planted.py", "import time"),
    ("detectors-pure", "detectors/planted.py", "import logging"),
    ("detectors-pure", "detectors/planted.py", "import socket"),
    ("detectors-pure", "detectors/planted.py", "from subprocess import run"),
    ("playbooks-pure", "playbooks/planted.py", "import numpy as np"),
    ("playbooks-pure", "playbooks/planted.py", "from time import time"),
    ("clients-at-the-edge", "leakwatch/planted.py", "def late():\n    import docker"),
    ("clients-at-the-edge", "leakwatch/sample/planted.py", "import rich.table"),
    ("clients-at-the-edge", "leakwatch/tell/planted.py", "import docker"),
    ("clients-at-the-edge", "leakwatch/sample/planted.py", "import grpc"),
    ("acyclic", "leakwatch/tell/__init__.py", "import leakwatch.tell.planted"),
    ("ships-alone", "leakwatch/planted.py", "import benchmarks.corpus"),
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the three packages and their contracts."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", tmp_path)
    return tmp_path


def lint_imports(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs import-linter in the tree, as `make check` does."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"]
    environment = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(
        [*command, "--no-cache", *arguments], cwd=tree, env=environment, capture_output=True, text=True, check=False
    )


def contracts() -> set[str]:
    """The names of the contracts that .importlinter holds."""
    config = configparser.ConfigParser()
    config.read(ROOT / ".importlinter")
    return {section.removeprefix("importlinter:contract:") for section in config.sections()} - {"importlinter"}


def test_the_tree_keeps_its_contracts(tree: Path) -> None:
    """No module of ours imports what it may not."""
    run = lint_imports(tree)
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize(("contract", "file", "line"), VIOLATIONS)
def test_a_planted_violation_turns_its_contract_red(tree: Path, contract: str, file: str, line: str) -> None:
    """One forbidden import, at the top of a file or inside a function, breaks exactly the contract that forbids it."""
    planted = tree / file
    with planted.open("a") as text:
        text.write(f"\n{line}\n")
    if contract == "acyclic":
        (tree / "leakwatch/tell/planted.py").write_text("import leakwatch.tell.units\n")
        with (tree / "leakwatch/tell/units.py").open("a") as text:
            text.write("\nimport leakwatch.tell.planted\n")
    run = lint_imports(tree, "--contract", contract)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "0 kept, 1 broken" in run.stdout


def test_every_contract_is_seen_to_turn_red() -> None:
    """A contract that nobody saw fail may hold nothing."""
    assert {contract for contract, _, _ in VIOLATIONS} == contracts()
