"""SavedModels as they lie on this disk: which versions there are, how large, and who may read them."""

import os
import stat
from collections.abc import Iterator

from leakwatch.lint.source_text import SourceText
from leakwatch.lint.subjects import ModelFolder

SAVED_MODEL_FILES = ("saved_model.pb", "saved_model.pbtxt")
_MOST_FILES = 10_000
_READABLE = {True: stat.S_IROTH | stat.S_IXOTH, False: stat.S_IROTH}
"""What everybody needs for a folder and for a file."""


def model_folder(path: str) -> ModelFolder:
    """The model whose base path is ``path``; a folder that cannot be listed has no versions."""
    versions: dict[str, int] = {}
    odd: list[str] = []
    unreadable = [] if _everybody_may_read(path, True) else [path]
    for name in _names(path):
        inside = os.path.join(path, name)
        if not name.startswith(".") and os.path.isdir(inside) and not os.path.islink(inside):
            if name.isascii() and name.isdigit():
                versions[name] = _size(inside, unreadable)
            elif _holds_model(inside):
                odd.append(name)
    return ModelFolder(
        SourceText(path, ""), path, versions, _holds_model(path) is not None, tuple(unreadable), tuple(odd)
    )


def base_path_of(folder: str) -> str:
    """The base path that a folder with a SavedModel belongs to: the one above where its name is a version's."""
    parent, name = os.path.split(os.path.normpath(folder))
    has_versions = any(one.isdigit() for one in _names(parent or "."))
    return (parent or ".") if name.isdigit() or has_versions else folder


def _holds_model(folder: str) -> str | None:
    return next((name for name in SAVED_MODEL_FILES if os.path.isfile(os.path.join(folder, name))), None)


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _everybody_may_read(path: str, is_folder: bool) -> bool:
    try:
        return _allows(os.stat(path), is_folder)
    except OSError:
        return False


def _allows(status: os.stat_result, is_folder: bool) -> bool:
    return status.st_mode & _READABLE[is_folder] == _READABLE[is_folder]


def _size(folder: str, unreadable: list[str]) -> int:
    total = 0
    for count, (path, status) in enumerate(_statuses(folder)):
        is_folder = stat.S_ISDIR(status.st_mode)
        if not _allows(status, is_folder):
            unreadable.append(path)
        total += 0 if is_folder else status.st_size
        if count > _MOST_FILES:
            break
    return total


def _statuses(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    for here, _, names in os.walk(folder):
        for path in (here, *(os.path.join(here, name) for name in sorted(names))):
            try:
                yield path, os.stat(path)
            except OSError:
                continue
