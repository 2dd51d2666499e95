"""Which samples stay as they grow old: all of the last hours, fewer of the days, fewer still of the weeks.

What stands for a bucket is the real sample whose memory is the bucket's median, not a mean: counters stay counters, and
one spike does not stand for its neighbours. Measured by ``python -m benchmarks.history``: under a daily load, a
sawtooth, noise and spikes the slope over 28 days differs from that of all samples by .01 % of the level a day, at most
.03 %.
"""

import math
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, groupby

from leakwatch.sample.history_rows import unpack
from leakwatch.trace import MEMORY_COLUMNS

_HOUR, _DAY = 3600.0, 86400.0


@dataclass(frozen=True, slots=True)
class Tier:
    """One age of samples.

    Attributes:
        keep_seconds: a sample that is older goes on to the next tier, if it stands for its bucket there.
        most: or once there are more than so many of a target.
        bucket_seconds: of the next tier; None: nothing comes after, it is forgotten.
    """

    keep_seconds: float
    most: int
    bucket_seconds: float | None


TIERS = (
    Tier(6 * _HOUR, 8192, 60.0),
    Tier(2 * _DAY, 4096, 900.0),
    Tier(35 * _DAY, 4096, None),
)
"""All samples for 6 h, one a minute for 2 days, one a quarter of an hour for 5 weeks. At 5 s these are 4320, 2520 and
3168 samples: about 2 MiB a target, whatever the sampling period."""


@dataclass(frozen=True, slots=True)
class Row:
    """Of one stored sample what decides whether it stays; ``memory`` by column, without those it lacks."""

    id: int
    time_seconds: float
    life: int
    memory: Mapping[str, float]


def thin(
    database: sqlite3.Connection,
    words: Mapping[int, str],
    target: int,
    number: int,
    tier: Tier,
    now_seconds: float,
) -> None:
    """Move on or delete what a target has too old, or too many, in this tier, in one transaction.

    Args:
        words: names of the cells' columns, by their numbers.
        target: the number of its name.
        number: the tier's place in `TIERS`.
    """
    crowd = "SELECT time FROM samples WHERE target = ? AND tier = ? ORDER BY time DESC LIMIT 1 OFFSET ?"
    crowded = database.execute(crowd, (target, number, tier.most)).fetchone()
    edge = max(now_seconds - tier.keep_seconds, crowded[0] if crowded else -math.inf)
    if tier.bucket_seconds is not None:
        edge -= edge % tier.bucket_seconds  # only whole buckets
    due = "target = ? AND tier = ? AND time < ?"
    query = f"SELECT id, time, life, cells FROM samples WHERE {due} ORDER BY time"
    found = database.execute(query, (target, number, edge))
    first = found.fetchone()
    if first is None:
        return
    stay = kept((_row(words, *one) for one in chain((first,), found)), tier)
    with database:
        database.executemany("UPDATE samples SET tier = tier + 1 WHERE id = ?", [(row,) for row in stay])
        database.execute(f"DELETE FROM samples WHERE {due}", (target, number, edge))


def _row(words: Mapping[int, str], number: int, time_seconds: float, life: int, cells: bytes) -> Row:
    values = unpack(cells, words)
    return Row(number, time_seconds, life, {name: values[name] for name in MEMORY_COLUMNS if name in values})


def kept(rows: Iterable[Row], tier: Tier) -> frozenset[int]:
    """The ids of the rows that go on: one of each bucket and life; ``rows`` are in the order of time.

    No more than one bucket is held at a time: after a long pause thousands are due, and an agent keeps what it took.
    """
    width = tier.bucket_seconds
    if width is None:
        return frozenset()
    buckets = groupby(rows, key=lambda row: (row.time_seconds // width, row.life))
    return frozenset(_median(bucket).id for _, bucket in buckets)


def _median(bucket: Iterable[Row]) -> Row:
    """The row whose memory is the lower median; of rows without any, the middle one."""
    rows = list(bucket)
    name = next((name for name in MEMORY_COLUMNS if any(name in row.memory for row in rows)), None)
    if name is not None:
        rows = sorted((row for row in rows if name in row.memory), key=lambda row: row.memory[name])
    return rows[(len(rows) - 1) // 2]
