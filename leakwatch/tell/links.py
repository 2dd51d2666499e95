"""The links that go with each message: the settings' addresses with the target's name in them."""

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses in which ``{target}`` is replaced; None where the settings have none."""

    dashboard_url: str | None = None
    runbook_url: str | None = None

    def dashboard(self, target: str) -> str | None:
        """Where the target's graphs are."""
        return _filled(self.dashboard_url, target)

    def runbook(self, target: str) -> str | None:
        """What to do is written there."""
        return _filled(self.runbook_url, target)


def _filled(url: str | None, target: str) -> str | None:
    return None if url is None else url.replace("{target}", quote(target, safe="", errors="replace"))
