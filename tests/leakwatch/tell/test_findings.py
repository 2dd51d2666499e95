"""Findings as a screen, a document and SARIF: golden at two widths, and harmless whatever a manifest holds."""

import json
import re
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from leakwatch.findings import Edit, Finding, Severity
from leakwatch.tell.findings_document import as_json
from leakwatch.tell.findings_sarif import as_sarif
from leakwatch.tell.findings_table import render, render_diff

Golden = Callable[[str, str], None]

MANY = (
    Finding(
        "no-memory-limit",
        Severity.ERROR,
        "deploy/serving.yaml",
        17,
        "TF Serving 'ranker' has no memory limit: a leak takes the whole node, and the kernel may kill another first",
        "cgroup-v2",
    ),
    Finding(
        "unknown-flag",
        Severity.ERROR,
        "deploy/serving.yaml",
        121,
        "the server has no flag --grpc_max_thread: it prints a line and goes on; --grpc_max_threads is meant, perhaps",
        "main.cc",
        (Edit(121, 1, ("            - --grpc_max_threads=4",)),),
        "--- a\n+++ a\n",
    ),
    Finding(
        "grace-period-wasted",
        Severity.WARNING,
        "models.config",
        3,
        "every stop takes the whole 5 min",
        "main.cc",
        (Edit(3, 1, ("one", "two")),),
        "--- a\n+++ a\n",
    ),
    Finding("pdb-missing", Severity.NOTE, "models.config", 4, "3 replicas without a PodDisruptionBudget", "docs"),
)

TEXT = st.text(st.characters(codec=None), max_size=30)
PATHS = st.binary(min_size=1, max_size=20).map(lambda name: name.decode("utf-8", "surrogateescape"))
"""As the system gives them: any bytes."""
FINDINGS = st.lists(
    st.builds(
        Finding,
        st.just("unknown-flag"),
        st.sampled_from(Severity),
        PATHS,
        st.integers(1, 10**6),
        TEXT,
        TEXT,
        st.lists(st.builds(Edit, st.integers(1, 99), st.integers(0, 3), st.lists(TEXT, max_size=2).map(tuple))).map(
            tuple
        ),
        st.none() | TEXT,
    ),
    max_size=5,
)


def test_the_screen(golden: Golden) -> None:
    """By file, with line, severity, rule and the short fix; then the count."""
    for width in (80, 120):
        golden(f"findings_{width}.txt", render(MANY, 2, width=width, colour=False))


def test_colour_is_for_severity_and_fix() -> None:
    """Errors are red, warnings yellow, what can be mended green; without colour there is no escape at all."""
    coloured = render(MANY, 2, width=80, colour=True)
    assert re.search(r"\x1b\[1;31merror", coloured) and re.search(r"\x1b\[33mwarning", coloured)
    assert "\x1b" not in render(MANY, 2, width=80, colour=False)


def test_nothing_found_is_said() -> None:
    """A clean folder and an empty one are told apart."""
    assert render((), 3, width=80, colour=False) == "Nothing found in 3 files.\n"
    assert render((), 0, width=80, colour=False) == "Nothing to lint was found.\n"


@given(FINDINGS)
def test_what_a_manifest_holds_styles_and_breaks_nothing(findings: list[Finding]) -> None:
    """No escape, no markup and no line break of a file reaches the screen; lines keep to the width."""
    for line in render(findings, 1, width=60, colour=False).splitlines():
        assert line.isprintable()
        assert cell_len(line) <= 60
    for diff in render_diff([one.fix or "" for one in findings], width=60, colour=True).splitlines():
        assert re.sub(r"\x1b\[[0-9;]*m", "", diff).isprintable()


@given(FINDINGS)
def test_documents_are_ascii_whatever_they_hold(findings: list[Finding]) -> None:
    """Half characters, control characters and quotes come back as they were."""
    for text in (as_json(findings), as_sarif(findings, ())):
        assert text.isascii()
    read = json.loads(as_json(findings))["findings"]
    assert [(one["file"], one["message"]) for one in read] == [(one.file, one.message) for one in findings]
    for result in json.loads(as_sarif(findings, ()))["runs"][0]["results"]:
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].isprintable()
