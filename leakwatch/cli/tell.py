"""``leakwatch tell``: parse, call, render, exit status."""

import os

import click

from leakwatch.settings.reading import load, parse
from leakwatch.tell.units import visible

DELIVERED, FAILED = 0, 1
_NO_FILE = b"targets: [{name: trial, pid: 1}]"
"""Where no file is named, the environment alone says whom to tell."""


@click.group(no_args_is_help=False)
def command() -> None:
    """Whom the agent tells, and whether they can hear it."""


@command.command()
@click.option("--config", metavar="FILE", envvar="LEAKWATCH_CONFIG", help="The settings file; else the environment.")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def test(config: str | None, debug: bool) -> int:
    """Send a trial message through every channel, and say for each how it went.

    Exit status: 0 every channel took it, 1 one did not, 2 the settings cannot be used.
    """
    from leakwatch.clock import SystemClock
    from leakwatch.tell.channels import notifiers
    from leakwatch.tell.trial import trial

    loaded = load(config, os.environ, {}) if config else parse(_NO_FILE, "settings", os.environ, {})
    settings, clock = loaded.settings, SystemClock()
    channels = notifiers(settings.tell, settings.targets, clock.now)
    said = trial(settings.targets[0].name, clock.now())
    widest, status = max(len(channel.name) for channel in channels), DELIVERED
    for channel in channels:
        delivery = channel.notify(said, {})
        how = "delivered" if delivery.delivered else "failed"
        click.echo(f"{channel.name:<{widest}}  {how:<9}  {visible(delivery.detail)}")
        status = status if delivery.delivered else FAILED
    return status
