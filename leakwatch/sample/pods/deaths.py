"""How a container ended, read from its last state with the care that the field needs.

137 is any SIGKILL, and the reason OOMKilled comes from a counter of the cgroup that an earlier kill of a child has
raised as well (kubernetes/kubernetes PR 140718); soon after the start a real kill can be told as Error (containerd
issue 8180).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

SIGKILL, SIGTERM = 137, 143


class Death(StrEnum):
    """What the last state proves; each value is a sentence."""

    OUT_OF_MEMORY = "it was killed for want of memory (OOMKilled, 137)"
    CHILD_OUT_OF_MEMORY = "a process in it had been killed for want of memory (OOMKilled), but it ended otherwise"
    KILLED = "it was killed with SIGKILL (137), which alone is no proof that memory ran out"
    STOPPED = "it was told to end (143)"
    FAILED = "it failed"
    COMPLETED = "it ended by itself (0)"


def death_of(terminated: Mapping[str, Any]) -> Death:
    """The meaning of ``containerStatuses[].lastState.terminated``."""
    exit_code = terminated.get("exitCode")
    if terminated.get("reason") == "OOMKilled":
        return Death.OUT_OF_MEMORY if exit_code == SIGKILL else Death.CHILD_OUT_OF_MEMORY
    if exit_code == SIGKILL or terminated.get("signal") == 9:
        return Death.KILLED
    if exit_code == SIGTERM or terminated.get("signal") == 15:
        return Death.STOPPED
    return Death.COMPLETED if exit_code == 0 else Death.FAILED


def was_out_of_memory(death: Death) -> bool:
    """Whether the kernel killed something in it for want of memory, be it the server or a child."""
    return death in (Death.OUT_OF_MEMORY, Death.CHILD_OUT_OF_MEMORY)
