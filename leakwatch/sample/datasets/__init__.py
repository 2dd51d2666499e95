"""Many containers in one place: Parquet or CSV, in folders or buckets, split into chunks that are read one by one."""

from leakwatch.sample.datasets.chunks import Dataset, Piece
from leakwatch.sample.datasets.read import Chunk, read_chunk
from leakwatch.sample.datasets.survey import survey

__all__ = ["Chunk", "Dataset", "Piece", "read_chunk", "survey"]
