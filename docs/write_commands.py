"""Writes a page a command into docs/commands/ from the commands' own help: `python docs/write_commands.py [--check]`.

--check writes nothing and fails where a page is not what the help says now, or belongs to no command.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from leakwatch.cli.group import COMMANDS, leakwatch

FOLDER = Path(__file__).parent / "commands"
WIDTH = 100


def pages() -> Iterator[tuple[str, str]]:
    """File name and text of each page."""
    context = click.Context(leakwatch, info_name="leakwatch", terminal_width=WIDTH, help_option_names=["-h", "--help"])
    for name in COMMANDS:
        command = leakwatch.get_command(context, name)
        assert command is not None, name
        helps = list(_helps(click.Context(command, info_name=name, parent=context, terminal_width=WIDTH)))
        first = command.get_short_help_str(limit=200)
        text = [f"# leakwatch {name}", "", first, ""]
        for path, told in helps:
            text += [f"## {path}", ""] if len(helps) > 1 else []
            text += ["```text", *told.splitlines(), "```", ""]
        yield f"{name}.md", "\n".join(text)


def _helps(context: click.Context) -> Iterator[tuple[str, str]]:
    """The help of a command, then of each of its subcommands."""
    yield context.command_path, context.get_help()
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            if command is not None and not command.hidden:
                yield from _helps(click.Context(command, info_name=name, parent=context, terminal_width=WIDTH))


def main() -> int:
    """Write, or compare; exit status 1 where a page is stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    wanted = dict(pages())
    stale = [path.name for path in FOLDER.glob("*.md") if path.name not in wanted]
    for name, text in wanted.items():
        path = FOLDER / name
        if path.exists() and path.read_text() == text:
            continue
        stale.append(name)
        if not check:
            path.write_text(text)
    if not check:
        for name in set(stale) - set(wanted):
            (FOLDER / name).unlink()
        return 0
    if stale:
        print(f"docs/commands: stale: {', '.join(sorted(stale))}; run python docs/write_commands.py", file=sys.stderr)
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main())
