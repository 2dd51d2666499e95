"""The files and model folders behind the paths of a command line, and their texts."""

import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from leakwatch.errors import LeakwatchError
from leakwatch.lint.source_text import SourceText

STANDARD_INPUT = "-"
LARGEST_BYTES = 8 * 2**20
"""More than any manifest: Kubernetes stores objects of at most 1.5 MiB; what is larger is data."""
_HEAD_BYTES = 8192
_YAML_NAMES = (".yaml", ".yml")
_SAVED_MODEL = frozenset({"saved_model.pb", "saved_model.pbtxt"})
_NO_FILES = frozenset({"node_modules", "__pycache__"})


@dataclass(frozen=True, slots=True)
class Place:
    """A file to read, or a folder that holds a SavedModel; ``named``: by itself on the command line."""

    path: str
    named: bool
    is_model: bool = False

    @property
    def is_expected(self) -> bool:
        """Whether it should hold something to lint, so that what is wrong with it has to be told."""
        return self.named or self.path.lower().endswith(_YAML_NAMES)


def places(paths: tuple[str, ...]) -> Iterator[Place]:
    """Every file behind the paths, and every folder that holds a SavedModel, each once.

    Folders are searched in order of name; hidden ones are left out and links to folders not followed.
    """
    seen: set[tuple[int, int]] = set()
    for path in paths:
        is_folder = path != STANDARD_INPUT and os.path.isdir(path)
        for place in _walk(path) if is_folder else (Place(path, named=True),):
            try:
                status = os.stat(place.path)
            except OSError:
                if place.named:  # whoever reads it will say why not
                    yield place
                continue  # it went away while we looked, or is a link that leads nowhere
            key = (status.st_dev, status.st_ino)
            if key not in seen:
                seen.add(key)
                yield place


def _walk(folder: str) -> Iterator[Place]:
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _NO_FILES)
        if _SAVED_MODEL & set(names):
            yield Place(here, named=False, is_model=True)
            folders[:] = [name for name in folders if name != "variables"]  # weights, gigabytes of them
        for name in sorted(names):
            path = os.path.join(here, name)
            if not name.startswith(".") and name not in _SAVED_MODEL and os.path.isfile(path):
                yield Place(path, named=False)


def read_text(place: Place) -> SourceText | None:
    """The text of a file; None for one that was only found in a folder and holds no text.

    Raises:
        LeakwatchError: it cannot be read, is too large, or is no UTF-8 text, and it was expected to be a manifest.
    """
    path = place.path
    expected = place.is_expected
    try:
        content = _content(path)
    except OSError as error:
        raise LeakwatchError(f"{path}: cannot be read ({error.strerror}); check the path and its rights") from None
    if content is None:
        if expected:
            raise LeakwatchError(
                f"{path}: larger than {LARGEST_BYTES // 2**20} MiB, which no manifest is; leave it out"
            )
        return None
    if b"\0" in content[:_HEAD_BYTES]:
        if expected:
            raise LeakwatchError(f"{path}: binary, not text; name manifests, compose files or configurations")
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if expected:
            line = content.count(b"\n", 0, error.start) + 1
            raise LeakwatchError(f"{path}:{line}: not UTF-8; convert it, for example with iconv") from None
        return None
    folder = None if path == STANDARD_INPUT else os.path.dirname(path) or "."
    return SourceText(path, text.replace("\r\n", "\n").replace("\r", "\n"), folder=folder)


def _content(path: str) -> bytes | None:
    """The bytes; None where there are too many."""
    if path == STANDARD_INPUT:
        content = sys.stdin.buffer.read(LARGEST_BYTES + 1)
        return content if len(content) <= LARGEST_BYTES else None
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise LeakwatchError(f"{path}: no regular file; name a file or a folder, or pipe it to -")
    if status.st_size > LARGEST_BYTES:
        return None
    with open(path, "rb") as file:
        head = file.read(_HEAD_BYTES)
        return head if b"\0" in head else head + file.read(LARGEST_BYTES)
