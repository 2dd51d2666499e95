"""``leakwatch analyze``: parse, call, render, exit status."""

import os
import shutil
import sys
import time
from collections.abc import Callable

import click

from detectors.types import Answer, Assessment
from leakwatch.analyze import STANDARD_INPUT, Reading, analyze_sources, find_sources
from leakwatch.quantities import parse_duration, parse_size, parse_time
from leakwatch.sample.trace_files import FORMATS
from leakwatch.tell.outputs import OUTPUTS, SHOW_THE_CAUSE, Look, render
from leakwatch.tell.progress import with_progress
from leakwatch.tell.units import visible
from leakwatch.trace import Trace
from playbooks.types import Diagnosis

LEAST_WIDTH = 40
NOTHING_LEAKS, FAILED, LEAK, UNDECIDED = 0, 1, 10, 11


def _parsed(parse: Callable[[str], float]) -> Callable[[click.Context, click.Parameter, str | None], float | None]:
    def callback(context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
        try:
            return None if value is None else parse(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from error

    return callback


def _time_or_age(text: str) -> float:
    """A time, or, as docker and kubectl read it, a duration before now."""
    try:
        return time.time() - parse_duration(text)
    except ValueError:
        return parse_time(text)


def _limit(text: str) -> float:
    """A size; 0 and ``max`` are no limit, as in the column of that name."""
    return 0.0 if text.strip() in ("0", "max") else parse_size(text)


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("-o", "--output", type=click.Choice(OUTPUTS), default="table", show_default=True, help="Form of output.")
@click.option("--format", type=click.Choice(FORMATS), help="Form of the input; otherwise seen from its content.")
@click.option("--interval", metavar="D", callback=_parsed(parse_duration), help="Time between samples without a time.")
@click.option(
    "--limit", metavar="SIZE", callback=_parsed(_limit), help="The memory limit, in place of the trace's; max: none."
)
@click.option("--since", metavar="T", callback=_parsed(_time_or_age), help="Only from this time (or 6h: ago) on.")
@click.option("--until", metavar="T", callback=_parsed(_time_or_age), help="Only up to this time (or 1h: ago).")
@click.option("--strict", is_flag=True, help="Exit with 11 where something is undecided; JUnit: a failure.")
@click.option("--explain", is_flag=True, help="Show which explanations competed, and by how much they lost.")
@click.option("--no-color", is_flag=True, help="No colours; NO_COLOR and a pipe turn them off too.")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.pass_context
def command(
    context: click.Context,
    paths: tuple[str, ...],
    output: str,
    format: str | None,
    interval: float | None,
    limit: float | None,
    since: float | None,
    until: float | None,
    strict: bool,
    explain: bool,
    no_color: bool,
    debug: bool,
) -> int:
    """Does it leak? How fast, since when, how long is left, and why we say so.

    PATH is a file with a memory trace (CSV, Prometheus JSON or text, Grafana CSV, docker stats, mprof, psrecord;
    gzip, bzip2, xz or zstd), a folder of such files, or - for standard input. Times are RFC 3339 or Unix seconds.

    Exit status: 0 nothing leaks, 10 something does, 11 undecided (with --strict), 1 failed, 2 wrong usage.
    """
    if paths.count(STANDARD_INPUT) > 1:
        raise click.BadParameter("- (standard input) can be read once only", param_hint="PATH")
    sources = find_sources(paths)
    reading = Reading(
        format, interval, limit, since, until, keep_columns=output == "html", diagnosed=output in SHOW_THE_CAUSE
    )
    analyses: list[tuple[Trace, Assessment]] = []
    diagnoses: list[Diagnosis | None] = []
    failed = False
    for result in with_progress(analyze_sources(sources, reading), len(sources)):
        analyses += result.analyses
        diagnoses += result.diagnoses
        if result.error is not None:
            failed = True
            traceback = result.trace_back if debug or context.obj["debug"] else ""
            print(f"{traceback}leakwatch: {visible(result.error)}", file=sys.stderr)
    colour = not (no_color or context.obj["no_color"] or os.environ.get("NO_COLOR")) and _on_terminal()
    if analyses or output in ("json", "yaml", "junit"):
        # A pipe has no width: as much as the table wants, unless COLUMNS says otherwise.
        width, height = shutil.get_terminal_size((200 if output == "wide" else 100, 40))
        look = Look(max(width, LEAST_WIDTH), height, colour, explain, strict)
        click.echo(render(analyses, diagnoses, output, look), nl=False, color=True)
    answers = {assessment.verdict.verdict for _, assessment in analyses}
    if failed:
        return FAILED
    if Answer.LEAK in answers:
        return LEAK
    return UNDECIDED if strict and Answer.UNDECIDED in answers else NOTHING_LEAKS


def _on_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
