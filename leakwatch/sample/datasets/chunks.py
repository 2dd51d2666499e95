"""What a data set is split into: chunks of whole containers, each named by the pieces of files that hold them."""

from dataclasses import dataclass

from leakwatch.ports import Chunk

KEY_COLUMNS = ("namespace", "pod", "container")
"""Together they name a container; those that the data set has."""

LABEL_COLUMNS = ("cluster", "namespace", "workload", "image", "node", "pod", "container")
"""Text columns that are kept with each container, and that it may be grouped by."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a file: some of its row groups, or all of it (None) where it is no Parquet."""

    path: str
    row_groups: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Dataset:
    """What is to be read, before any of it is: files, or what a server keeps.

    Attributes:
        chunks: in order of number from 0.
        containers: how many there are; None where that is not known before they are read.
        start_seconds, end_seconds: Unix seconds of the first and the last sample; None where not known.
        unreadable: what lies there and cannot be read, a line each.
        fingerprint: changes when the files or their sizes (a server's containers) do; what results are resumed by.
    """

    chunks: tuple[Chunk, ...]
    containers: int | None
    start_seconds: float | None
    end_seconds: float | None
    unreadable: tuple[str, ...]
    fingerprint: str
