"""What the subcommands have in common: the folders of trees, and a tree named by its name."""

import click

from leakwatch.diagnose.trees import read_trees

playbooks_flag = click.option(
    "--playbooks",
    metavar="DIR",
    multiple=True,
    envvar="LEAKWATCH_PLAYBOOKS",
    help="A folder of playbooks that add to or replace the built-in ones by name.",
)


def named(name: str, playbooks: tuple[str, ...]) -> str:
    """The name, where there is such a tree; else wrong usage that names those that there are."""
    trees = read_trees(playbooks)
    if name not in trees:
        raise click.UsageError(f"there is no playbook {name!r}; there are {', '.join(sorted(trees))}")
    return name
