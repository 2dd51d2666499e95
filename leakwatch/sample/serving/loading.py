"""How many model versions a TF Serving is loading: its page tells of a load once it is over, its status API before."""

import re
from collections.abc import Iterable

from leakwatch.errors import SourceError
from leakwatch.sample.serving.model_status import State, read_status, status_page
from leakwatch.settings import ServingSettings

ASK_EVERY_SECONDS = 30.0
"""Half of the minute that a load may always take. Each question counts in the server's ``request_count``."""

REFUSED_SECONDS = 600.0
"""When an API that did not answer is asked again."""

MOST_MODELS = 10
"""Asked for in one turn; of more the next ones have the next turn."""

_LOADS = re.compile(r"model_loads_total:(.+)", re.DOTALL)
_BUSY = frozenset({State.START, State.LOADING})


class Loading:
    """Asks now and then, in between answers as before; an API that is not there costs nothing but its answer."""

    def __init__(self, settings: ServingSettings) -> None:
        self._page = status_page(settings)
        self._due_at: float | None = None
        self._asked: list[str] = []
        self._unknown: set[str] = set()
        self._busy: dict[str, int] | None = {}

    def count(self, columns: Iterable[str], now_seconds: float) -> float | None:
        """Versions being loaded of the models whose loads stand among the columns; None where it is not known."""
        early = self._due_at is not None and 0.0 <= self._due_at - now_seconds <= REFUSED_SECONDS
        if not early:
            self._ask(sorted(found[1] for name in columns if (found := _LOADS.fullmatch(name))), now_seconds)
        return None if self._busy is None else float(sum(self._busy.values()))

    def close(self) -> None:
        """Close the connection."""
        self._page.close()

    def _ask(self, models: list[str], now_seconds: float) -> None:
        models = [model for model in models if model not in self._unknown]
        turn = [model for model in models if model not in self._asked][:MOST_MODELS]
        self._asked = [*self._asked, *turn] if len(turn) + len(self._asked) < len(models) else []
        busy = {model: count for model, count in (self._busy or {}).items() if model in models}
        try:
            for model in turn:
                versions = read_status(self._page, model)
                busy[model] = sum(version.state in _BUSY for version in versions)
                if not versions:  # its folder has another name, and each question would count as a refused request
                    self._unknown.add(model)
        except SourceError:
            self._busy, self._due_at = None, now_seconds + REFUSED_SECONDS
            return
        self._busy, self._due_at = busy, now_seconds + ASK_EVERY_SECONDS
