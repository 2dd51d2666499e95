"""Times and labels of Arrow columns as ours: Unix seconds, text."""

import datetime
from typing import Any

import numpy as np

from leakwatch.quantities import MILLISECONDS_FROM
from leakwatch.trace import FloatArray


def seconds_of(value: Any, kind: Any) -> float:
    """Unix seconds of one time as Parquet's statistics tell it: a moment, a number, or milliseconds."""
    if isinstance(value, datetime.datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
        return moment.timestamp()
    number = float(value)
    return number / 1000.0 if number >= MILLISECONDS_FROM else number


def seconds_column(column: Any) -> FloatArray:
    """(n,) Unix seconds of an Arrow array of moments or of numbers (milliseconds where they are that large)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_timestamp(column.type):
        micros = pc.cast(pc.cast(column, pa.timestamp("us", tz=column.type.tz), safe=False), pa.int64())
        return np.asarray(micros.to_numpy(zero_copy_only=False), dtype=np.float64) / 1e6
    numbers = np.asarray(pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
    return np.where(numbers >= MILLISECONDS_FROM, numbers / 1000.0, numbers)


def number_column(column: Any) -> FloatArray:
    """(n,) float64 of an Arrow array, NaN where it holds nothing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return np.asarray(pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)
