"""The console on which every screen is drawn into text, and the paragraphs that screens have in common."""

# ruff: noqa: TID253 - rich is what this file is for; it is itself imported only where a screen is drawn.
import io

from rich.console import Console
from rich.table import Table
from rich.text import Text

from leakwatch.tell import units


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


def bullet(sentence: str, mark: str = "•") -> Table:
    """One sentence behind a mark; its further lines stand below its beginning."""
    return hanging(Text(f"  {mark}"), Text(units.visible(sentence)))


def hanging(mark: Text, body: Text) -> Table:
    """A body whose further lines stand below its beginning, behind the mark."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(mark, body)
    return grid
