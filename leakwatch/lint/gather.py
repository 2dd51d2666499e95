"""From paths to a project: what could be read and recognised, and what could not."""

import os
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from leakwatch.errors import LeakwatchError
from leakwatch.lint.project import Project, found_folders
from leakwatch.lint.recognise import Recognised, recognise
from leakwatch.lint.search import Place, places, read_text
from leakwatch.lint.subjects import Container, Server, Template


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a run looks at.

    Attributes:
        texts: of the files that held something, by path, in the order of the search.
        errors: one line each: files that could not be read, wholly or in part.
        ignored: files named on the command line that hold nothing to lint.
    """

    project: Project
    texts: Mapping[str, str]
    errors: tuple[str, ...]
    ignored: tuple[str, ...]


def gather(
    paths: Sequence[str], values: Mapping[str, object] | None = None, model_size_bytes: float | None = None
) -> Gathered:
    """Read everything behind the paths; see `leakwatch.lint.check.lint` for the arguments."""
    subjects: list[object] = []
    errors: list[str] = []
    ignored: list[str] = []
    models: list[str] = []
    texts: dict[str, str] = {}
    for place in places(tuple(paths)):
        if place.is_model:
            models.append(place.path)
            continue
        try:
            source = read_text(place)
        except LeakwatchError as error:
            errors.append(str(error))
            continue
        if source is None:
            continue
        found = recognise(source, values)
        if _is_program(place, found):
            continue
        if found.unreadable is not None:
            line, what = found.unreadable
            errors.append(f"{source.file}:{line}: {what}; mend it, what stands below was not linted")
        elif not found.subjects and place.named:
            ignored.append(source.file)
        if found.subjects:
            texts[source.file] = source.text
        subjects += found.subjects
    folders = found_folders([*models, *_mounted(subjects)])
    project = Project((*subjects, *folders.values()), model_size_bytes, folders)
    return Gathered(project, texts, tuple(errors), tuple(ignored))


def _is_program(place: Place, found: Recognised) -> bool:
    """Whether a file that nobody named is the source of something that writes manifests: no YAML, or full of holes."""
    holes = any(isinstance(one, Template) for one in found.subjects)
    return not place.is_expected and (found.unreadable is not None or holes)


def _mounted(subjects: Sequence[object]) -> Iterator[str]:
    """Folders on this disk that a TF Serving container mounts its model from."""
    for container in subjects:
        if not isinstance(container, Container) or container.server is not Server.TF_SERVING:
            continue
        base = posixpath.normpath(container.values.get("model_base_path", "") or "/")
        for mount in container.mounts:
            inside = posixpath.normpath(mount.path or "/")
            if mount.host_path and (base == inside or base.startswith(f"{inside}/")):
                path = os.path.join(mount.host_path, posixpath.relpath(base, inside))
                if os.path.isdir(path):
                    yield os.path.join(path, "0")  # as a version in it would be
