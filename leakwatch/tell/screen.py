"""The console on which every screen is drawn into text."""

# ruff: noqa: TID253 - rich is what this file is for; it is itself imported only where a screen is drawn.
import io

from rich.console import Console


def screen(width: int, *, colour: bool) -> Console:
    """A console ``width`` columns wide, with ANSI colours where ``colour``, that prints nowhere by itself.

    It reads no markup and no emoji names: what comes from traces and logs cannot style or break the screen.
    """
    return Console(
        file=io.StringIO(),
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
    )
