"""``leakwatch playbook``: the decision trees, drawn, walked and held to their cases."""

import click

from leakwatch.cli.playbook.listing import list_, show, test
from leakwatch.cli.playbook.run import run


@click.group(no_args_is_help=False)
def command() -> None:
    """Decision trees that turn what is known into a cause and what to do."""


for subcommand in (list_, show, run, test):
    command.add_command(subcommand)
