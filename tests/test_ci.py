"""The gates of .ci/ close where they should: skipped tests of real components, and branches that no test takes."""

import runpy
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[1]
BRANCH_FLOOR = ROOT / ".ci" / "branch_floor.py"


# name, a test file's text, what becomes of it where every real component is required
SKIPS = (
    ("mark", "@pytest.mark.skipif(True, reason='needs chromium')\ndef test(): pass", "error"),
    ("call", "def test():\n    pytest.skip('needs tmux')", "failure"),
    ("fixture", "@pytest.fixture\ndef it():\n    pytest.skip('needs chromium')\ndef test(it): pass", "error"),
    ("module", "pytest.skip('needs redis', allow_module_level=True)", "error"),
    ("import", "pytest.importorskip('no_such_module')", "error"),
    ("interpreter", "def test():\n    pytest.skip('needs a Python 3.13')", "skipped"),
    ("kubectl", "def test():\n    pytest.skip('needs kubectl')", "skipped"),
    ("shared", "def test():\n    pytest.skip('needs ../shared/corpus')", "skipped"),
    ("xfail", "@pytest.mark.xfail(reason='known')\ndef test():\n    assert False", "skipped"),
    ("passing", "def test(): pass", "passed"),
)


def outcomes(folder: Path, *arguments: str) -> dict[str, str]:
    """What becomes of every file of SKIPS, run beside our own conftest.py in a process of its own."""
    (folder / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text())
    for name, source, _ in SKIPS:
        (folder / f"test_{name}.py").write_text(f"import pytest\n\n{source}\n")
    report = folder / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder)]
    command += ["--continue-on-collection-errors", f"--junit-xml={report}", *arguments]
    subprocess.run(command, cwd=folder, capture_output=True, check=False)
    return {
        (case.get("classname") or case.get("name", "")).removeprefix("test_"): case[0].tag if len(case) else "passed"
        for case in ElementTree.parse(report).iter("testcase")
    }


def test_a_skip_fails_where_real_components_are_required(tmp_path: Path) -> None:
    """Under --require-real only a missing interpreter, kubectl or ../shared excuses a skip, whatever way it is said."""
    assert outcomes(tmp_path, "--require-real") == {name: expected for name, _, expected in SKIPS}


def test_a_skip_is_a_skip_for_everyone_else(tmp_path: Path) -> None:
    """On a reader's own machine a missing browser is no failure."""
    assert set(outcomes(tmp_path).values()) == {"skipped", "passed"}


def test_branches_are_counted_for_one_package_alone() -> None:
    """A well-tested neighbour, or a package whose name begins alike, does not lift the figure."""
    branch_percent = runpy.run_path(str(BRANCH_FLOOR))["branch_percent"]
    files = {
        "detectors/a.py": {"summary": {"num_branches": 6, "covered_branches": 3}},
        "detectors/b.py": {"summary": {"num_branches": 2, "covered_branches": 2}},
        "detectors_more/c.py": {"summary": {"num_branches": 90, "covered_branches": 90}},
    }
    assert branch_percent(files, "detectors") == 62.5
    with pytest.raises(LookupError, match="playbooks"):
        branch_percent(files, "playbooks")


def test_an_untaken_branch_closes_the_gate(tmp_path: Path) -> None:
    """A package whose else is never taken lies under the floor though every line of it runs."""
    package = tmp_path / "detectors"
    package.mkdir()
    (package / "__init__.py").write_text("def positive(x):\n    y = 0\n    if x > 0:\n        y = x\n    return y\n")
    use = "import detectors; detectors.positive(1)"
    coverage = [sys.executable, "-m", "coverage"]
    subprocess.run([*coverage, "run", "--branch", "-m", "timeit", "-n1", "-r1", use], cwd=tmp_path, check=True)
    for floor, status in (("50", 0), ("51", 1)):
        gate = [sys.executable, str(BRANCH_FLOOR), "--floor", floor, "detectors"]
        run = subprocess.run(gate, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert run.returncode == status, run.stdout + run.stderr
        assert "50.0 %" in run.stdout
