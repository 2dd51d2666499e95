"""``leakwatch playbook list``, ``show`` and ``test``: which trees there are, how they look, whether they hold."""

import click

from leakwatch.cli.parameters import screen_size, wants_colour
from leakwatch.cli.playbook.choosing import named, playbooks_flag
from leakwatch.diagnose.trees import read_trees, try_built_in, try_folder
from leakwatch.tell.units import count, visible

HELD, ASTRAY = 0, 10
_PIPE_WIDTH = 80


@click.command(name="list")
@playbooks_flag
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def list_(playbooks: tuple[str, ...], debug: bool) -> None:
    """The trees at hand, one a line: name, and when to use it."""
    trees = read_trees(playbooks)
    width = max(map(len, trees))
    for name in sorted(trees):
        click.echo(f"{visible(name):<{width}}  {visible(trees[name].about)}")


@click.command()
@click.argument("name")
@playbooks_flag
@click.option("--steps", is_flag=True, help="What to do for each finding, below the tree.")
@click.option("--no-color", is_flag=True, help="No colours; NO_COLOR and a pipe turn them off too.")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.pass_context
def show(
    context: click.Context, name: str, playbooks: tuple[str, ...], steps: bool, no_color: bool, debug: bool
) -> None:
    """One tree, drawn. In brackets: the question's name, and the fact that answers it (docs/facts.md)."""
    from leakwatch.tell import playbook_tree  # rich

    tree = read_trees(playbooks)[named(name, playbooks)]
    width, _ = screen_size(_PIPE_WIDTH)
    colour = wants_colour(context, no_color)
    click.echo(playbook_tree.render(tree, width=width, colour=colour, steps=steps), nl=False, color=True)


@click.command()
@click.argument("folder", required=False)
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def test(folder: str | None, debug: bool) -> int:
    """Hold trees to their cases: each case takes its path, and together they reach every branch.

    FOLDER holds trees (NAME.yaml) and their cases (cases/NAME.yaml); without it the built-in trees are tried.

    Exit status: 0 all hold, 10 one does not, 1 failed, 2 wrong usage.
    """
    trials = try_built_in() if folder is None else try_folder(folder)
    width = max(len(trial.tree) for trial in trials)
    for trial in trials:
        said = "holds" if not trial.problems else count(len(trial.problems), "problem")
        click.echo(f"{visible(trial.tree):<{width}}  {count(trial.cases, 'case')}: {said}")
        for problem in trial.problems:
            click.echo(f"  {visible(problem)}")
    return ASTRAY if any(trial.problems for trial in trials) else HELD
