"""An agent from its settings to its end: what it is made of, new settings while it runs, and an end in time."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from leakwatch.agent.answering import answered
from leakwatch.agent.hand import Deeds, Hand
from leakwatch.agent.leading import Leading
from leakwatch.agent.loop import Agent
from leakwatch.agent.pages import pages_of, standing_by
from leakwatch.agent.roster import Roster
from leakwatch.agent.state_folder import StateFolder
from leakwatch.agent.thrift import give_back
from leakwatch.errors import LeakwatchError, SettingsError
from leakwatch.ports import Clock, Source
from leakwatch.sample.sources import sources_of
from leakwatch.settings import Approval, LeaderLeaseSettings, Settings, TargetSettings
from leakwatch.tell.channels import notifiers, presses
from leakwatch.tell.http_pages import HttpPages, Page
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
    roster_of: Callable[[Settings], Roster] = Roster,
    leading_of: Callable[[LeaderLeaseSettings | None, Clock], Leading] = Leading,
) -> None:
    """Watch until ``stop`` is set, or for so many cycles; ``reload`` asks for the settings again.

    New settings that cannot be used are told, and the old ones stay.

    Raises:
        SettingsError: the first settings cannot be used.
    """
    run = _Run(load, clock, stop, reload, cycles, sources, roster_of, leading_of)
    settings = load()
    before: Settings | None = None
    while True:
        try:
            fresh = run.until_new(settings)
        except LeakwatchError as error:
            if before is None:
                raise
            _refuse(error)
            settings, before = before, None
            continue
        if fresh is None:
            return
        settings, before = fresh, settings


@dataclass(frozen=True, slots=True)
class _Run:
    """What `run_agent` was given."""

    load: Callable[[], Settings]
    clock: Clock
    stop: threading.Event
    reload: threading.Event
    cycles: int | None
    sources: Callable[[TargetSettings], Sequence[Source]]
    roster_of: Callable[[Settings], Roster]
    leading_of: Callable[[LeaderLeaseSettings | None, Clock], Leading]

    def until_new(self, settings: Settings) -> Settings | None:
        """Watch while it is us who should, and as pods come and go; returns the next settings, None at the end."""
        with self.leading_of(settings.leader_lease, self.clock) as leading, self.roster_of(settings) as roster:
            while not self.stop.is_set():
                if not leading.is_ours:
                    with _serving(settings, standing_by):
                        leading.wait(lambda: self.stop.is_set() or self.reload.is_set())
                    if (fresh := self._reloaded()) is not None:
                        return fresh
                    continue
                with _built(roster.settings(self.stop), self.clock, self.sources) as agent:
                    give_back()
                    agent.start()
                    interruption = _Interruption(self.reload, leading, roster, agent)
                    while not self.stop.is_set():
                        agent.run(self.stop, interruption, self.cycles)
                        if (fresh := self._reloaded()) is not None or agent.cycles == self.cycles:
                            return fresh
                        if interruption.is_set():
                            break
        return None

    def _reloaded(self) -> Settings | None:
        """The new settings, where they were asked for; None where they were not, or cannot be used, which is told."""
        if self.stop.is_set() or not self.reload.is_set():
            return None
        self.reload.clear()
        try:
            return self.load()
        except SettingsError as error:
            _refuse(error)
            return None


class _Interruption:
    """What ends an agent's run: new settings, another leader, other pods; those wait for an action to be over."""

    def __init__(self, reload: threading.Event, leading: Leading, roster: Roster, agent: Agent) -> None:
        self._reload, self._leading, self._roster, self._agent = reload, leading, roster, agent

    def is_set(self) -> bool:
        """Whether it is time."""
        pods = self._roster.has_changed and not self._agent.is_acting
        return self._reload.is_set() or not self._leading.is_ours or pods


def _refuse(error: LeakwatchError) -> None:
    for problem in str(error).splitlines():
        log.error("%s", visible(problem))
    log.error("the new settings cannot be used, the old ones stay")


@contextmanager
def _built(settings: Settings, clock: Clock, sources: Callable[[TargetSettings], Sequence[Source]]) -> Iterator[Agent]:
    """An agent with all that it needs; at the end they are told to end together, and none is waited for too long."""
    with StateFolder(settings.state_dir) as folder:
        heard = None
        if settings.act.approval is Approval.REQUIRED and not settings.act.dry_run:
            heard = presses(settings.tell, partial(answered, folder.path, clock))
        hears = (lambda: heard.hears) if heard is not None else (lambda: False)
        channels = notifiers(settings.tell, settings.targets, clock.now, hears_presses=hears)
        telling = Telling(channels, folder.path, clock, [target.name for target in settings.targets])
        hand = Hand(lambda: _deeds(settings, folder.path, clock), at_once=any(folder.path.glob("ledger*")))
        decided, workers = None, [hand.close, telling.close]
        if settings.tell.kubernetes_events:
            from leakwatch.agent.decisions import decisions_to_pods

            decided, close = decisions_to_pods(settings, clock)
            workers.append(close)
        if heard is not None:
            workers.append(heard.close)
        agent = pages = None
        try:
            agent = Agent(settings, clock, sources, telling, hand, decided)
            pages = _pages(settings, pages_of(agent))
            yield agent
        finally:
            _end(agent, pages, workers, clock)


def _deeds(settings: Settings, state_dir: Path, clock: Clock) -> Deeds:
    """Who acts: gates, ledger, evidence and backends, imported once there is something to consider."""
    from leakwatch.act.acting import Acting
    from leakwatch.act.backends import restarters
    from leakwatch.sample.probes.target import probes_of

    backends = {target.name: restarters(target, settings.act, clock, state_dir) for target in settings.targets}
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


@contextmanager
def _serving(settings: Settings, pages: Callable[[str], Page | None]) -> Iterator[None]:
    """Pages while nothing is watched."""
    server = _pages(settings, pages)
    try:
        yield
    finally:
        if server is not None:
            server.close()


def _pages(settings: Settings, pages: Callable[[str], Page | None]) -> HttpPages | None:
    if settings.listen is None:
        return None
    try:
        server = HttpPages(settings.listen, pages)
    except OSError as error:
        host, port = settings.listen
        raise SettingsError([f"listen: {host}:{port}: {error.strerror}; name a free address, or off"]) from error
    host, port = server.address
    log.info("metrics at http://%s:%d/metrics", f"[{host}]" if ":" in host else host, port)
    return server
