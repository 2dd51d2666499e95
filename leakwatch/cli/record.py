"""``leakwatch record``: parse, call, render, exit status."""

import sys

import click

from leakwatch.cli.parameters import parsed
from leakwatch.cli.stopping import stopping
from leakwatch.cli.target_flags import target_flags
from leakwatch.settings import TargetSettings, scalars
from leakwatch.tell.units import count, visible

NOTHING_RECORDED = 1


@click.command()
@target_flags
@click.option("-o", "--output", metavar="FILE", required=True, help="The trace; one that is there is gone on with.")
@click.option(
    "--every", metavar="D", default="5s", show_default=True, callback=parsed(scalars.duration("10ms")), help="The beat."
)
@click.option(
    "--for", "for_seconds", metavar="D", callback=parsed(scalars.duration("0s")), help="Until then; or Ctrl-C."
)
@click.option(
    "--rotate", metavar="SIZE", default="100MiB", show_default=True, callback=parsed(scalars.size),
    help="A file that would be larger becomes FILE.1.",
)  # fmt: skip
@click.option("--keep", type=click.IntRange(0), default=9, show_default=True, help="So many rotated files stay.")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def command(
    target: TargetSettings,
    output: str,
    every: float,
    for_seconds: float | None,
    rotate: int,
    keep: int,
    debug: bool,
) -> int:
    """Write a container's memory, and what its model server tells, to a trace for leakwatch analyze.

    A row a look, whole after a kill at any moment. Ends with --for, SIGTERM or Ctrl-C.

    Exit status: 0, 1 failed or nothing recorded, 2 wrong usage.
    """
    from leakwatch.clock import SystemClock
    from leakwatch.record import look, record
    from leakwatch.sample.sources import sources_of
    from leakwatch.tell.trace_csv import TraceWriter

    sources, clock, say = sources_of(target), SystemClock(), _Told()
    look(sources, clock.now(), say)  # what cannot be read at all is an error, and no file is begun
    writer = TraceWriter(output, rotate, keep)
    try:
        with stopping() as stop:
            done = record(
                lambda now: look(sources, now, say), writer, clock, stop, say,
                every_seconds=every, for_seconds=for_seconds,
            )  # fmt: skip
    finally:
        writer.close()
        for source in sources:
            source.close()
    lost = "".join(
        f", {count(number, what)}"
        for number, what in ((done.missed, "missed look"), (done.unwritten, "lost row"))
        if number
    )
    print(f"leakwatch: {visible(output)}: {count(done.samples, 'sample')}{lost}", file=sys.stderr)
    return 0 if done.samples else NOTHING_RECORDED


class _Told:
    """Says a trouble when it begins, on standard error, and not again while it lasts the same."""

    def __init__(self) -> None:
        self._last: dict[str, str] = {}

    def __call__(self, trouble: str) -> None:
        who = trouble.partition(":")[0]
        if self._last.get(who) != trouble:
            self._last[who] = trouble
            print(f"leakwatch: {visible(trouble)}", file=sys.stderr)
