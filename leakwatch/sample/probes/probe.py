"""A probe: one function that takes one kind of evidence, kept within its time and its size whatever it does."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from leakwatch.ports import EvidencePart
from leakwatch.quantities import shown

PART_BYTES = 4 * 1024 * 1024
"""The most of one part: a bundle has about fifteen of them."""


@dataclass(frozen=True, slots=True)
class BoundedProbe:
    """Keeps to `leakwatch.ports.Probe`.

    Attributes:
        name: of the file that it makes.
        take: makes its content within so many seconds; may raise, and may hang.
        at_most_bytes: where the content is cut.
    """

    name: str
    take: Callable[[float], bytes]
    at_most_bytes: int = PART_BYTES

    def collect(self, deadline_seconds: float) -> EvidencePart:
        """Take it; a take that hangs is left behind in its daemon thread."""
        taken: list[EvidencePart] = []
        thread = threading.Thread(target=self._take, args=(deadline_seconds, taken), name=self.name, daemon=True)
        thread.start()
        thread.join(max(0.0, deadline_seconds))
        if taken:
            return taken[0]
        return EvidencePart(self.name, b"", f"not finished within {deadline_seconds:.3g} s")

    def _take(self, deadline_seconds: float, taken: list[EvidencePart]) -> None:
        try:
            content = self.take(deadline_seconds)
        except Exception as error:  # whatever it is, the other evidence is still worth having
            said = getattr(error, "strerror", None) or str(error) or type(error).__name__
            taken.append(EvidencePart(self.name, b"", shown(said, 300)))
            return
        size = len(content)
        cut = f"cut from {size} to {self.at_most_bytes} bytes" if size > self.at_most_bytes else None
        taken.append(EvidencePart(self.name, content[: self.at_most_bytes], cut))
