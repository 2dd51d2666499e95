"""A trace and its truth, known by construction."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.containers.container import Physics
from benchmarks.containers.future import until_limit
from benchmarks.containers.observe import observed, sampled
from benchmarks.containers.scene import FloatArray


@dataclass(frozen=True, slots=True)
class Labelled:
    """A trace with its truth.

    Attributes:
        family: name in FAMILIES.
        seed: with the family it fixes every number here.
        time_seconds: (n,) Unix seconds, strictly rising.
        columns: contract column names, (n,) each, NaN where unknown; without the limit.
        limit_bytes: None means no limit.
        leak: the label.
        slope_bytes_per_second: the leak's own rate; None where it is not one number.
        onset_seconds: Unix seconds at which the leak began; None without a leak.
        seconds_to_limit: from the trace's end to the first time that the level (anonymous memory where the trace has
            it, else the working set; noise apart) reaches the limit if the same container goes on without being
            killed or deployed, its load repeating itself; None without a limit or beyond 100 trace lengths.
        bytes_per_request: what each request (of ``leaking_model``, where that is given) leaves behind.
        full: whether the richer columns are there.
        leaking_model: the one model that leaks, of several.
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
    leaking_model: str | None = None


def label(family: str, seed: int, physics: Physics) -> Labelled:
    """Write the trace and its truth down."""
    scene, leak, unit = physics.scene, physics.container.leak, physics.leak_unit_bytes
    future = until_limit(physics)
    time, columns = sampled(scene, observed(physics))
    return Labelled(
        family=family,
        seed=seed,
        time_seconds=np.round(scene.start_seconds + time, 3),
        columns=columns,
        limit_bytes=physics.limit_bytes if physics.limited else None,
        leak=leak is not None,
        slope_bytes_per_second=None if leak is None or leak.rate_per_second is None else leak.rate_per_second * unit,
        onset_seconds=None if leak is None else scene.start_seconds + leak.onset,
        seconds_to_limit=future,
        bytes_per_request=None if leak is None or leak.per_request is None else leak.per_request * unit,
        full=scene.full,
        leaking_model=None if leak is None else leak.model,
    )
