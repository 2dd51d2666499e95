"""The screen of ``leakwatch plan``: the sum, what comes of it ready to be copied, and what it rests on."""

# ruff: noqa: TID253 - rich is what this file is for; it is itself imported only where a screen is drawn.
from rich.box import SIMPLE_HEAD
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from leakwatch.proposal import Basis, Batching, Cost, Proposal
from leakwatch.tell import units
from leakwatch.tell.screen import screen

_STYLES = {Basis.MEASURED: "bold green", Basis.GIVEN: "green", Basis.SERVER: "cyan", Basis.THUMB: "yellow"}
_MIB = 2**20
_NARROW = 80
"""Columns of a screen below which every cell may take several lines."""


def render(proposal: Proposal, *, width: int, colour: bool) -> str:
    """The proposal as text, ``width`` columns wide, with ANSI colours where ``colour``."""
    console = screen(width, colour=colour)
    with console.capture() as capture:
        _sum(console, proposal)
        _heading(console, "For the manifest")
        _print(console, manifest(proposal))
        if proposal.batching is not None:
            _heading(console, "For --batching_parameters_file, with --enable_batching")
            _print(console, batching_file(proposal.batching))
        if proposal.cost is not None:
            _heading(console, "A month of it")
            _print(console, "\n".join(cost_lines(proposal.cost)))
        _heading(console, "What it rests on")
        _assumptions(console, proposal)
        if proposal.notes:
            console.print()
        for note in proposal.notes:
            console.print(Text.assemble(("Note ", "bold"), units.visible(note)))
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def manifest(proposal: Proposal) -> str:
    """The ``resources`` of a Kubernetes container."""
    lines = ["resources:", "  requests:", f"    memory: {_quantity(proposal.request_bytes)}"]
    return "\n".join([*lines, "  limits:", f"    memory: {_quantity(proposal.limit_bytes)}"])


def batching_file(batching: Batching) -> str:
    """A BatchingParameters file."""
    wrapped = ("max_batch_size", "batch_timeout_micros", "max_enqueued_batches", "num_batch_threads")
    lines = [f"{name} {{ value: {getattr(batching, name)} }}" for name in wrapped]
    return "\n".join([*lines, *(f"allowed_batch_sizes: {size}" for size in batching.allowed_batch_sizes)])


def cost_lines(cost: Cost) -> list[str]:
    """What the memory and the leak cost, in the currency of the price."""
    lines = [f"memory  {_money(cost.memory_per_month)}  at {cost.price_per_gib_hour:g} a GiB and hour, 730 hours"]
    if cost.leak_per_month:
        lines.append(f"leak    {_money(cost.leak_per_month)}  of it, for memory that only the leak needs")
    return lines


def _sum(console: Console, proposal: Proposal) -> None:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("Part", "Memory", "How", "Basis"):
        in_one_line = heading != "How" and console.width >= _NARROW
        justify: JustifyMethod = "right" if heading == "Memory" else "left"
        table.add_column(heading, justify=justify, no_wrap=in_one_line, overflow="fold")
    for part in proposal.parts:
        basis = Text(str(part.basis), _STYLES[part.basis])
        table.add_row(part.name, units.size(part.value_bytes), units.visible(part.arithmetic), basis)
    whole = sum(part.value_bytes for part in proposal.parts)
    table.add_section()
    limit = units.size(proposal.limit_bytes)
    table.add_row(Text("limit", "bold"), Text(limit, "bold"), f"{units.size(whole)}, rounded up", "")
    request = units.size(proposal.request_bytes)
    table.add_row(Text("request", "bold"), Text(request, "bold"), units.visible(proposal.request_because), "")
    console.print(table)
    if proposal.seconds_to_limit is not None:
        text = f"The leak fills what is kept for it in {units.duration(proposal.seconds_to_limit)}."
        console.print(Text(text, "bold red"))


def _assumptions(console: Console, proposal: Proposal) -> None:
    grid = Table.grid(padding=(0, 2, 0, 2))
    for _ in range(3):
        grid.add_column(no_wrap=console.width >= _NARROW, overflow="fold")
    grid.add_column(overflow="fold")
    for one in proposal.assumptions:
        instead = f"; {one.flag} says otherwise" if one.flag else ""
        basis = Text(str(one.basis), _STYLES[one.basis])
        grid.add_row(one.name, one.value, basis, units.visible(f"{one.source}{instead}"))
    console.print(grid)


def _heading(console: Console, text: str) -> None:
    console.print()
    console.print(Text(text, "bold"))


def _print(console: Console, text: str) -> None:
    for line in text.splitlines():
        console.print(Text(f"  {line}"))


def _quantity(value_bytes: int) -> str:
    mebibytes = value_bytes // _MIB
    return f"{mebibytes // 1024}Gi" if mebibytes % 1024 == 0 else f"{mebibytes}Mi"


def _money(amount: float) -> str:
    return f"{amount:,.2f}"
