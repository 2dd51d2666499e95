"""``leakwatch doctor``: parse, call, render, exit status."""

import os
import time

import click

from leakwatch.cli.parameters import screen_size, wants_colour
from leakwatch.cli.target_flags import optional_target_flags
from leakwatch.settings import TargetSettings
from leakwatch.settings.reading import load

ALL_SEEN, NOT_SEEN = 0, 10


@click.command()
@click.option("--config", metavar="FILE", envvar="LEAKWATCH_CONFIG", help="The settings file, with its targets.")
@optional_target_flags
@click.option("-o", "--output", type=click.Choice(("table", "json")), default="table", help="Form of the output.")
@click.option("--no-color", is_flag=True, help="No colours; NO_COLOR and a pipe turn them off too.")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.pass_context
def command(
    context: click.Context,
    config: str | None,
    target: TargetSettings | None,
    output: str,
    no_color: bool,
    debug: bool,
) -> int:
    """Tell what can be seen from here, with which right, and what is missing, with the line to add to the manifest.

    With --config it looks at the targets of the settings, with --pid, --process and their like at one; without either
    it tells only what may be done here. Nothing is changed, and no signal is sent.

    Exit status: 0 every source can be read, 10 some cannot, 1 failed, 2 wrong usage.
    """
    from leakwatch.doctor import examine
    from leakwatch.tell.examination_screen import as_json, render

    if target is None and config is not None:
        settings = load(config, os.environ, {}).settings
        examination = examine(settings.targets, time.time(), settings.state_dir)
    else:
        examination = examine(() if target is None else (target,), time.time())
    if output == "json":
        click.echo(as_json(examination), nl=False)
    else:
        width, _ = screen_size(pipe_width=100)
        shown = render(examination, width=width, colour=wants_colour(context, no_color))
        click.echo(shown, nl=False, color=True)
    return ALL_SEEN if all(sight.can_be_watched for sight in examination.targets) else NOT_SEEN
