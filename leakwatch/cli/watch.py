"""``leakwatch watch``: parse, call, render, exit status."""

import json
import os
import sys
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from detectors.types import Level
from leakwatch.cli.keys import pressed_keys
from leakwatch.cli.parameters import parsed, screen_size, wants_colour
from leakwatch.cli.stopping import stopping
from leakwatch.cli.target_flags import target_flags
from leakwatch.errors import LeakwatchError
from leakwatch.settings import TargetSettings, scalars

if TYPE_CHECKING:
    from leakwatch.watch import Watching

NO_LEAK, LEAK = 0, 10
REDRAW_SECONDS = 0.5
FIRST_LOOK_SECONDS = 30.0
"""How long a script waits for the first sample before it is told that there is none."""


@click.command()
@target_flags
@click.option(
    "--every", metavar="D", default="2s", show_default=True, callback=parsed(scalars.duration("10ms")), help="The beat."
)
@click.option(
    "--judge-every", metavar="D", default="15s", show_default=True, callback=parsed(scalars.duration("100ms")),
    help="Time between two judgements.",
)  # fmt: skip
@click.option("--once", is_flag=True, help="Show it once, as text, and end; for scripts.")
@click.option(
    "--for", "for_seconds", metavar="D", callback=parsed(scalars.duration("0s")), help="Look so long; or q, or Ctrl-C."
)
@click.option("-o", "--output", type=click.Choice(("table", "json")), default="table", help="With --once.")
@click.option("--no-color", is_flag=True, help="No colours; NO_COLOR and a pipe turn them off too.")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.pass_context
def command(
    context: click.Context,
    target: TargetSettings,
    every: float,
    judge_every: float,
    once: bool,
    for_seconds: float | None,
    output: str,
    no_color: bool,
    debug: bool,
) -> int:
    """Watch a container on a live screen: chart, verdict, slope, time to the limit, requests, restarts, pressure.

    It only looks. p pauses the screen, s saves what was seen as a trace for leakwatch analyze, q ends.

    Exit status: 0 nothing leaks, 10 a leak, 1 failed, 2 wrong usage.
    """
    if output != "table" and not once:
        raise click.UsageError("-o goes with --once")
    if not once and not sys.stdout.isatty():
        raise click.UsageError("a live screen needs a terminal; for a script or a pipe say --once")
    from leakwatch.clock import SystemClock
    from leakwatch.sample.sources import history_of, sources_of
    from leakwatch.watch import Watching

    watching = Watching(target, sources_of(target), every, SystemClock())
    past = history_of(target)
    if past is not None:
        watching.recall(past)
    watching.start()
    try:
        with stopping() as stop:
            if once:
                _once(watching, stop, for_seconds)
            else:
                _live(watching, stop, for_seconds, judge_every, colour=wants_colour(context, no_color))
        view = watching.view()
    finally:
        watching.close()
    if once and output == "json":
        from leakwatch.tell.watch_view import as_document

        click.echo(json.dumps(as_document(view), indent=2, allow_nan=False))
    elif once:
        from leakwatch.tell.watch_screen import render

        width, height = screen_size(pipe_width=100)
        shown = render(view, width=width, height=height, colour=wants_colour(context, no_color))
        click.echo(shown, nl=False, color=True)
    return LEAK if view.verdict is not None and view.verdict.level is Level.LEAK else NO_LEAK


def _once(watching: "Watching", stop: threading.Event, for_seconds: float | None) -> None:
    begun, seen = time.monotonic(), False
    while not stop.is_set():
        seen |= watching.take()
        passed = time.monotonic() - begun
        if seen and passed >= (for_seconds or 0.0):
            break
        if not seen and passed >= max(for_seconds or 0.0, FIRST_LOOK_SECONDS if not watching.view().trouble else 0.0):
            said = watching.view().trouble
            raise LeakwatchError(said[0] if said else "no sample came; see leakwatch doctor for what can be read")
        stop.wait(0.05)
    watching.judge()


def _live(
    watching: "Watching", stop: threading.Event, for_seconds: float | None, judge_every: float, *, colour: bool
) -> None:
    from rich.console import Console, ConsoleDimensions
    from rich.live import Live

    from leakwatch.tell.watch_screen import WatchScreen

    console = Console(markup=False, emoji=False, highlight=False, no_color=not colour, legacy_windows=False)
    shown, begun, judged_at, note, noted_at = watching.view(), time.monotonic(), -judge_every, "", 0.0
    screen = Live(WatchScreen(shown), console=console, screen=True, auto_refresh=False)
    with pressed_keys() as pressed, screen as live:
        while not stop.is_set():
            now = time.monotonic()
            if for_seconds is not None and now - begun >= for_seconds:
                break
            if watching.take() and now - judged_at >= judge_every:
                watching.judge()
                judged_at = now
            if not shown.paused:
                shown = watching.view()
            note = note if now - noted_at < 5.0 else ""
            console.size = ConsoleDimensions(*os.get_terminal_size(sys.stdout.fileno()))  # whatever COLUMNS says
            live.update(WatchScreen(replace(shown, note=note)), refresh=True)
            match pressed(REDRAW_SECONDS):
                case "q" | "Q":
                    break
                case "p" | "P" | " ":
                    shown = replace(shown, paused=not shown.paused)
                case "s" | "S":
                    note, noted_at = _saved(watching, shown.name), now


def _saved(watching: "Watching", name: str) -> str:
    """Writes what was seen beside where we are, and says so."""
    from leakwatch.tell.trace_csv import TraceWriter

    safe = "".join(c if c.isalnum() or c in "-." else "_" for c in name).strip(".") or "trace"
    path = f"{safe[:80]}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.csv"
    try:
        writer = TraceWriter(path)
        try:
            for sample in watching.samples:
                writer.write(sample)
        finally:
            writer.close()
    except (OSError, LeakwatchError) as error:
        return f"not saved: {error.strerror if isinstance(error, OSError) else error}"
    return f"saved {len(watching.samples):,} samples to {path}"
