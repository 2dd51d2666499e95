"""Who holds a claim: one name for each state folder, so that an agent that is killed and starts again knows its own.

Of the agents of one folder only one acts (`leakwatch.act.acting` locks it), so a claim in its name is nobody else's.
"""

import os
import re
import secrets
import socket
from pathlib import Path

FILE_NAME = "holder"


def holder_of(state_dir: Path) -> str:
    """The folder's name for claims on this host (a folder may be copied to another); where it cannot be kept a new one
    each time.
    """
    return f"{socket.gethostname()}-{_token_of(state_dir / FILE_NAME)}"


def fresh_holder() -> str:
    """A name that no other holder has, for a claim that need not be known again."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(8)}"


def _token_of(path: Path) -> str:
    fresh = secrets.token_hex(8)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = path.read_text().strip() if path.exists() else ""
        if re.fullmatch("[0-9a-f]{16}", kept):
            return kept
        unfinished = path.with_name(f"{path.name}.new-{os.getpid()}")
        unfinished.write_text(fresh)
        unfinished.replace(path)
    except (OSError, ValueError):
        return fresh
    return fresh
