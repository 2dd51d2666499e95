"""A diagnosis on a terminal: the cause, how it was found, and what to do.

Everything is `rich.text.Text`, never markup, so that nothing in a fact or a tree can style or break the screen.
"""

# ruff: noqa: TID253 - rich is what this file is for; it is itself imported only where a screen is drawn.
from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from leakwatch.tell import units
from leakwatch.tell.screen import bullet, hanging, screen
from playbooks.types import Answered, Branch, Diagnosis

_ANSWERS = {Branch.YES: "green", Branch.NO: "cyan", Branch.UNKNOWN: "yellow"}


def render(diagnosis: Diagnosis, *, width: int, colour: bool) -> str:
    """The diagnosis alone, as ``leakwatch playbook run`` prints it."""
    console = screen(width, colour=colour)
    with console.capture() as capture:
        console.print(*whole_diagnosis(diagnosis), sep="\n")
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def whole_diagnosis(diagnosis: Diagnosis) -> list[RenderableType]:
    """Cause, path, steps, and what a machine may do about it."""
    tree = units.visible(diagnosis.playbook)
    parts: list[RenderableType] = [
        Text("Cause", "bold"),
        bullet(f"{diagnosis.cause} ({diagnosis.confidence})"),
        Text.assemble(("How it was found", "bold"), f" (playbook {tree})"),
        *_asked(diagnosis.path),
        Text("What to do", "bold"),
        *(bullet(str(step), f"{number}.") for number, step in enumerate(diagnosis.steps, 1)),
    ]
    if diagnosis.remedy is not None:
        verb = str(diagnosis.remedy.action).replace("_", " ")
        parts += [Text("What a machine may do", "bold"), bullet(f"{verb}; {diagnosis.remedy.risk}", "!")]
    return parts


def _asked(path: Sequence[Answered]) -> Iterator[RenderableType]:
    """Each question with its answer; evidence that stands above already is not said again."""
    above: set[str] = set()
    for one in path:
        evidence = "(as above)" if one.evidence in above else units.visible(one.evidence)
        above.add(one.evidence)
        said = Text.assemble(units.visible(one.ask), (f" {evidence}", "dim"))
        yield hanging(Text(f"  {one.answer:<7}", _ANSWERS[one.answer]), said)
