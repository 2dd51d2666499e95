"""Where the agent keeps its state: for the commands that look into it from outside."""

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from leakwatch.settings.reading import load
from leakwatch.settings.values import Settings


def state_dir_flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command decorated so takes ``--state-dir`` and ``--config``, and is handed ``state_dir`` in their place."""

    @click.option("--state-dir", metavar="DIR", envvar="LEAKWATCH_STATE_DIR", help="The agent's state folder.")
    @click.option("--config", metavar="FILE", envvar="LEAKWATCH_CONFIG", help="The agent's settings, which name it.")
    @click.option("--debug", is_flag=True, help="Show tracebacks.")
    @functools.wraps(command)
    def with_state_dir(state_dir: str | None, config: str | None, debug: bool, **given: Any) -> Any:
        return command(state_dir=Path(state_dir or _of_settings(config)), **given)

    return with_state_dir


def _of_settings(config: str | None) -> str:
    """What the settings file says, else what the agent takes without one."""
    return load(config, os.environ, {}).settings.state_dir if config else Settings(targets=()).state_dir
