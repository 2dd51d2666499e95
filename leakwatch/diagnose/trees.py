"""The trees at hand: the built-in ones, and those of the user's folders, which take their place by name."""

import functools
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from leakwatch.errors import SettingsError
from playbooks.given import read_cases, read_facts
from playbooks.load import PlaybookError, built_in, built_in_cases, built_in_names, load, missing_trees
from playbooks.trials import try_out
from playbooks.types import Fact, Playbook

T = TypeVar("T")
Trees = Mapping[str, Playbook]

CASES = "cases"
"""The folder, beside a user's trees, that holds their cases under the same names."""
_ENDINGS = (".yaml", ".yml")


class _BuiltIn(Mapping[str, Playbook]):
    """The trees that come with the package, each parsed when it is asked for."""

    def __getitem__(self, name: str) -> Playbook:
        if name not in built_in_names():
            raise KeyError(name)
        return built_in(name)

    def __contains__(self, name: object) -> bool:
        return name in built_in_names()

    def __iter__(self) -> Iterator[str]:
        return iter(built_in_names())

    def __len__(self) -> int:
        return len(built_in_names())


BUILT_IN: Trees = _BuiltIn()


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one tree's cases: how many there are, and every problem as a line "place: what"."""

    tree: str
    cases: int
    problems: tuple[str, ...]


@functools.cache
def read_trees(folders: tuple[str, ...]) -> Trees:
    """The built-in trees, and over them those of ``folders`` (``NAME.yaml`` each), a later folder over an earlier one.

    Read once: a process keeps the trees that it began with.

    Raises:
        SettingsError: with every mistake of every tree, each on its line; a folder that cannot be read; two trees of
            one name in a folder; a finding that goes on to a tree that is nowhere.
    """
    if not folders:
        return BUILT_IN
    problems: list[str] = []
    own: dict[str, Playbook] = {}
    for folder in folders:
        for path in _files(folder, problems):
            tree = _read(path, load, problems)
            if tree is not None:
                own[tree.name] = tree
    trees = ChainMap(own, dict(BUILT_IN))
    for name, by in missing_trees(trees).items():
        problems.append(f"{by}: goes on to {name!r}, and there is no tree of that name")
    if problems:
        raise SettingsError(problems)
    return trees


def facts_of_file(path: str) -> tuple[Fact, ...]:
    """Facts that somebody wrote down (YAML, name: value).

    Raises:
        SettingsError: with every mistake, each on its line.
    """
    problems: list[str] = []
    facts = _read(Path(path), read_facts, problems, name=path)
    if facts is None:
        raise SettingsError(problems)
    return facts


def try_built_in() -> tuple[Trial, ...]:
    """The built-in trees held to their cases."""
    trials = []
    for name in built_in_names():
        cases = read_cases(name, built_in_cases(name))
        problems = (f"{name}:{one.line}: {one.what}" for one in try_out(built_in(name), cases))
        trials.append(Trial(name, len(cases), tuple(problems)))
    return tuple(trials)


def try_folder(folder: str) -> tuple[Trial, ...]:
    """The trees of a user's folder held to the cases in its folder ``cases``.

    Raises:
        SettingsError: the folder cannot be read, or holds no tree.
    """
    unreadable: list[str] = []
    paths = _files(folder, unreadable)
    if unreadable:
        raise SettingsError(unreadable)
    return tuple(_tried(path) for path in paths)


def _tried(path: Path) -> Trial:
    problems: list[str] = []
    tree = _read(path, load, problems)
    beside = path.parent / CASES / path.name
    cases = _read(beside, read_cases, problems) if beside.exists() else ()
    if tree is not None and cases is not None:
        problems += [f"{beside}:{one.line}: {one.what}" for one in try_out(tree, cases)]
    return Trial(path.stem, len(cases or ()), tuple(problems))


def _files(folder: str, problems: list[str]) -> list[Path]:
    try:
        paths = sorted(path for path in Path(folder).iterdir() if path.suffix in _ENDINGS and path.is_file())
    except OSError as error:
        problems.append(f"{folder}: {error.strerror}; playbooks must name a folder that can be read")
        return []
    if not paths:
        problems.append(f"{folder}: holds no playbook; put NAME.yaml there, or leave the folder out")
    names = [path.stem for path in paths]
    problems += [f"{path}: a second tree of that name in this folder" for path in paths if names.count(path.stem) > 1][
        1:
    ]
    return paths


def _read(path: Path, parse: Callable[[str, str], T], problems: list[str], name: str | None = None) -> T | None:
    try:
        return parse(name or path.stem, path.read_text(encoding="utf-8"))
    except PlaybookError as error:
        problems += [f"{path}:{one.line}: {one.what}" for one in error.problems]
    except UnicodeDecodeError:
        problems.append(f"{path}: is no UTF-8 text")
    except OSError as error:
        problems.append(f"{path}: {error.strerror}; check that it is there and that you may read it")
    return None
