"""What the commands' flags have in common: values with units, colour, and how wide the screen is."""

import os
import shutil
import sys
import time
from collections.abc import Callable
from typing import TypeVar

import click

from leakwatch.quantities import parse_duration, parse_size, parse_time

T = TypeVar("T")
LEAST_WIDTH = 40


def parsed(parse: Callable[[str], T]) -> Callable[[click.Context, click.Parameter, str | None], T | None]:
    """A click callback that reads a flag's value with ``parse``; its ValueError is wrong usage."""

    def callback(context: click.Context, parameter: click.Parameter, value: str | None) -> T | None:
        try:
            return None if value is None else parse(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from error

    return callback


def parse_time_or_age(text: str) -> float:
    """Unix seconds of a time, or, as docker and kubectl read it, of a duration before now."""
    try:
        return time.time() - parse_duration(text)
    except ValueError:
        return parse_time(text)


def parse_limit(text: str) -> float:
    """Bytes of a memory limit; 0 and ``max`` are no limit, as in a trace's column of that name."""
    return 0.0 if text.strip() in ("0", "max") else parse_size(text)


def wants_colour(context: click.Context, no_color: bool) -> bool:
    """Colours are for a terminal that has them and a person who did not turn them off."""
    if no_color or context.obj["no_color"] or os.environ.get("NO_COLOR"):
        return False
    return sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def screen_size(pipe_width: int) -> tuple[int, int]:
    """Columns and rows; a pipe has none: ``pipe_width`` and 40, unless COLUMNS and LINES say otherwise."""
    width, height = shutil.get_terminal_size((pipe_width, 40))
    return max(width, LEAST_WIDTH), height


def screen_width() -> int | None:
    """Columns; None where there is no screen and COLUMNS does not say otherwise."""
    width, _ = shutil.get_terminal_size((0, 0))
    return max(width, LEAST_WIDTH) if width else None
