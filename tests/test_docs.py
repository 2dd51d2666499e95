"""What the documents show is what happens."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def run_snippets(*files: Path) -> subprocess.CompletedProcess[str]:
    """The checker on these files, as a process."""
    command = [sys.executable, str(ROOT / "docs" / "run_snippets.py"), *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_snippet_runs_and_prints_what_is_shown(document: Path) -> None:
    """A reader who copies a command from a document sees what the document shows."""
    run = run_snippets(document)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    ("snippet", "status"),
    [
        ("```console\n$ echo 4 MiB\n4 MiB\n```\n", 0),
        ("```console\n$ echo 4 MiB\n5 MiB\n```\n", 1),
        ("```console\n$ printf 'a\\nb\\nc\\n'\na\n...\nc\n```\n", 0),
        ("```console\n$ printf 'a\\nb\\nc\\n'\na\n...\nd\n```\n", 1),
        ("```console\n$ echo a \\\n> b\na b\n```\n", 0),
        ("```console\n$ exit 10\n```\n", 0),
        ("```console\n$ no-such-command\n```\n", 1),
        ("```console\nno prompt\n```\n", 1),
        ("```python\nimport leakwatch\n```\n", 0),
        ("```python\nimport no_such_module\n```\n", 1),
        ("```sh\nmake test\n```\n", 0),
        ("```sh\nmake no-such-target\n```\n", 1),
    ],
)
def test_a_document_that_says_something_else_is_found(tmp_path: Path, snippet: str, status: int) -> None:
    """A wrong figure, a failing command, a broken program and a target that is gone are all reported."""
    document = tmp_path / "document.md"
    document.write_text(snippet)
    assert run_snippets(document).returncode == status


def test_the_documents_use_only_fences_that_are_checked() -> None:
    """A fence without a language, or in one that nobody runs, would be a snippet that nobody checks."""
    for document in DOCUMENTS:
        fences = [line for line in document.read_text().splitlines() if line.startswith("```")]
        assert set(fences[0::2]) <= {"```console", "```python", "```sh", "```text", "```yaml", "```json"}, document
        assert set(fences[1::2]) <= {"```"}, document


def test_nobody_is_told_to_install_another_project() -> None:
    """The bare name on the package index belongs to somebody else."""
    for document in DOCUMENTS:
        assert "pip install leakwatch" not in document.read_text().replace("pip install leakwatch-agent", "")


def test_every_command_has_its_page() -> None:
    """What the page of a command says is what its help says."""
    command = [sys.executable, str(ROOT / "docs" / "write_commands.py"), "--check"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert run.returncode == 0, run.stderr


def test_no_link_between_the_documents_is_broken(tmp_path: Path) -> None:
    """Every link and every anchor leads somewhere."""
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "commands" / "analyze" / "index.html").is_file()
