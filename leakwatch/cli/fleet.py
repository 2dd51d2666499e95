"""``leakwatch fleet``: parse, call, render, exit status."""

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import closing, nullcontext
from typing import Any

import click

from leakwatch.cli.parameters import parse_time_or_age, parsed, screen_size, wants_colour
from leakwatch.quantities import parse_duration, parse_size
from leakwatch.tell.units import visible

NOTHING_LEAKS, FAILED, LEAK = 0, 1, 10
OUTPUTS = ("table", "json", "jsonl", "parquet", "html")
GROUPS = ("workload", "image", "node")
PAST_SECONDS = 2 * 86_400.0


class FleetGroup(click.Group):
    """``fleet PATH...`` judges; ``fleet diff A B`` compares: whatever is no subcommand's name is a path."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The subcommand named first, else ``judge`` with all of the words."""
        if args and args[0] in self.commands:
            return super().resolve_command(ctx, args)
        return "judge", self.commands["judge"], args

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Flags before the first path are the subcommand's as well."""
        if args and args[0] not in (*self.commands, "-h", "--help"):
            args = ["judge", *args]
        return super().parse_args(ctx, args)


def _matchers(text: str) -> tuple[str, ...]:
    from leakwatch.sample.prometheus_fleet.survey import matchers

    return matchers(text)


@click.group(cls=FleetGroup)
def command() -> None:
    """Which of many containers leak, since which release, and which die first?

    leakwatch fleet PATH... judges every container of a data set: Parquet or CSV files, folders of them, or buckets
    (s3://..., gs://..., with leakwatch-agent[fleet]); leakwatch fleet --prometheus URL every container of a server.
    See leakwatch fleet judge --help.
    """


@command.command()
@click.argument("paths", metavar="[PATH...]", nargs=-1)
@click.option("--prometheus", metavar="URL", help="Ask this server (Thanos, Mimir, VictoriaMetrics) instead of files.")
@click.option("-n", "--namespace", "namespaces", multiple=True, help="Only this namespace; may be given again.")
@click.option("-l", "--selector", callback=parsed(_matchers), metavar="M", help='Only these: cluster=eu,pod=~"web-.*".')
@click.option("--step", default="60s", callback=parsed(parse_duration), show_default=True, help="Between points.")
@click.option("--tenant", help="Sent to the server as X-Scope-OrgID.")
@click.option("--token-file", metavar="FILE", help="A bearer token; or set LEAKWATCH_PROMETHEUS_TOKEN.")
@click.option("--headers-file", metavar="FILE", help="Name: value a line, sent with every question.")
@click.option("--concurrency", type=click.IntRange(1), default=4, show_default=True, help="Questions at a time.")
@click.option("--no-prefilter", is_flag=True, help="Ask for every full series, also of what cannot leak.")
@click.option("-o", "--output", type=click.Choice(OUTPUTS), default="table", show_default=True, help="Form of output.")
@click.option("--since", metavar="T", callback=parsed(parse_time_or_age), help="Only from this time (or 6h: ago) on.")
@click.option("--until", metavar="T", callback=parsed(parse_time_or_age), help="Only up to this time (or 1h: ago).")
@click.option(
    "--limit", metavar="SIZE", callback=parsed(parse_size), help="The memory limit of all, where none is told."
)
@click.option(
    "--group-by", multiple=True, type=click.Choice(GROUPS), help="Judge these together; all three if left out."
)
@click.option("--workers", type=click.IntRange(1), help="Processes on this machine; as many as cores if left out.")
@click.option("--scheduler", metavar="ADDRESS", help="A Dask scheduler (tcp://HOST:8786) to use instead.")
@click.option("--dask-local", type=click.IntRange(1), metavar="N", help="A Dask cluster of N processes here.")
@click.option("--results", metavar="FOLDER", help="Keep the results there (Parquet), as they come.")
@click.option("--resume", is_flag=True, help="Go on with the results that are there.")
@click.option("--no-color", is_flag=True, help="No colours; NO_COLOR and a pipe turn them off too.")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.pass_context
def judge(
    context: click.Context,
    paths: tuple[str, ...],
    prometheus: str | None,
    namespaces: tuple[str, ...],
    selector: tuple[str, ...] | None,
    step: float,
    tenant: str | None,
    token_file: str | None,
    headers_file: str | None,
    concurrency: int,
    no_prefilter: bool,
    output: str,
    since: float | None,
    until: float | None,
    limit: float | None,
    group_by: tuple[str, ...],
    workers: int | None,
    scheduler: str | None,
    dask_local: int | None,
    results: str | None,
    resume: bool,
    no_color: bool,
    debug: bool,
) -> int:
    """Judge every container of a data set or of a Prometheus server, alone and together with its replicas.

    Rows of files have timestamp, container (and namespace, pod) and a memory column; workload, image and node are what
    containers are grouped by. A workload is read off the pod's name where none is told. A server is asked for the last
    two days if --since is left out, and for full series only of containers that could leak.

    Exit status: 0 nothing leaks, 10 something does, 1 failed, 2 wrong usage.
    """
    from leakwatch.fleet.engine import DaskEngine, LocalEngine
    from leakwatch.fleet.run import Judging, conclude, judge_all, plan_of
    from leakwatch.fleet.store import Store
    from leakwatch.sample import prometheus_fleet
    from leakwatch.sample.datasets import survey
    from leakwatch.tell.fleet_progress import FleetProgress

    if resume and results is None:
        raise click.UsageError("--resume needs --results, the folder to go on with")
    if scheduler and dask_local:
        raise click.UsageError("--scheduler and --dask-local exclude each other")
    if output == "parquet" and sys.stdout.isatty():
        raise click.UsageError("Parquet is nothing for a terminal; send it to a file: -o parquet > leaks.parquet")
    if bool(paths) == bool(prometheus):
        raise click.UsageError("name either files and folders, or a server with --prometheus URL")
    at_once: int | None = None
    if prometheus is None:
        dataset = survey(paths)
    else:
        at_once = concurrency
        since, until = _window(since, until, results if resume else None)
        server = prometheus_fleet.Server(prometheus, tenant, token_file, headers_file)
        dataset = prometheus_fleet.survey(
            server, namespaces, selector or (), since, until, step, prefilter=not no_prefilter
        )
    judging = Judging(since, until, limit)
    engine: Any = (
        DaskEngine(scheduler, dask_local, at_once)
        if scheduler or dask_local
        else LocalEngine(workers or len(os.sched_getaffinity(0)), at_once)
    )
    place = nullcontext(results) if results is not None else tempfile.TemporaryDirectory(prefix="leakwatch-fleet-")
    with place as folder, closing(engine) if scheduler or dask_local else nullcontext():
        store = Store(
            os.path.join(str(folder), "") if results else f"{folder}/results", plan_of(dataset, judging), resume=resume
        )
        with FleetProgress(len(dataset.chunks), len(store.done())) as progress:

            def told(result: Any) -> None:
                progress.advance(len(result.judged))
                _print_leaks(output, result.judged)

            _print_leaks(output, store.read() if store.done() else ())
            judge_all(dataset, judging, engine, store, told)
        fleet = conclude(dataset, store, engine, group_by or GROUPS, judging.grid(dataset))
    click.echo(_rendered(context, output, fleet, no_color), nl=False, color=True)
    for error in fleet.errors:
        print(f"leakwatch: {visible(error)}", file=sys.stderr)
    if fleet.errors:
        return FAILED
    return LEAK if fleet.leaks or any(group.claimed for group in fleet.groups) else NOTHING_LEAKS


@command.command()
@click.argument("before", metavar="BEFORE")
@click.argument("after", metavar="AFTER")
@click.option("-o", "--output", type=click.Choice(("table", "json")), default="table", show_default=True)
@click.option("--no-color", is_flag=True, help="No colours; NO_COLOR and a pipe turn them off too.")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.pass_context
def diff(context: click.Context, before: str, after: str, output: str, no_color: bool, debug: bool) -> int:
    """What leaks in AFTER and did not in BEFORE: two folders that --results kept, of two releases or two days.

    Exit status: 0 no new leak, 10 a leak is new or faster, 1 failed, 2 wrong usage.
    """
    from leakwatch.fleet.run import differences
    from leakwatch.fleet.store import read_results
    from leakwatch.tell.fleet_rows import container_dict
    from leakwatch.tell.fleet_screen import render_differences

    changes = list(differences(list(read_results(before)), list(read_results(after))))
    if output == "json":
        rows = [
            {
                "change": change.word,
                "before": change.before and container_dict(change.before),
                "after": change.after and container_dict(change.after),
            }
            for change in changes
        ]
        click.echo(json.dumps({"schema_version": 1, "changes": rows}, indent=2, allow_nan=False))
    else:
        width, _ = screen_size(pipe_width=100)
        click.echo(
            render_differences(changes, width=width, colour=wants_colour(context, no_color)), nl=False, color=True
        )
    return LEAK if any(change.worse for change in changes) else NOTHING_LEAKS


def _window(since: float | None, until: float | None, gone_on_with: str | None) -> tuple[float, float]:
    """Whole minutes of time that a server is asked for; those of the results that are gone on with."""
    from leakwatch.fleet.store import grid_of

    grid = grid_of(gone_on_with) if gone_on_with is not None else None
    if grid is not None:
        return grid.start_seconds, grid.end_seconds
    until = (time.time() if until is None else until) // 60 * 60
    return (until - PAST_SECONDS if since is None else since // 60 * 60), until


def _print_leaks(output: str, judged: Iterable[Any]) -> None:
    """JSON Lines come as the chunks do; every other form waits for the most urgent."""
    from detectors.types import Answer
    from leakwatch.tell.fleet_rows import container_dict

    if output == "jsonl":
        leaks = (one for one in judged if one.verdict is Answer.LEAK)
        click.echo("".join(json.dumps(container_dict(one), allow_nan=False) + "\n" for one in leaks), nl=False)


def _rendered(context: click.Context, output: str, fleet: Any, no_color: bool) -> str | bytes:
    from leakwatch.tell import fleet_rows

    found = (fleet.containers, fleet.counts, fleet.leaks, fleet.groups)
    if output == "json":
        return json.dumps(fleet_rows.as_dict(*found, fleet.errors), indent=2, allow_nan=False) + "\n"
    if output == "jsonl":
        return "".join(json.dumps(fleet_rows.group_dict(group), allow_nan=False) + "\n" for group in fleet.groups)
    if output == "parquet":
        from leakwatch.tell import fleet_parquet

        return fleet_parquet.render(*found, fleet.errors)
    if output == "html":
        from leakwatch.tell import fleet_html

        return fleet_html.render(*found, fleet.grid)
    from leakwatch.tell import fleet_screen

    width, _ = screen_size(pipe_width=120)
    return fleet_screen.render(*found, width=width, colour=wants_colour(context, no_color))
