"""A playbook drawn as text: the trunk runs down the left edge, what leaves it hangs to the right.

The trunk is the way on which most questions lie. A node is drawn once; where another branch leads to it, its name
stands with "above" or "below".
"""

# ruff: noqa: TID253 - rich is what this file is for; it is itself imported only where a screen is drawn.
from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from leakwatch.tell import units
from leakwatch.tell.screen import screen
from playbooks.types import Branch, Condition, Finding, Playbook, Question

_LEAST_WIDTH = 24
"""Columns that a sentence gets however deep it stands."""
_ANSWERS = {Branch.YES: "green", Branch.NO: "cyan", Branch.UNKNOWN: "yellow"}


def render(playbook: Playbook, *, width: int, colour: bool, steps: bool = False) -> str:
    """The tree as text, ``width`` columns wide; where ``steps``, what to do for each finding below it."""
    console = screen(width, colour=colour)
    drawing = _Drawing(playbook, console)
    with console.capture() as capture:
        console.print(Text(playbook.name, "bold"))
        console.print(Text(units.visible(playbook.about)))
        console.print()
        for line in drawing.lines():
            console.print(line, no_wrap=True, crop=True)
        if steps:
            for line in drawing.steps():
                console.print(line, no_wrap=True, crop=True)
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


class _Drawing:
    """The lines of one tree as they come; remembers what was drawn."""

    def __init__(self, playbook: Playbook, console: Console) -> None:
        self._nodes, self._start, self._console = playbook.nodes, playbook.start, console
        self._drawn: set[str] = set()

    def lines(self) -> Iterator[Text]:
        yield from self._node(self._start, Text(), Text(), frozenset())

    def steps(self) -> Iterator[Text]:
        """Each finding with its steps, in the order in which they were drawn."""
        for name, node in self._nodes.items():
            if isinstance(node, Finding):
                yield Text()
                yield Text(name, "bold")
                for number, step in enumerate(node.steps, 1):
                    mark = Text(f"{number:>3}. ")
                    yield from self._wrapped(mark, Text(" " * 5), Text(units.visible(step.do)))
                    if step.command is not None:
                        yield from self._wrapped(
                            Text(" " * 5), Text(" " * 5), Text(units.visible(step.command), "cyan")
                        )
                if node.remedy is not None:
                    risk = f"may {_verb(node)}: {units.visible(node.remedy.risk)}"
                    yield from self._wrapped(Text("   ! ", "red"), Text(" " * 5), Text(risk, "red"))

    def _node(self, name: str, first: Text, rest: Text, later: frozenset[str]) -> Iterator[Text]:
        """A node and what hangs on it; ``first`` stands before its first line, ``rest`` before the others.

        ``later`` holds the nodes that the trunk comes to further down.
        """
        node = self._nodes[name]
        if name in self._drawn or name in later:
            where = "above" if name in self._drawn else "below"
            mark = Text("● " if isinstance(node, Finding) else "→ ", "dim")
            yield from self._wrapped(first + mark, rest + Text("  "), Text(f"{name} ({where})", "dim"))
            return
        self._drawn.add(name)
        if isinstance(node, Finding):
            yield from self._wrapped(first + Text("● ", "bold"), rest + Text("  "), _finding(name, node))
            return
        said = Text.assemble((units.visible(node.ask), "bold"), (f" [{name}: {_condition(node.when)}]", "dim"))
        yield from self._wrapped(first + Text("? ", "bold"), rest + Text("│ ", "dim"), said)
        groups: dict[str, list[Branch]] = {}
        for branch in Branch:
            groups.setdefault(node.after(branch), []).append(branch)
        trunk = self._trunk(list(groups), later)
        below = later | self._reach(trunk) if trunk is not None else later
        sides = [target for target in groups if target != trunk]
        for target in sides:
            last = trunk is None and target == sides[-1]
            label = Text.assemble(("└─ " if last else "├─ ", "dim"), _answers(groups[target]), " ")
            yield from self._node(target, rest + label, rest + Text("   " if last else "│  ", "dim"), below)
        if trunk is not None:
            yield Text.assemble(rest, ("▼ ", "dim"), _answers(groups[trunk]))
            yield from self._node(trunk, rest, rest, later)

    def _trunk(self, targets: list[str], later: frozenset[str]) -> str | None:
        """Where the way goes on at the left edge: what the others lead to as well, else what has most below it."""
        ways = [
            name
            for name in targets
            if isinstance(self._nodes[name], Question) and name not in later and name not in self._drawn
        ]
        return max(
            ways,
            key=lambda name: (sum(name in self._reach(other) for other in ways), len(self._reach(name))),
            default=None,
        )

    def _reach(self, name: str) -> frozenset[str]:
        """The questions on all ways from a node on, itself included."""
        node = self._nodes[name]
        if isinstance(node, Finding):
            return frozenset()
        reached, ahead = set[str](), [name]
        while ahead:
            one = ahead.pop()
            question = self._nodes[one]
            if isinstance(question, Question) and one not in reached:
                reached.add(one)
                ahead += [question.after(branch) for branch in Branch]
        return frozenset(reached)

    def _wrapped(self, first: Text, rest: Text, body: Text) -> Iterator[Text]:
        """The body, ``first`` before its first line and ``rest``, which may be shorter, before the others."""
        begun = self._fit(body, first)[0]
        yield first + begun
        further = body[len(begun) :]
        gap = len(further) - len(further.plain.lstrip())
        if len(further) > gap:
            yield from (rest + line for line in self._fit(further[gap:], rest))

    def _fit(self, body: Text, before: Text) -> list[Text]:
        lines = body.wrap(self._console, max(self._console.width - before.cell_len, _LEAST_WIDTH))
        for line in lines:
            line.rstrip()
        return list(lines)


def _finding(name: str, node: Finding) -> Text:
    remarks = [str(node.confidence)]
    if node.remedy is not None:
        remarks.append(f"may {_verb(node)}")
    if node.then is not None:
        remarks.append(f"goes on in {node.then}")
    style = "red" if node.remedy is not None else "dim"
    return Text.assemble((name, "bold"), ": ", units.visible(node.cause), (f" ({', '.join(remarks)})", style))


def _verb(node: Finding) -> str:
    return str(node.remedy.action).replace("_", " ") if node.remedy is not None else ""


def _answers(branches: list[Branch]) -> Text:
    return Text(", ").join([Text(str(branch), _ANSWERS[branch]) for branch in branches])


def _condition(when: Condition) -> str:
    operand = ", ".join(when.operand) if isinstance(when.operand, tuple) else when.operand
    if isinstance(operand, bool):
        operand = "yes" if operand else "no"
    return f"{when.fact} {when.operator.replace('_', ' ')} {operand}"
