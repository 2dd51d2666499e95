"""The small parts of lint: sizes, words of command lines, flags, edits, templates."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakwatch.findings import Edit
from leakwatch.lint.patch import chosen, diff, edited
from leakwatch.lint.quantity import docker_bytes, kubernetes_quantity
from leakwatch.lint.templates import filled, first_placeholder, is_helm
from leakwatch.lint.tf_flags import flags_of, values_of
from leakwatch.lint.words import Word, commands


@pytest.mark.parametrize(
    ("text", "kubernetes", "docker"),
    [
        ("8Gi", 8 * 2**30, 8 * 2**30),
        ("512m", 0.512, 512 * 2**20),
        ("512M", 512e6, 512 * 2**20),
        ("1.5g", None, 1.5 * 2**30),
        ("4096", 4096, 4096),
        ("1e9", 1e9, None),
        ("8GB", None, 8 * 2**30),
        ("", None, None),
        ("lots", None, None),
        ("9" * 400, None, None),
    ],
)
def test_sizes_are_read_as_their_platform_reads_them(text: str, kubernetes: float | None, docker: float | None) -> None:
    """m is a thousandth here and a mebibyte there; what neither reads is unknown."""
    assert kubernetes_quantity(text) == kubernetes
    assert docker_bytes(text) == docker


def words(text: str) -> list[list[tuple[str, int]]]:
    """The commands of a script as (word, line)."""
    return [[(word.text, word.line) for word in command] for command in commands(text)]


def test_commands_are_split_as_a_shell_does() -> None:
    """Continued lines, quotes, comments and separators; each word knows its line."""
    script = "# start\nA=1 exec server --a='x y' \\\n  --b=2 # why\nsleep 1; echo '#' b#c && wait\n"
    assert words(script) == [
        [("A=1", 2), ("exec", 2), ("server", 2), ("--a=x y", 2), ("--b=2", 3)],
        [("sleep", 4), ("1", 4)],
        [("echo", 4), ("#", 4), ("b#c", 4)],
        [("wait", 4)],
    ]


@given(st.text("ab'\"\\ \n;&|#()$`", max_size=50))
def test_no_script_breaks_the_splitting(text: str) -> None:
    """Whatever quotes stay open, there are words on lines of the text."""
    for command in commands(text):
        assert all(1 <= word.line <= text.count("\n") + 1 for word in command)


def test_flags_are_read_as_tensorflow_reads_them() -> None:
    """`--flag=value` counts, the last wins, a bare boolean is true, and a value apart is none."""
    line = ["--port=1", "--port=2", "--enable_batching", "--rest_api_port", "8501", "--unknown=1", "--version=False"]
    flags = flags_of([Word(text, 1) for text in line])
    assert values_of(flags) == {"port": "2", "enable_batching": "true"}
    assert [flag.name for flag in flags if flag.takes is None] == ["unknown"]
    assert [flag.name for flag in flags if not flag.is_valid] == ["version"]


LINES = st.lists(st.text("abc", max_size=3), min_size=1, max_size=12)


@given(LINES, st.data())
def test_patch_applies_a_diff_to_the_same_lines(lines: list[str], data: st.DataObject) -> None:
    """The diff of edits, read back by its own rules, gives the edited file."""
    edits = data.draw(
        st.lists(
            st.builds(
                Edit,
                st.integers(1, len(lines)),
                st.integers(0, 2),
                st.lists(st.text("xyz", max_size=3), max_size=2).map(tuple),
            ),
            max_size=4,
        )
    )
    kept = chosen(edit for edit in edits if edit.line + edit.removed - 1 <= len(lines))
    after = edited(lines, kept)
    assert len(after) == len(lines) + sum(len(edit.lines) - edit.removed for edit in kept)
    text = diff("f", lines, kept)
    assert (text == "") == (after == lines)


def test_the_patch_program_takes_a_diff(tmp_path: Path) -> None:
    """`leakwatch lint --diff | patch -p0` does what --fix does."""
    lines = [f"line {i}" for i in range(30)]
    (tmp_path / "f").write_text("\n".join(lines) + "\n")
    edits = [Edit(3, 1, ("new",)), Edit(10, 0, ("put in",)), Edit(20, 2, ())]
    try:
        subprocess.run(["patch", "-p0", "-s"], input=diff("f", lines, edits), text=True, cwd=tmp_path, check=True)
    except FileNotFoundError:
        pytest.skip("needs a Python-free machine's patch program")
    assert (tmp_path / "f").read_text().splitlines() == edited(lines, edits)


TEMPLATE = """\
{{- if .Values.enabled }}
kind: Deployment
metadata:
  name: {{ include "chart.fullname" . }}
  labels:
    {{- include "chart.labels" . | nindent 4 }}
spec:
  image: "{{ .Values.image.name }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
  {{- with .Values.resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- else }}
kind: Nothing
{{- end }}
"""


def test_values_fill_in_what_hangs_on_values() -> None:
    """Conditions, defaults, whole mappings; the lines keep their numbers."""
    text = filled(TEMPLATE, {"enabled": True, "image": {"name": "a"}, "resources": {"limits": {"memory": "1Gi"}}})
    lines = text.splitlines()
    assert len(lines) == len(TEMPLATE.splitlines())
    assert lines[3] == "  name: name" and lines[7] == '  image: "a:0"'
    assert lines[10].strip() == '{"limits": {"memory": "1Gi"}}'
    assert "Nothing" not in text and first_placeholder(text) is None
    assert "Nothing" in filled(TEMPLATE, {"enabled": False})


def test_what_needs_helm_is_left_standing() -> None:
    """A loop, or a function that we do not know, stays a placeholder on its line."""
    assert first_placeholder(filled("a\n{{- range .Values.list }}\n", {})) == 2
    assert first_placeholder(filled('a: {{ lookup "v1" "Secret" }}\n', {})) == 1


def test_an_alerts_own_template_is_none_of_helms() -> None:
    """`{{ $labels.pod }}` in an annotation is Prometheus'."""
    assert not is_helm("summary: '{{ $labels.pod }} has {{ $value | humanize }}'")
    assert is_helm("image: {{ .Values.image }}") and is_helm('name: {{ include "a" . }}')
