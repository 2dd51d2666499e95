"""``leakwatch config``: what the settings are, where each came from, and whether they can be used."""

import sys
from collections.abc import Callable

import click

from leakwatch.cli.agent_flags import settings_flags
from leakwatch.settings.describing import describe, warnings
from leakwatch.settings.reading import Loaded
from leakwatch.tell.units import count, visible


@click.group(no_args_is_help=False)
def command() -> None:
    """Settings of the agent: flags, then LEAKWATCH_* variables, then the YAML file, then defaults."""


@command.command()
@settings_flags
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def show(load: Callable[[], Loaded], debug: bool) -> None:
    """Each setting with its value and where it came from; of a secret, the file's name alone."""
    loaded = load()
    rows = list(describe(loaded))
    names, values = max(len(row.name) for row in rows), max(len(visible(row.value)) for row in rows)
    for row in rows:
        click.echo(f"{row.name:<{names}}  {visible(row.value):<{min(values, 60)}}  {visible(row.origin)}")
    _warn(loaded)


@command.command()
@settings_flags
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def check(load: Callable[[], Loaded], debug: bool) -> None:
    """Whether an agent would start with these settings; every mistake on a line of its own.

    Exit status: 0 it would, 2 it would not.
    """
    loaded = load()
    _warn(loaded)
    click.echo(f"the settings can be used: {count(len(loaded.settings.targets), 'target')}")


def _warn(loaded: Loaded) -> None:
    for warning in warnings(loaded.settings):
        print(f"leakwatch: warning: {visible(warning)}", file=sys.stderr)
