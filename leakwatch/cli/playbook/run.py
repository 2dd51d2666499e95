"""``leakwatch playbook run``: one tree walked with everything that is known."""

import click

from leakwatch.cli.parameters import parse_limit, parsed, screen_size, wants_colour
from leakwatch.cli.playbook.choosing import named, playbooks_flag
from leakwatch.diagnose.trees import read_trees

_PIPE_WIDTH = 80


@click.command()
@click.argument("name")
@click.option("--trace", metavar="FILE", help="A memory trace, in any form that analyze reads; - for standard input.")
@click.option("--logs", metavar="FILE", multiple=True, help="A log, or a folder of them.")
@click.option("--facts", metavar="FILE", multiple=True, help="Facts in YAML, name: value (docs/facts.md).")
@click.option("--pid", type=click.IntRange(1), help="The server's process on this machine: flags, threads, allocator.")
@click.option("--server", metavar="URL", help="A TF Serving's REST address: states of its models.")
@click.option("--model", "models", metavar="NAME", multiple=True, help="Asked of it; else those on its metrics page.")
@click.option("--manifest", metavar="FILE", help="How it is deployed: Kubernetes, compose, or docker inspect.")
@click.option("--container", metavar="NAME", help="Of a trace or a manifest that holds several.")
@click.option("--limit", metavar="SIZE", callback=parsed(parse_limit), help="The memory limit; max: none.")
@playbooks_flag
@click.option("-o", "--output", type=click.Choice(("table", "json")), default="table", show_default=True)
@click.option("--no-color", is_flag=True, help="No colours; NO_COLOR and a pipe turn them off too.")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.pass_context
def run(
    context: click.Context,
    name: str,
    trace: str | None,
    logs: tuple[str, ...],
    facts: tuple[str, ...],
    pid: int | None,
    server: str | None,
    models: tuple[str, ...],
    manifest: str | None,
    container: str | None,
    limit: float | None,
    playbooks: tuple[str, ...],
    output: str,
    no_color: bool,
    debug: bool,
) -> None:
    """Walk a tree: the cause, how it was found, and what to do.

    What no source tells is answered "unknown", and the answer says what to record.
    """
    from leakwatch.consult import Known, facts_of  # the detectors
    from leakwatch.diagnose import diagnose_by

    name = named(name, playbooks)
    known = Known(trace, logs, facts, container, limit, pid, server, models, manifest)
    diagnosis = diagnose_by(name, facts_of(known), read_trees(playbooks))
    if output == "json":
        from leakwatch.tell.document import diagnosis_as_json

        click.echo(diagnosis_as_json(diagnosis), nl=False)
        return
    from leakwatch.tell import diagnosis_screen  # rich

    width, _ = screen_size(_PIPE_WIDTH)
    click.echo(
        diagnosis_screen.render(diagnosis, width=width, colour=wants_colour(context, no_color)), nl=False, color=True
    )
