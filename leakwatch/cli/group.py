"""The ``leakwatch`` group: its commands are imported when they are called."""

from importlib import import_module

import click

from leakwatch import __version__

COMMANDS = (
    "analyze",
    "backtest",
    "logs",
    "record",
    "watch",
    "agent",
    "doctor",
    "fleet",
    "playbook",
    "act",
    "evidence",
    "tell",
    "lint",
    "plan",
    "config",
)
"""Each is a module of this package that holds a click command named ``command``."""


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the five verbs."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, or None where there is no such one."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"leakwatch.cli.{cmd_name}").command
        return command


@click.group(
    cls=LazyGroup,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="leakwatch", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.option("--no-color", is_flag=True, help="No colours; NO_COLOR and a pipe turn them off too.")
@click.pass_context
def leakwatch(context: click.Context, debug: bool, no_color: bool) -> None:
    """Is this container leaking, and what do we do about it before it is killed?"""
    context.obj = {"debug": debug, "no_color": no_color}
