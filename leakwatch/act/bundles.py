"""The evidence that is kept: which bundles there are, and what is in one."""

import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leakwatch.act.evidence import FOLDER, MANIFEST, SUFFIX
from leakwatch.errors import ActError


@dataclass(frozen=True, slots=True)
class Kept:
    """A bundle: its name and size, and its manifest; None where it cannot be read, and ``problem`` says why."""

    name: str
    size_bytes: int
    manifest: dict[str, Any] | None
    problem: str | None = None


def kept(state_dir: Path) -> tuple[Kept, ...]:
    """All bundles, the newest first."""
    return tuple(_kept(path) for path in sorted((state_dir / FOLDER).glob(f"*{SUFFIX}"), reverse=True))


def find(state_dir: Path, name: str) -> Path:
    """The bundle of that name, or the only one that begins so; ``latest`` is the newest.

    Raises:
        ActError: there is none, or more than one.
    """
    paths = sorted((state_dir / FOLDER).glob(f"*{SUFFIX}"), reverse=True)
    fitting = paths[:1] if name == "latest" else [path for path in paths if path.name.startswith(name)]
    if len(fitting) != 1:
        what = f"{len(fitting)} bundles begin with {name!r}" if fitting else f"there is no bundle {name!r}"
        raise ActError("evidence", f"{what} in {state_dir / FOLDER}", "see 'leakwatch evidence list' for the names")
    return fitting[0]


def read_manifest(path: Path) -> dict[str, Any]:
    """What the bundle says of itself; raises ActError where it cannot be read."""
    manifest: dict[str, Any] = json.loads(read_part(path, MANIFEST))
    return manifest


def read_part(path: Path, name: str) -> bytes:
    """One file of a bundle.

    Raises:
        ActError: the bundle cannot be read, or holds no such file.
    """
    with _opened(path) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name == name else None
            if file is not None:
                return file.read()
    raise ActError(
        "evidence", f"{path.name} holds no {name!r}", f"see 'leakwatch evidence show {path.name}' for its files"
    )


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    import zstandard

    try:
        with (
            path.open("rb") as file,
            zstandard.ZstdDecompressor().stream_reader(file) as stream,
            tarfile.open(fileobj=stream, mode="r|") as archive,
        ):
            yield archive
    except (OSError, zstandard.ZstdError, tarfile.TarError) as error:
        raise ActError("evidence", f"{path}: {error}", "it is damaged; take another bundle") from error


def _kept(path: Path) -> Kept:
    size_bytes = path.stat().st_size
    try:
        return Kept(path.name, size_bytes, read_manifest(path))
    except (ActError, ValueError) as error:
        return Kept(path.name, size_bytes, None, str(error))
