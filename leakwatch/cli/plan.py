"""``leakwatch plan``: parse, call, render, exit status."""

import click

from detectors.types import Assessment
from leakwatch.cli.parameters import parsed, screen_size, wants_colour
from leakwatch.errors import LeakwatchError
from leakwatch.plan import Wanted, plan
from leakwatch.quantities import parse_duration, parse_size
from leakwatch.trace import Trace

OUTPUTS = ("table", "json")


@click.command()
@click.option(
    "--model-size", "models", metavar="SIZE", multiple=True, help="One version of a model on disk; repeatable."
)
@click.option(
    "--versions", metavar="N", type=click.IntRange(1, 1000), default=1, show_default=True, help="Of each model."
)
@click.option("--no-swap", is_flag=True, help="New versions come with new pods, never beside the old one.")
@click.option("--clients", metavar="N", type=click.IntRange(1, 1_000_000), help="Requests at the same time.")
@click.option("--cpus", metavar="N", type=click.IntRange(1, 4096), help="CPUs that the server may use.")
@click.option("--row-size", metavar="SIZE", callback=parsed(parse_size), help="One row of input, as tensors.")
@click.option("--trace", metavar="FILE", help="A measured trace, in place of rules of thumb.")
@click.option("--container", metavar="NAME", help="Which container of the trace.")
@click.option(
    "--keep-for",
    metavar="D",
    callback=parsed(parse_duration),
    default="7d",
    show_default=True,
    help="How long a measured leak has to be borne between restarts.",
)
@click.option("--price-per-gib-hour", metavar="X", type=click.FloatRange(0, min_open=True), help="What memory costs.")
@click.option("-o", "--output", type=click.Choice(OUTPUTS), default="table", show_default=True, help="Form of output.")
@click.option("--no-color", is_flag=True, help="No colours; NO_COLOR and a pipe turn them off too.")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.pass_context
def command(
    context: click.Context,
    models: tuple[str, ...],
    versions: int,
    no_swap: bool,
    clients: int | None,
    cpus: int | None,
    row_size: float | None,
    trace: str | None,
    container: str | None,
    keep_for: float,
    price_per_gib_hour: float | None,
    output: str,
    no_color: bool,
    debug: bool,
) -> int:
    """Which limit, request and batching a model server needs, with the arithmetic and the ground of every number.

    From the sizes of its models, or better from a trace of the server under load: what was measured takes the place
    of the rules of thumb.

    Exit status: 0, 1 failed, 2 wrong usage.
    """
    if not models and trace is None:
        raise click.UsageError("nothing to plan with; give --model-size, or --trace")
    if container is not None and trace is None:
        raise click.UsageError("--container names one of a trace; give --trace, or leave it out")
    try:
        sizes = tuple(parse_size(model) for model in models)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--model-size") from error
    wanted = Wanted(sizes, versions, not no_swap, clients, cpus, row_size, keep_for, price_per_gib_hour)
    proposal = plan(wanted, _measured(trace, container) if trace is not None else None)
    if output == "json":
        from leakwatch.tell.plan_document import as_json

        click.echo(as_json(proposal), nl=False)
    else:
        from leakwatch.tell.plan_screen import render

        width, _ = screen_size(pipe_width=100)
        click.echo(render(proposal, width=width, colour=wants_colour(context, no_color)), nl=False, color=True)
    return 0


def _measured(path: str, container: str | None) -> tuple[Trace, Assessment]:
    from leakwatch import detect
    from leakwatch.sample.trace_files import read_traces

    traces = [one for one in read_traces(path) if container in (None, one.target.container)]
    if not traces:
        raise LeakwatchError(f"{path}: no container {container!r}; leakwatch analyze lists those that are there")
    if len(traces) > 1:
        names = ", ".join(str(one.target.container) for one in traces[:5])
        raise LeakwatchError(f"{path}: holds {len(traces)} containers; name one with --container ({names}, ...)")
    return traces[0], detect.assess(traces[0])
