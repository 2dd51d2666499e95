"""``leakwatch backtest``: parse, call, render, exit status."""

import sys

import click

from leakwatch.analyze import STANDARD_INPUT, find_sources
from leakwatch.backtest import replay_sources
from leakwatch.cli.parameters import parse_limit, parsed, screen_size, wants_colour
from leakwatch.quantities import parse_duration
from leakwatch.sample.trace_files import FORMATS
from leakwatch.tell.backtests import Backtest, as_json, as_table
from leakwatch.tell.progress import with_progress
from leakwatch.tell.units import visible

QUIET, FAILED, LEAK = 0, 1, 10
OUTPUTS = ("table", "json")


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("-o", "--output", type=click.Choice(OUTPUTS), default="table", show_default=True, help="Form of output.")
@click.option("--format", type=click.Choice(FORMATS), help="Form of the input; otherwise seen from its content.")
@click.option("--interval", metavar="D", callback=parsed(parse_duration), help="Time between samples without a time.")
@click.option(
    "--limit", metavar="SIZE", callback=parsed(parse_limit), help="The memory limit in place of the trace's; max: none."
)
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
    no_color: bool,
    debug: bool,
) -> int:
    """What would an agent have done? Replays traces through the live detector, sample by sample.

    PATH is a file with a memory trace, in any form that analyze reads, a folder of such files, or - for standard input.

    Exit status: 0 no leak would have been told, 10 one would, 1 failed, 2 wrong usage.
    """
    if paths.count(STANDARD_INPUT) > 1:
        raise click.BadParameter("- (standard input) can be read once only", param_hint="PATH")
    sources = find_sources(paths)
    backtests: list[Backtest] = []
    failed = False
    results = replay_sources(sources, format=format, interval_seconds=interval, limit_bytes=limit)
    for result in with_progress(results, len(sources)):
        backtests += result.backtests
        if result.error is not None:
            failed = True
            traceback = result.trace_back if debug or context.obj["debug"] else ""
            print(f"{traceback}leakwatch: {visible(result.error)}", file=sys.stderr)
    if output == "json":
        click.echo(as_json(backtests), nl=False)
    elif backtests:
        width, _ = screen_size(pipe_width=160)
        click.echo(as_table(backtests, width=width, colour=wants_colour(context, no_color)), nl=False, color=True)
    if failed:
        return FAILED
    return LEAK if any(one.first_alert is not None for one in backtests) else QUIET
