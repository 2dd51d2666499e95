"""``leakwatch agent``: parse, run, exit status."""

import logging
import signal
import threading
from collections.abc import Callable

import click

from leakwatch.cli.agent_flags import settings_flags
from leakwatch.cli.stopping import stopping
from leakwatch.settings import Settings
from leakwatch.settings.reading import Loaded
from leakwatch.tell.units import visible


@click.command()
@settings_flags
@click.option("--cycles", type=click.IntRange(1), metavar="N", help="End after so many beats.")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def command(load: Callable[[], Loaded], cycles: int | None, debug: bool) -> int:
    """Watch for ever: sample, detect, diagnose, act, tell.

    What is noteworthy goes to standard error, a line each. SIGTERM and Ctrl-C end it within 2 s; SIGHUP has it read its
    settings again, and keep the old ones where the new cannot be used.

    Exit status: 0 it was told to end, 1 failed, 2 settings that cannot be used, or wrong usage.
    """
    from leakwatch.agent.thrift import encrypt_later, keep_the_heap_small

    keep_the_heap_small()
    encrypt_later()
    from leakwatch.agent.running import run_agent
    from leakwatch.clock import SystemClock
    from leakwatch.settings.describing import warnings

    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)

    def settings() -> Settings:
        loaded = load()
        for warning in warnings(loaded.settings):
            logging.warning("%s", visible(warning))
        return loaded.settings

    reload = threading.Event()
    before = signal.signal(signal.SIGHUP, lambda *_: reload.set())
    try:
        with stopping() as stop:
            run_agent(settings, SystemClock(), stop, reload, cycles=cycles)
    finally:
        signal.signal(signal.SIGHUP, before)
    return 0
