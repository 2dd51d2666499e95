"""The built-in trees and the user's: by name, refused with every mistake, held to their cases."""

from pathlib import Path

import pytest

from leakwatch.diagnose.trees import BUILT_IN, facts_of_file, read_trees, try_built_in, try_folder
from leakwatch.errors import SettingsError
from playbooks.types import Fact

OWN = """\
about: our own
start: end
questions: {}
findings: {end: {cause: ours, confidence: likely, steps: [{do: call us}]}}
"""
CASES = "- {case: any, facts: {}, path: [q unknown], finding: end}\n"


def put(folder: Path, **files: str) -> str:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return str(folder)


def test_the_built_in_trees() -> None:
    """All of them hold, and without folders they are all there are."""
    assert read_trees(()) is BUILT_IN
    trials = try_built_in()
    assert [trial.tree for trial in trials] == sorted(BUILT_IN)
    assert all(trial.cases and not trial.problems for trial in trials)
    with pytest.raises(KeyError):
        BUILT_IN["no_such_tree"]


def test_own_trees_add_and_replace(tmp_path: Path) -> None:
    """A tree of a built-in name takes its place, another is added, and the later folder has the last word."""
    first, second = tmp_path / "1", tmp_path / "2"
    first.mkdir()
    second.mkdir()
    put(first, memory_leak=OWN, extra=OWN)
    put(second, extra=OWN.replace("ours", "theirs"))
    trees = read_trees((str(first), str(second)))
    assert trees["memory_leak"].about == "our own" and trees["oom_killed"] == BUILT_IN["oom_killed"]
    assert set(trees) == {*BUILT_IN, "extra"}
    assert trees["extra"].nodes["end"].cause == "theirs"  # type: ignore[union-attr]


def test_every_mistake_of_every_tree(tmp_path: Path) -> None:
    """All mistakes of all files come in one report, each with its file and line; nothing is used."""
    put(tmp_path, a=OWN.replace("likely", "sure"), b="start: x\n", c=OWN.replace("steps", "then: nowhere, steps"))
    with pytest.raises(SettingsError) as error:
        read_trees((str(tmp_path), str(tmp_path / "gone")))
    problems = error.value.problems
    assert any(
        problem.startswith(f"{tmp_path}/a.yaml:4: confidence of finding 'end' is 'sure'") for problem in problems
    )
    assert any(problem.startswith(f"{tmp_path}/b.yaml:1: a playbook lacks 'about'") for problem in problems)
    assert any(problem.startswith("c: goes on to 'nowhere'") for problem in problems)
    assert any(problem.startswith(f"{tmp_path}/gone: No such file") for problem in problems)


def test_what_is_no_tree(tmp_path: Path) -> None:
    """An empty folder, bytes that are no text and two trees of one name are mistakes, and no traceback."""
    with pytest.raises(SettingsError, match="holds no playbook"):
        read_trees((put(tmp_path),))
    (tmp_path / "x.yaml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "y.yaml").write_text(OWN)
    (tmp_path / "y.yml").write_text(OWN)
    with pytest.raises(SettingsError) as error:
        read_trees((str(tmp_path), str(tmp_path)))
    assert "is no UTF-8 text" in str(error.value) and "a second tree of that name" in str(error.value)


def test_trials_of_a_folder(tmp_path: Path) -> None:
    """Cases lie in the folder ``cases``; a tree without any is told for every branch, a bad one with its line."""
    when = "{fact: restarts, operator: below, operand: 1}"
    question = f"questions: {{q: {{ask: A?, when: {when}, yes: end, no: end, unknown: end}}}}"
    asking = OWN.replace("questions: {}", question).replace("start: end", "start: q")
    (tmp_path / "cases").mkdir()
    put(tmp_path, asking=asking, bare=asking, broken="[")
    put(tmp_path / "cases", asking=CASES)
    asked, bare, broken = try_folder(str(tmp_path))
    assert asked.cases == 1 and [problem.rpartition(": ")[2] for problem in asked.problems] == [
        "no case reaches the answer yes of question 'q'",
        "no case reaches the answer no of question 'q'",
    ]
    assert len(bare.problems) == 4
    assert broken.problems[0].startswith(f"{tmp_path}/broken.yaml:")


def test_facts_of_a_file(tmp_path: Path) -> None:
    """Facts that somebody wrote down are read; mistakes name the file and the line."""
    path = tmp_path / "facts.yaml"
    path.write_text("cpu_ratio: 0.9\n")
    assert facts_of_file(str(path)) == (Fact("cpu_ratio", 0.9),)
    path.write_text("cpu: 0.9\n")
    with pytest.raises(SettingsError, match=r"facts\.yaml:1: the facts hold an unknown fact 'cpu'"):
        facts_of_file(str(path))
    with pytest.raises(SettingsError, match="No such file"):
        facts_of_file(str(tmp_path / "gone.yaml"))
