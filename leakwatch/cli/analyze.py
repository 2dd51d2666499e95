"""``leakwatch analyze``: parse, call, render, exit status."""

import sys

import click

from detectors.types import Answer, Assessment
from leakwatch.analyze import STANDARD_INPUT, Reading, analyze_sources, find_sources
from leakwatch.cli.parameters import parse_limit, parse_time_or_age, parsed, screen_size, wants_colour
from leakwatch.kills import LogEvidence
from leakwatch.quantities import parse_duration
from leakwatch.sample.trace_files import FORMATS
from leakwatch.tell.outputs import OUTPUTS, SHOW_THE_CAUSE, Look, render
from leakwatch.tell.progress import with_progress
from leakwatch.tell.units import visible
from leakwatch.trace import Trace
from playbooks.types import Diagnosis

NOTHING_LEAKS, FAILED, LEAK, UNDECIDED = 0, 1, 10, 11


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("-o", "--output", type=click.Choice(OUTPUTS), default="table", show_default=True, help="Form of output.")
@click.option("--format", type=click.Choice(FORMATS), help="Form of the input; otherwise seen from its content.")
@click.option("--interval", metavar="D", callback=parsed(parse_duration), help="Time between samples without a time.")
@click.option(
    "--limit",
    metavar="SIZE",
    callback=parsed(parse_limit),
    help="The memory limit, in place of the trace's; max: none.",
)
@click.option("--since", metavar="T", callback=parsed(parse_time_or_age), help="Only from this time (or 6h: ago) on.")
@click.option("--until", metavar="T", callback=parsed(parse_time_or_age), help="Only up to this time (or 1h: ago).")
@click.option("--logs", metavar="FILE", multiple=True, help="A log, or a folder of them: was it killed, and why?")
@click.option(
    "--playbooks",
    metavar="DIR",
    multiple=True,
    envvar="LEAKWATCH_PLAYBOOKS",
    help="A folder of playbooks that add to or replace the built-in ones by name.",
)
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
    logs: tuple[str, ...],
    playbooks: tuple[str, ...],
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
    if (*paths, *logs).count(STANDARD_INPUT) > 1:
        raise click.BadParameter("- (standard input) can be read once only", param_hint="PATH")
    sources = find_sources(paths)
    reading = Reading(
        format,
        interval,
        limit,
        since,
        until,
        keep_columns=output == "html",
        diagnosed=output in SHOW_THE_CAUSE or (output == "table" and len(sources) == 1),
        evidence=_evidence(logs),
        playbooks=playbooks,
    )
    if playbooks:
        from leakwatch.diagnose import read_trees  # only to refuse a bad tree before anything is read

        read_trees(playbooks)
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
    if analyses or output in ("json", "yaml", "junit"):
        width, height = screen_size(pipe_width=200 if output == "wide" else 100)
        look = Look(width, height, wants_colour(context, no_color), explain, strict)
        click.echo(render(analyses, diagnoses, output, look), nl=False, color=True)
    answers = {assessment.verdict.verdict for _, assessment in analyses}
    if failed:
        return FAILED
    if Answer.LEAK in answers:
        return LEAK
    return UNDECIDED if strict and Answer.UNDECIDED in answers else NOTHING_LEAKS


def _evidence(logs: tuple[str, ...]) -> LogEvidence | None:
    if not logs:
        return None
    from leakwatch.logs import read_all  # the matching engine, which a trace alone does not need
    from leakwatch.sample.log_files import Dating

    return LogEvidence(*read_all(logs, Dating()))
