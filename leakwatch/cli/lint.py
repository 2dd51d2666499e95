"""``leakwatch lint``: parse, call, render, exit status."""

import sys
from collections.abc import Callable
from functools import partial

import click

from leakwatch.cli.parameters import parsed, screen_size, wants_colour
from leakwatch.findings import Severity
from leakwatch.lint.check import Report, fixes, lint
from leakwatch.lint.patch import diff, lines_of, write
from leakwatch.lint.rules import RULES
from leakwatch.lint.search import STANDARD_INPUT
from leakwatch.lint.values import read_values
from leakwatch.quantities import parse_size, shown
from leakwatch.tell.findings_outputs import OUTPUTS, findings_as_text
from leakwatch.tell.units import count, visible

NOTHING_FOUND, FAILED, FOUND = 0, 1, 10
_PASSES = 4
"""A fix may stand on lines that another has just changed; more than a few rounds would be a fault of the rules."""


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("-o", "--output", type=click.Choice(OUTPUTS), default="table", show_default=True, help="Form of output.")
@click.option("--values", metavar="FILE", multiple=True, help="Values that fill in Helm templates; later ones win.")
@click.option(
    "--model-size",
    metavar="SIZE",
    callback=parsed(parse_size),
    help="Of one version of a model that is not on this disk.",
)
@click.option("--ignore", metavar="RULE", multiple=True, help="A rule that is not asked; repeatable.")
@click.option("--diff", "diffing", is_flag=True, help="Show what --fix would change, and nothing else.")
@click.option("--fix", "fixing", is_flag=True, help="Mend what can be mended; then show what is left.")
@click.option("--no-color", is_flag=True, help="No colours; NO_COLOR and a pipe turn them off too.")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.pass_context
def command(
    context: click.Context,
    paths: tuple[str, ...],
    output: str,
    values: tuple[str, ...],
    model_size: float | None,
    ignore: tuple[str, ...],
    diffing: bool,
    fixing: bool,
    no_color: bool,
    debug: bool,
) -> int:
    """What will eat memory, get a pod killed, or hide it: found in the files, before it runs.

    PATH is a file, a folder that is searched, or - for standard input (helm template . | leakwatch lint -): Kubernetes
    manifests, compose files, docker inspect, shell scripts, TF Serving's model, batching and monitoring configurations,
    Prometheus rules; all recognised by their content.

    Exit status: 0 no errors or warnings, 10 some, 1 a file could not be read, 2 wrong usage.
    """
    if paths.count(STANDARD_INPUT) > 1:
        raise click.BadParameter("- (standard input) can be read once only", param_hint="PATH")
    if diffing and (fixing or output != "table"):
        raise click.UsageError("--diff is a form of its own; leave out --fix and --output")
    if fixing and STANDARD_INPUT in paths:
        raise click.UsageError("--fix cannot write to standard input; name files, or use --diff")
    if unknown := set(ignore) - {rule.id for rule in RULES}:
        raise click.BadParameter(
            f"there is no rule {shown(min(unknown))}; docs/lint.md lists them", param_hint="--ignore"
        )
    rules = tuple(rule for rule in RULES if rule.id not in ignore)
    look = partial(
        lint, paths, values=read_values(values) if values else None, model_size_bytes=model_size, rules=rules
    )
    report = look()
    if fixing:
        report = _fixed(report, look)
    width, _ = screen_size(pipe_width=100)
    colour = wants_colour(context, no_color)
    if diffing:
        from leakwatch.tell.findings_table import render_diff

        edits = fixes(report)
        diffs = [diff(file, lines_of(report.texts[file]), edits[file]) for file in edits]
        click.echo(render_diff(diffs, width=width, colour=colour), nl=False, color=True)
    else:
        text = findings_as_text(report.findings, report.looked_at, RULES, output, width=width, colour=colour)
        click.echo(text, nl=False, color=True)
    for error in report.errors:
        print(f"leakwatch: {visible(error)}", file=sys.stderr)
    for file in report.ignored:
        print(f"leakwatch: {visible(file)}: not linted, it is none of the formats that lint knows", file=sys.stderr)
    if report.errors:
        return FAILED
    return FOUND if any(one.severity is not Severity.NOTE for one in report.findings) else NOTHING_FOUND


def _fixed(report: Report, look: Callable[[], Report]) -> Report:
    """Write the fixes, look again, until nothing is left to write; tells how much was done."""
    before, written = len(report.findings), set()
    for _ in range(_PASSES):
        edits = fixes(report)
        if not edits:
            break
        for file, of_file in edits.items():
            write(file, of_file)
            written.add(file)
        report = look()
    mended = max(before - len(report.findings), 0)
    if written:
        print(f"leakwatch: mended {count(mended, 'finding')} in {count(len(written), 'file')}", file=sys.stderr)
    return report
