"""``leakwatch logs``: parse, call, render, exit status."""

import os
import sys
from datetime import tzinfo
from zoneinfo import ZoneInfo

import click

from detectors.types import Incident
from leakwatch.cli.parameters import parse_time_or_age, parsed, screen_width, wants_colour
from leakwatch.logs import follow, scan
from leakwatch.quantities import parse_time, shown
from leakwatch.sample.log_files import STANDARD_INPUT, Dating, find_logs
from leakwatch.tell.event_outputs import OUTPUTS, events_as_text, heading, incidents_as_text
from leakwatch.tell.event_table import EventLook
from leakwatch.tell.units import count, visible

NOTHING_PROVEN, FAILED, OOM = 0, 1, 10
ROWS_OF_A_TABLE = 1000
"""After which another is begun: how wide a table is, all of its rows decide, and they must fit into memory."""


def _parse_zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        raise ValueError(f"{shown(name)} is no time zone; write for example UTC or Europe/Berlin") from None


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    type=click.Choice(OUTPUTS),
    default="table",
    show_default=True,
    help="A table, or JSON Lines: one object an event.",
)
@click.option("-f", "--follow", "following", is_flag=True, help="Go on with what is written from now on.")
@click.option("--summary", is_flag=True, help="One row an incident: what was killed, by which limit, is it proven.")
@click.option("--since", metavar="T", callback=parsed(parse_time_or_age), help="Only from this time (or 6h: ago) on.")
@click.option("--fail-on-oom", is_flag=True, help="Exit with 10 where an OOM is proven.")
@click.option("--year", metavar="YYYY", type=click.IntRange(1970, 9999), help="Of stamps that bear none (syslog).")
@click.option("--zone", metavar="NAME", callback=parsed(_parse_zone), help="Of stamps that bear none.")
@click.option("--boot", metavar="T", callback=parsed(parse_time), help="When the machine of '[123.4]' stamps booted.")
@click.option("--no-color", is_flag=True, help="No colours; NO_COLOR and a pipe turn them off too.")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.pass_context
def command(
    context: click.Context,
    paths: tuple[str, ...],
    output: str,
    following: bool,
    summary: bool,
    since: float | None,
    fail_on_oom: bool,
    year: int | None,
    zone: tzinfo | None,
    boot: float | None,
    no_color: bool,
    debug: bool,
) -> int:
    """Which lines are memory events, what each says, and what was killed by which limit.

    PATH is a log (kernel, journal, kubelet, container runtime, TensorFlow, application; pod JSON, YAML or describe
    text; in any mixture; gzip, bzip2, xz or zstd), a folder of logs, /dev/kmsg, or - for standard input
    (journalctl -o json | leakwatch logs -).

    Exit status: 0, 10 an OOM is proven (with --fail-on-oom), 1 failed, 2 wrong usage.
    """
    if paths.count(STANDARD_INPUT) > 1:
        raise click.BadParameter("- (standard input) can be read once only", param_hint="PATH")
    if following and summary:
        raise click.UsageError("--summary needs the end of the logs; leave out --follow")
    dating = Dating(year, zone, boot)
    sources = paths if following else find_logs(paths)
    results = follow(sources, dating) if following else scan(sources, dating)
    look = EventLook(output, screen_width(), wants_colour(context, no_color), sources)
    for source in sources if following else ():
        if source != STANDARD_INPUT and not os.path.lexists(source):
            print(f"leakwatch: {visible(source)}: is not there yet; waiting for it", file=sys.stderr)
    incidents: list[tuple[str, Incident]] = []
    failed = proven = shown = False
    undated = 0
    if not summary:
        click.echo(heading(look), nl=False)
    for found in results:
        kept = [event for event in found.events if event.at is None or since is None or event.at >= since]
        proven = proven or any(event.proves_oom for event in kept)
        undated += sum(event.at is None for event in kept)
        if summary:
            incidents += [(found.source, one) for one in found.incidents if one.at is None or one.at >= (since or 0)]
            if output == "json" or len(incidents) >= ROWS_OF_A_TABLE:
                click.echo(incidents_as_text(incidents, look), nl=False, color=True)
                incidents.clear()
                shown = True
        elif kept:  # echo flushes: whoever reads along sees each event as soon as we do
            click.echo(events_as_text(found.source, kept, look), nl=False, color=True)
        if found.error is not None:
            failed = True
            print(f"leakwatch: {visible(found.error)}", file=sys.stderr)
    if incidents or summary and not shown:
        click.echo(incidents_as_text(incidents, look), nl=False, color=True)
    if since is not None and undated:
        note = f"shown whatever --since says, for want of a time that could be told: {count(undated, 'event')}"
        print(f"leakwatch: {note}", file=sys.stderr)
    if failed:
        return FAILED
    return OOM if fail_on_oom and proven else NOTHING_PROVEN
