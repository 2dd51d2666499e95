"""An agent from its settings to its end: what it is made of, new settings while it runs, and an end in time."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from leakwatch.agent.hand import Deeds, Hand
from leakwatch.agent.loop import Agent
from leakwatch.agent.pages import pages_of
from leakwatch.agent.state_folder import StateFolder
from leakwatch.agent.thrift import give_back
from leakwatch.errors import LeakwatchError, SettingsError
from leakwatch.ports import Clock, Source
from leakwatch.sample.sources import sources_of
from leakwatch.settings import Settings, TargetSettings
from leakwatch.tell.channels import notifiers
from leakwatch.tell.http_pages import HttpPages
from leakwatch.tell.telling import Telling
from leakwatch.tell.units import visible

CLOSE_SECONDS = 1.5
"""SIGTERM ends an agent within 2 s; what is left of them is the interpreter's own end."""

log = logging.getLogger(__name__)


def run_agent(
    load: Callable[[], Settings],
    clock: Clock,
    stop: threading.Event,
    reload: threading.Event,
    *,
    cycles: int | None = None,
    sources: Callable[[TargetSettings], Sequence[Source]] = sources_of,
) -> None:
    """Watch until ``stop`` is set, or for so many cycles; ``reload`` asks for the settings again.

    New settings that cannot be used are told, and the old ones stay.

    Raises:
        SettingsError: the first settings cannot be used.
    """
    settings = load()
    before: Settings | None = None
    while True:
        try:
            with _built(settings, clock, sources) as agent:
                fresh = _until_new_settings(agent, load, stop, reload, cycles)
        except LeakwatchError as error:
            if before is None:
                raise
            _refuse(error)
            settings, before = before, None
            continue
        if fresh is None:
            return
        settings, before = fresh, settings


def _until_new_settings(
    agent: Agent, load: Callable[[], Settings], stop: threading.Event, reload: threading.Event, cycles: int | None
) -> Settings | None:
    """The settings to go on with; None at the end."""
    give_back()
    agent.start()
    while True:
        agent.run(stop, reload, cycles)
        if stop.is_set() or not reload.is_set():
            return None
        reload.clear()
        try:
            return load()
        except SettingsError as error:
            _refuse(error)


def _refuse(error: LeakwatchError) -> None:
    for problem in str(error).splitlines():
        log.error("%s", visible(problem))
    log.error("the new settings cannot be used, the old ones stay")


@contextmanager
def _built(settings: Settings, clock: Clock, sources: Callable[[TargetSettings], Sequence[Source]]) -> Iterator[Agent]:
    """An agent with all that it needs; at the end they are told to end together, and none is waited for too long."""
    with StateFolder(settings.state_dir) as folder:
        channels = notifiers(settings.tell, settings.targets, clock.now)
        telling = Telling(channels, folder.path, clock, [target.name for target in settings.targets])
        hand = Hand(lambda: _deeds(settings, folder.path, clock), at_once=any(folder.path.glob("ledger*")))
        agent = pages = None
        try:
            agent = Agent(settings, clock, sources, telling, hand)
            pages = _pages(settings, agent)
            yield agent
        finally:
            _end(agent, pages, (hand.close, telling.close), clock)


def _deeds(settings: Settings, state_dir: Path, clock: Clock) -> Deeds:
    """Who acts: gates, ledger, evidence and backends, imported once there is something to consider."""
    from leakwatch.act.acting import Acting
    from leakwatch.act.backends import restarters
    from leakwatch.sample.probes.target import probes_of

    backends = {target.name: restarters(target, settings.act, clock) for target in settings.targets}
    probes = {target.name: probes_of(target) for target in settings.targets}
    return Acting(settings.act, state_dir, backends, probes, clock)


def _end(agent: Agent | None, pages: HttpPages | None, workers: Sequence[Callable[[], None]], clock: Clock) -> None:
    """All at once; what does not end in time is left behind, its thread dies with the process."""
    ends_at = clock.steady() + CLOSE_SECONDS
    closing = [threading.Thread(target=close, daemon=True) for close in workers]
    for thread in closing:
        thread.start()
    if pages is not None:
        pages.close()
    if agent is not None:
        agent.close(ends_at - clock.steady())
    for thread in closing:
        thread.join(max(0.0, ends_at - clock.steady()))


def _pages(settings: Settings, agent: Agent) -> HttpPages | None:
    if settings.listen is None:
        return None
    try:
        pages = HttpPages(settings.listen, pages_of(agent))
    except OSError as error:
        host, port = settings.listen
        raise SettingsError([f"listen: {host}:{port}: {error.strerror}; name a free address, or off"]) from error
    host, port = pages.address
    log.info("metrics at http://%s:%d/metrics", f"[{host}]" if ":" in host else host, port)
    return pages
