"""Whatever lies in a folder, lint ends, says in one line what it could not read, and reads the rest."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leakwatch.findings import Severity
from leakwatch.lint.check import lint
from leakwatch.lint.project import Project
from leakwatch.lint.recognise import recognise
from leakwatch.lint.rule import Hit, Rule
from leakwatch.lint.rules import RULES
from leakwatch.lint.search import LARGEST_BYTES
from leakwatch.lint.source_text import SourceText
from leakwatch.lint.subjects import Container

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n    - {name: a, image: 'a:1'}\n"
CORPUS = Path(__file__).parents[3] / "benchmarks" / "lint_corpus"
CASES = Path(__file__).parent / "rules"
TEXTS = sorted(path.read_text() for path in CORPUS.rglob("*") if path.is_file()) + sorted(
    text
    for path in CASES.glob("*.yaml")
    for text in (yaml.safe_load(path.read_text())["bad"],)
    if isinstance(text, str)
)
"""Every manifest and configuration at hand, good and bad."""


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("bomb.yaml", b"a: &a [x]\n" + b"".join(b"b%d: &b%d [*a, *a]\n" % (i, i) for i in range(9)), None),
        ("loop.yaml", b"a: &a\n  b: *a\n", "refers to itself"),
        ("tower.yaml", b"[" * 200_000, "nest"),
        ("binary.yaml", b"kind: \0\1\2", "binary"),
        ("latin.yaml", b"kind: caf\xe9\n", "not UTF-8"),
        ("huge.yaml", b"#" * (LARGEST_BYTES + 1), "larger than 8 MiB"),
        ("broken.yaml", b"kind: [\n", "no YAML"),
        ("template.yaml", b"kind: {{ .Values.kind }}\n{{- range .Values.all }}\n", None),
        ("jinja.yaml", b"kind: Pod\n{% for a in b %}\n{{ a }}\n{% endfor %}\n", None),
        ("empty.yaml", b"", None),
        ("data.bin", b"\0" * 100, None),
        ("photo.txt", b"\x89PNG\r\n\0", None),
    ],
)
def test_one_bad_file_is_one_line_and_the_rest_goes_on(
    name: str, content: bytes, said: str | None, tmp_path: Path
) -> None:
    """An error where a manifest was to be expected, silence or a note otherwise; the file beside it is linted."""
    (tmp_path / name).write_bytes(content)
    (tmp_path / "pod.yaml").write_text(POD)
    report = lint([str(tmp_path)])
    assert [one.rule for one in report.findings if one.file.endswith("pod.yaml")] == ["no-memory-limit"]
    assert len(report.errors) == (said is not None)
    if said is not None:
        assert said in report.errors[0] and name in report.errors[0] and "\n" not in report.errors[0]
    assert [one.rule for one in report.findings if name in one.file] in ([], ["template-not-rendered"])


def test_links_that_run_in_circles_end(tmp_path: Path) -> None:
    """A link to the folder above, one to itself and one to nowhere are passed over; a file with two names is read "
    "once."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "pod.yaml").write_text(POD)
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "self.yaml").symlink_to("self.yaml")
    (tmp_path / "a" / "gone.yaml").symlink_to("nowhere")
    (tmp_path / "again.yaml").symlink_to("a/pod.yaml")
    report = lint([str(tmp_path)])
    assert (len(report.findings), report.errors) == (1, ())
    named = lint([str(tmp_path / "a" / "self.yaml")])
    assert len(named.errors) == 1


def test_what_is_named_twice_is_linted_once(tmp_path: Path) -> None:
    """A folder and a file in it, or one file by two paths."""
    (tmp_path / "pod.yaml").write_text(POD)
    path = str(tmp_path / "pod.yaml")
    assert len(lint([str(tmp_path), path, path, f"{tmp_path}/./pod.yaml"]).findings) == 1


def test_weights_are_not_read(tmp_path: Path) -> None:
    """The variables of a SavedModel are measured only; a folder of that name elsewhere is searched."""
    for folder in ("a/1/variables", "terraform/variables"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "pod.yaml").write_text(POD)
    (tmp_path / "a/1/saved_model.pb").write_bytes(b"x")
    assert [one.file.removeprefix(f"{tmp_path}/") for one in lint([str(tmp_path)]).findings] == [
        "terraform/variables/pod.yaml"
    ]


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """A FIFO in a folder is passed over, and named it is one error."""
    os.mkfifo(tmp_path / "fifo.yaml")
    assert lint([str(tmp_path)]).errors == ()
    assert "no regular file" in lint([str(tmp_path / "fifo.yaml")]).errors[0]


def test_a_rule_that_fails_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    """A fault of ours costs one line, not the run."""

    def broken(container: Container, project: Project) -> Iterator[Hit]:
        raise ZeroDivisionError("of a rule")
        yield

    (tmp_path / "pod.yaml").write_text(POD)
    planted = Rule("planted", Severity.ERROR, "planted", "It fails.", "here", Container, broken)
    report = lint([str(tmp_path)], rules=(planted, *RULES))
    assert [one.rule for one in report.findings] == ["no-memory-limit"]
    [error] = report.errors
    assert "rule planted failed (ZeroDivisionError: of a rule); this is a fault of leakwatch" in error


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(TEXTS), st.data())
def test_no_rule_trips_over_a_damaged_manifest(text: str, data: st.DataObject) -> None:
    """Lines lost, doubled, cut or moved in or out: every rule still ends with findings on lines of the file."""
    lines = text.splitlines()
    for _ in range(data.draw(st.integers(0, 4))):
        i = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.integers(0, 5)):
            case 0:
                lines[i] = ""
            case 1:
                lines.insert(i, lines[i])
            case 2:
                lines[i] = lines[i][: data.draw(st.integers(0, len(lines[i])))]
            case 3:
                lines[i] = "  " + lines[i]
            case 4:
                lines[i] = lines[i].replace(":", ": [", 1)
            case 5:
                lines[i] = (
                    lines[i].partition(":")[0]
                    + ": "
                    + data.draw(st.sampled_from(["", "{}", "[]", "-1", "1e400", "~", "${X}", "é"]))
                )
    text = "\n".join(lines)
    source = SourceText("input.yaml", text)
    project = Project(tuple(recognise(source).subjects))
    for subject in project.subjects:
        for rule in RULES:
            if isinstance(subject, rule.subject):
                for hit in rule.check(subject, project):
                    assert 0 <= hit.line <= len(lines) + 1, (rule.id, hit)
                    assert hit.message and "\n" not in hit.message
                    assert all(1 <= edit.line <= len(lines) + 1 for edit in hit.edits)
