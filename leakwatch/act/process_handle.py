"""A process that cannot be mistaken for another: its pid and start time, and a pidfd where the kernel has them.

A pid is given again once its process is gone. A pidfd names the process for good; where there is none, the start time
is read again right before each signal (https://man7.org/linux/man-pages/man2/pidfd_open.2.html).
"""

import os
import select
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from leakwatch.errors import ActError

NAME = "process"
_POLL_SECONDS = 0.05
_START_FIELD = 19  # field 22 of /proc/PID/stat, counted from behind the command's name
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Identity:
    """Which process: pid, start time in clock ticks since boot, and its command's name."""

    pid: int
    started_ticks: int
    command: str

    @property
    def life(self) -> str:
        """Names it for good, within one boot."""
        return f"{NAME}:{self.pid}:{self.started_ticks}"


def identify(pid: int) -> Identity | None:
    """The process that has the pid now; None where there is none, or only a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    command = stat[stat.index(b"(") + 1 : stat.rindex(b")")].decode(errors="replace")
    fields = stat[stat.rindex(b")") + 2 :].split()
    return None if fields[0] in (b"Z", b"X") else Identity(pid, int(fields[_START_FIELD]), command)


def uptime_seconds(identity: Identity) -> float:
    """How long it has been running, by the clock that counts from boot and cannot be set."""
    return max(time.clock_gettime(time.CLOCK_BOOTTIME) - identity.started_ticks / _TICKS, 0.0)


def ignores_sigterm(pid: int) -> bool:
    """Whether SIGTERM has no effect: it is ignored, or the process is the first of its namespace and does not catch it.

    TF Serving does not catch it, and a shell that runs as the first process of a container neither.
    """
    try:
        lines = Path(f"/proc/{pid}/status").read_text(errors="replace").splitlines()
    except OSError:
        return False
    status = dict(line.split(":", 1) for line in lines if ":" in line)
    bit = 1 << (signal.SIGTERM - 1)
    ignored, caught = (bool(int(status.get(name, "0"), 16) & bit) for name in ("SigIgn", "SigCgt"))
    first = status.get("NSpid", str(pid)).split()[-1] == "1"
    return ignored or (first and not caught)


class Handle:
    """Signals one process and no other; a context manager."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self._pidfd: int | None = None

    def __enter__(self) -> "Handle":
        try:
            self._pidfd = os.pidfd_open(self.identity.pid)
        except OSError:  # none such, or a kernel or sandbox without pidfds: the start time has to do
            self._pidfd = None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pidfd is not None:
            os.close(self._pidfd)

    def lives(self) -> bool:
        """Whether this very process still runs."""
        return identify(self.identity.pid) == self.identity

    def send(self, number: signal.Signals) -> bool:
        """False where the process is gone; what has its pid now is left alone.

        Raises:
            ActError: we may not.
        """
        if not self.lives():
            return False
        try:
            if self._pidfd is not None:
                signal.pidfd_send_signal(self._pidfd, number)
            else:
                os.kill(self.identity.pid, number)
        except ProcessLookupError:
            return False
        except PermissionError as error:
            what = f"may not send {number.name} to {self.identity.command} (pid {self.identity.pid})"
            raise ActError(NAME, what, "run as the same user, or with the capability KILL") from error
        return True

    def wait(self, seconds: float) -> bool:
        """Whether it ended within so many seconds."""
        end = time.monotonic() + seconds
        while self.lives():
            left = end - time.monotonic()
            if left <= 0:
                return False
            if self._pidfd is not None:
                select.select([self._pidfd], [], [], left)
            if self.lives():  # without a pidfd, or a zombie that its parent has not collected
                time.sleep(min(_POLL_SECONDS, max(left, 0.0)))
        return True
