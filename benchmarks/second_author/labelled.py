"""A trace and the truth about it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks.second_author.scene import FloatArray


@dataclass(frozen=True, slots=True)
class Labelled:
    """A trace and the truth about it.

    Attributes:
        time_seconds: (n,) Unix seconds, strictly rising.
        columns: by contract name, each (n,).
        limit_bytes: None where the container has no limit.
        leak: the label.
        slope_bytes_per_second: the leak's own rate; None where it is not one number.
        onset_seconds: Unix seconds of the leak's beginning.
        seconds_to_limit: from the end until the level, its daily peaks included, first reaches the limit; None without
            a limit or if not within 100 trace lengths.
        bytes_per_request: what each request leaves behind; None where the leak does not follow requests.
        full: all columns, or the working set alone.
    """

    family: str
    seed: int
    time_seconds: FloatArray
    columns: Mapping[str, FloatArray]
    limit_bytes: float | None
    leak: bool
    slope_bytes_per_second: float | None
    onset_seconds: float | None
    seconds_to_limit: float | None
    bytes_per_request: float | None
    full: bool


@dataclass(frozen=True, slots=True)
class Family:
    """A named generator: ``generate(seed)`` gives the same trace each time."""

    name: str
    leak: bool
    generate: Callable[[int], Labelled]
    description: str
