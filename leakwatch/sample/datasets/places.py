"""Files of a folder or a bucket: local paths by the operating system, everything else through fsspec."""

import os
from dataclasses import dataclass
from typing import Any

from leakwatch.errors import LeakwatchError

PARQUET = (".parquet", ".parq", ".pq")


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file by the name that opens it, and its size in bytes."""

    path: str
    size_bytes: int

    @property
    def is_parquet(self) -> bool:
        """By its name: buckets are not read to find out."""
        return self.path.lower().endswith(PARQUET)


def find_files(path: str) -> list[FoundFile]:
    """The files under a path, in order of name, hidden ones and those of Spark and Hive (``_SUCCESS``) left out.

    Raises:
        LeakwatchError: nothing is there, or it needs fsspec and that is not installed.
    """
    files = _in_bucket(path) if "://" in path else _on_disk(path)
    kept = [file for file in files if not os.path.basename(file.path).startswith((".", "_")) and file.size_bytes]
    if not kept:
        raise LeakwatchError(f"{path}: no file is there; name a folder or a bucket with Parquet or CSV files")
    return sorted(kept, key=lambda file: file.path)


def open_parquet(path: str) -> Any:
    """A `pyarrow.parquet.ParquetFile`; close it."""
    import pyarrow.parquet as pq

    if "://" not in path:
        return pq.ParquetFile(path)
    fs, inside = _filesystem(path)
    return pq.ParquetFile(fs.open(inside, "rb"))


def _on_disk(path: str) -> list[FoundFile]:
    if not os.path.exists(path):
        return []
    if not os.path.isdir(path):
        return [FoundFile(path, os.stat(path).st_size)]
    return [
        FoundFile(os.path.join(here, name), os.stat(os.path.join(here, name)).st_size)
        for here, _, names in os.walk(path)
        for name in names
        if os.path.isfile(os.path.join(here, name))
    ]


def _in_bucket(url: str) -> list[FoundFile]:
    fs, inside = _filesystem(url)
    scheme = url.partition("://")[0]
    found = fs.find(inside, detail=True)
    return [FoundFile(f"{scheme}://{name}", int(entry["size"] or 0)) for name, entry in found.items()]


def _filesystem(url: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        what = "reading from a bucket needs fsspec"
        raise LeakwatchError(f"{url}: {what}; install leakwatch-agent[fleet]") from error
    try:
        fs, inside = url_to_fs(url)
    except (ImportError, ValueError) as error:  # a scheme whose own library is missing, or an unknown one
        raise LeakwatchError(f"{url}: {error}; install what fsspec asks for, or name a folder") from error
    return fs, inside
