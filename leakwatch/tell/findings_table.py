"""Findings as a screen: a heading for each file, and under it each finding with its line, severity and rule."""

# ruff: noqa: TID253 - rich is what this file is for; it is itself imported only where a screen is drawn.
from collections.abc import Sequence
from itertools import groupby

from rich.table import Table
from rich.text import Text

from leakwatch.findings import Finding, Severity
from leakwatch.tell import units
from leakwatch.tell.screen import screen

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
_DIFF_STYLES = {"+": "green", "-": "red", "@": "cyan"}
_MARK = "fix"
"""Beside a finding that --fix mends."""
_LONGEST_HINT = 40


def render(findings: Sequence[Finding], looked_at: int, *, width: int, colour: bool) -> str:
    """The findings by file, in their order, and a line that counts them.

    Args:
        findings: those of a file stand together.
        looked_at: how many files held something to lint.
        width: columns of the screen.
        colour: whether to use ANSI colours.
    """
    console = screen(width, colour=colour)
    number_width = max((len(str(one.line)) for one in findings), default=1)
    with console.capture() as capture:
        for file, of_file in groupby(findings, key=lambda one: one.file):
            console.print(Text(units.visible(file), "bold underline"))
            console.print(_table(list(of_file), number_width))
            console.print()
        console.print(_summary(findings, looked_at))
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def _table(findings: Sequence[Finding], number_width: int) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right", style="dim", no_wrap=True, min_width=number_width + 2)
    table.add_column(no_wrap=True, min_width=max(map(len, _STYLES)))
    table.add_column(overflow="fold")
    for one in findings:
        message = Text(units.visible(one.message))
        message.append(f"  {one.rule}", "dim")
        if one.fix is not None:
            message.append(f"  [{_hint(one)}]", "green")
        table.add_row(str(one.line), Text(str(one.severity), _STYLES[one.severity]), message)
    return table


def _hint(finding: Finding) -> str:
    """What the line becomes, where it is one short line that holds nothing else."""
    new = [line.strip().removeprefix("- ") for edit in finding.edits for line in edit.lines]
    short = len(new) == 1 and len(new[0]) <= _LONGEST_HINT and not set(new[0]) & set("{}\"'")
    return units.visible(f"{_MARK}: {new[0]}") if short else _MARK


def _summary(findings: Sequence[Finding], looked_at: int) -> Text:
    files = units.count(looked_at, "file")
    if not findings:
        return Text(
            f"Nothing found in {files}." if looked_at else "Nothing to lint was found.", "bold green" * (looked_at > 0)
        )
    counts = {severity: sum(one.severity is severity for one in findings) for severity in Severity}
    text = Text()
    for severity, number in counts.items():
        if number:
            text.append(", " if text else "")
            text.append(units.count(number, str(severity)), _STYLES[severity])
    text.append(f" in {files}.")
    mended = sum(one.fix is not None for one in findings)
    if mended:
        text.append(f" {mended} of them can be mended: --diff shows how, --fix does it.")
    return text


def render_diff(diffs: Sequence[str], *, width: int, colour: bool) -> str:
    """Unified diffs one after the other, coloured where asked for."""
    text = "".join(diffs)
    if not colour:
        return text
    console = screen(width, colour=True)
    with console.capture() as capture:
        for line in text.splitlines():
            console.print(Text(units.visible(line), _DIFF_STYLES.get(line[:1], "")), soft_wrap=True)
    return capture.get()
