"""A process is ended, and whoever supervises it starts it again: the kubelet, systemd, a loop in a shell.

Needs the same user or the capability KILL, and in a pod ``shareProcessNamespace: true``. What nobody starts again stays
away: the verification finds no new life and calls a person.
"""

import os
import signal
from collections.abc import Callable

from leakwatch.act.file_lock import FileLock
from leakwatch.act.process_handle import NAME, Handle, Identity, ignores_sigterm, uptime_seconds
from leakwatch.act.process_search import ProcessesPlace, descendants, server_of
from leakwatch.act.reachable import answers
from leakwatch.act.wording import duration
from leakwatch.errors import ActError
from leakwatch.ports import Action, Clock, Outcome, Standing
from playbooks.types import Action as Remedy

_AFTER_KILL_SECONDS = 10.0
_NEVER = frozenset({"replicas", "disruption_budget", "rollout"})


class ProcessRestarter:
    """Ends the server's process: SIGTERM, and SIGKILL where that does nothing in time.

    Args:
        server_url: the server's own address; where it has one, ready means that it takes connections. Without one there
            is nothing to drain either.
    """

    name = NAME

    def __init__(self, place: ProcessesPlace, clock: Clock, server_url: str | None = None) -> None:
        self._place, self._clock, self._server_url = place, clock, server_url

    def remedies(self) -> frozenset[Remedy]:
        """A restart, and nothing cheaper."""
        return frozenset({Remedy.RESTART})

    def lease(self) -> FileLock | None:
        """The server's process itself is claimed; None where the kernel or a sandbox has no pidfds."""
        pid = server_of(self._place).pid
        try:
            os.close(os.pidfd_open(pid))
        except OSError:
            return None
        return FileLock(NAME, lambda: os.pidfd_open(pid))

    def standing(self, now_seconds: float) -> Standing:
        """The server's process; raises ActError where none or several could be meant."""
        server = server_of(self._place)
        ready = self._server_url is None or answers(self._server_url)
        absent = _NEVER if self._server_url is not None else _NEVER | {"drain"}
        return Standing(server.life, uptime_seconds(server), ready, not_applicable=absent)

    def carry_out(self, action: Action, held: Callable[[], bool]) -> Outcome:
        """SIGTERM where it is of use, then SIGKILL to the server and to what it leaves behind."""
        server = server_of(self._place)
        if action.dry_run:
            return Outcome(False, f"dry run: {_named(server)} would be ended", 0.0)
        began = self._clock.steady()
        with Handle(server) as handle:
            said = self._ended(handle, action, held)
        took = self._clock.steady() - began
        return Outcome(said is not None, said or f"{_named(server)} was left alone: the claim on it was lost", took)

    def _ended(self, handle: Handle, action: Action, held: Callable[[], bool]) -> str | None:
        """How it ended; None where it was left alone."""
        server, deaf = handle.identity, ignores_sigterm(handle.identity.pid)
        family = descendants(server)
        if not deaf:
            if not handle.send(signal.SIGTERM):
                return f"{_named(server)} had ended by itself"
            if handle.wait(action.stop_seconds):
                return f"{_named(server)} ended after SIGTERM"
        if not held():
            return None
        handle.send(signal.SIGKILL)
        if not handle.wait(_AFTER_KILL_SECONDS):
            what = f"{_named(server)} did not end within {duration(_AFTER_KILL_SECONDS)} of SIGKILL"
            raise ActError(NAME, what, "see what it waits for: cat /proc/PID/wchan")
        for orphan in family:
            with Handle(orphan) as left_behind:
                left_behind.send(signal.SIGKILL)
        why = "ignores SIGTERM" if deaf else f"did not end within {duration(action.stop_seconds)} of SIGTERM"
        return f"{_named(server)} {why}, and was killed"


def _named(identity: Identity) -> str:
    return f"{identity.command} (pid {identity.pid})"
