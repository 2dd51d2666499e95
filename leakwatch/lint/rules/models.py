"""Models on disk: folders without versions, unreadable ones, and mounts that may be written."""

import os
import posixpath
import re
from collections.abc import Iterator

from leakwatch.findings import Edit, Severity
from leakwatch.lint.project import Project
from leakwatch.lint.rule import Hit, Rule
from leakwatch.lint.subjects import Container, ModelFolder, Mount, Platform, Server


def unversioned(folder: ModelFolder, project: Project) -> Iterator[Hit]:
    """A SavedModel that lies in the base path itself."""
    if folder.unversioned:
        also = f"; what the folders {', '.join(sorted(folder.versions)[:3])} hold is served" if folder.versions else ""
        right = os.path.join(folder.path, "1")
        yield Hit(
            1,
            f"saved_model.pb lies in the model's folder itself, which the server does not look at{also}; move it to "
            f"{right}",
        )


def odd_versions(folder: ModelFolder, project: Project) -> Iterator[Hit]:
    """Version folders whose names are no whole numbers, or the same one twice."""
    for name in folder.odd:
        yield Hit(1, f"{name!r} holds a SavedModel, but a version's folder is a whole number: it is never served")
    seen: dict[int, str] = {}
    for name in sorted(folder.versions, key=lambda name: (int(name), name)):
        if int(name) in seen:
            yield Hit(
                1,
                f"folders {seen[int(name)]!r} and {name!r} are both version {int(name)}: which one is served is chance",
            )
        seen.setdefault(int(name), name)


def unreadable(folder: ModelFolder, project: Project) -> Iterator[Hit]:
    """Files that the server's user may not read."""
    if folder.unreadable:
        more = f" and {len(folder.unreadable) - 1} more" if len(folder.unreadable) > 1 else ""
        yield Hit(
            1, f"{folder.unreadable[0]}{more}: not readable for every user; a server that runs as another loads nothing"
        )


def mounted_version(container: Container, project: Project) -> Iterator[Hit]:
    """A version's folder that is mounted where the server looks for the folder above it."""
    for served in project.served(container):
        for mount in container.mounts:
            inside = mount.node["subPath"].text or mount.host_path or ""
            name = posixpath.basename(inside.rstrip("/"))
            if name.isdigit() and posixpath.normpath(mount.path) == posixpath.normpath(served.base_path or "."):
                yield Hit(
                    mount.node.line,
                    f"version {name} is mounted as {mount.path} itself, where the server looks for folders of "
                    f"versions: mount it as {posixpath.join(mount.path, name)}",
                )


def writable(container: Container, project: Project) -> Iterator[Hit]:
    """Models mounted so that the server, or whoever gets into it, may change them."""
    if container.server is None or container.is_init or container.workload.platform is Platform.INSPECT:
        return
    bases = [served.base_path for served in project.served(container)]
    if container.server is Server.TRITON:
        bases += [w.text.partition("=")[2] for w in container.words if w.text.startswith("--model-repository=")]
    for mount in container.mounts:
        if mount.read_only or not mount.path or not any(_holds(mount.path, base) for base in bases):
            continue
        if mount.volume["emptyDir"].present and mount.volume["emptyDir"]["medium"].text == "Memory":
            continue
        yield Hit(
            mount.node.line,
            f"the models at {mount.path} may be written by the server; mount them read-only",
            _read_only(container, mount),
        )


def _holds(mount: str, base: str) -> bool:
    inside, path = posixpath.normpath(mount), posixpath.normpath(base or ".")
    return inside != "/" and (path == inside or path.startswith(f"{inside}/"))


def _read_only(container: Container, mount: Mount) -> tuple[Edit, ...]:
    node, source = mount.node, container.source
    if container.workload.platform is Platform.KUBERNETES:
        path = node["mountPath"]
        if (written := node["readOnly"]).present:
            return source.replaced(written.line, written.text, "true")
        if node.flow:
            return source.replaced(node.line, "}", ", readOnly: true}") if node.line == node.end_line else ()
        return source.inserted(path.line + 1, (f"{' ' * path.column}readOnly: true",))
    if node.text.count(":") == 1 and not re.search(r"[$=,]", node.text):
        return source.replaced(node.line, node.text, f"{node.text}:ro")
    return ()


RULES = (
    Rule(
        "model-without-version",
        Severity.ERROR,
        "a model folder without a version number",
        "The server looks for versions, folders whose names are whole numbers, below the base path.",
        "sources/storage_path/file_system_storage_path_source.cc",
        ModelFolder,
        unversioned,
    ),
    Rule(
        "version-mounted-as-model",
        Severity.ERROR,
        "a version's folder mounted as the model's",
        "The server finds no version below the base path, warns, and waits for one for ever.",
        "sources/storage_path/file_system_storage_path_source.cc",
        Container,
        mounted_version,
    ),
    Rule(
        "model-version-name",
        Severity.WARNING,
        "a version folder whose name is no whole number, or stands for the same one twice",
        "Names that are no numbers are passed over; 1 and 001 are the same version.",
        "sources/storage_path/file_system_storage_path_source.cc",
        ModelFolder,
        odd_versions,
    ),
    Rule(
        "model-unreadable",
        Severity.WARNING,
        "model files that not every user may read",
        "A server under another user (runAsUser) fails to load, tries again five times, a minute apart, and ends.",
        "model_servers/main.cc: max_num_load_retries",
        ModelFolder,
        unreadable,
    ),
    Rule(
        "models-writable",
        Severity.NOTE,
        "models mounted with write access",
        "The server only reads them; a read-only mount keeps what was published.",
        "docs.kubernetes.io: volumes, read-only mounts",
        Container,
        writable,
    ),
)
