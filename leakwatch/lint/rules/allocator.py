"""The allocator: preloads that crash, that are not there, and settings of one that is not used."""

import re
from collections.abc import Iterator

from leakwatch.findings import Severity
from leakwatch.lint.project import Project
from leakwatch.lint.rule import Hit, Rule
from leakwatch.lint.servers import is_stock, stock_version
from leakwatch.lint.subjects import Container, Server

_TCMALLOC_CRASHES_FROM = (2, 9)
_SETTINGS = {
    "MALLOC_CONF": "jemalloc",
    "JE_MALLOC_CONF": "jemalloc",
    "TCMALLOC_RELEASE_RATE": "tcmalloc",
    "TCMALLOC_MAX_TOTAL_THREAD_CACHE_BYTES": "tcmalloc",
    "MALLOC_ARENA_MAX": "glibc",
    "MALLOC_TRIM_THRESHOLD_": "glibc",
    "MALLOC_MMAP_THRESHOLD_": "glibc",
    "GLIBC_TUNABLES": "glibc",
}
_LIBRARIES = re.compile(r"[:\s]+")


def allocator(container: Container) -> str | None:
    """jemalloc, tcmalloc or mimalloc where one is preloaded, glibc where none is; None where it cannot be told."""
    preload = container.environment.get("LD_PRELOAD")
    words = " ".join(word.text for word in container.words)
    if preload is not None and not preload.text:
        return None  # it comes from somewhere else
    text = f"{preload.text if preload is not None else ''} {words if 'LD_PRELOAD' in words else ''}"
    known = re.search(r"jemalloc|tcmalloc|mimalloc", text)
    if known:
        return known[0]
    return None if preload is not None or "LD_PRELOAD" in words else "glibc"


def tcmalloc_crash(container: Container, project: Project) -> Iterator[Hit]:
    """tcmalloc before a TF Serving that it is known to crash."""
    preload, image = container.environment.get("LD_PRELOAD"), container.image.text
    version = stock_version(image)
    newest = is_stock(image) and re.search(r"serving(?::latest(?:-gpu)?)?$", image) is not None
    if (
        preload is None
        or "tcmalloc" not in preload.text
        or not (newest or version and version >= _TCMALLOC_CRASHES_FROM)
    ):
        return
    said = f"{version[0]}.{version[1]}" if version else "of today"
    yield Hit(
        preload.line,
        f"tcmalloc before TF Serving {said} segfaults (exit 139) soon after the model is loaded, as since 2.9: preload "
        "jemalloc, and try it on one replica first",
    )


def preload_missing(container: Container, project: Project) -> Iterator[Hit]:
    """A library that the stock image does not hold and nothing mounts."""
    preload = container.environment.get("LD_PRELOAD")
    if preload is None or not is_stock(container.image.text) or container.node["build"]:
        return
    for path in filter(None, _LIBRARIES.split(preload.text)):
        mounted = any(mount.path and path.startswith(mount.path.rstrip("/")) for mount in container.mounts)
        if "malloc" in path and not mounted:
            yield Hit(
                preload.line,
                f"the stock image holds no {path}: the loader prints one line and the server runs on glibc malloc; "
                "build an image that has it, or mount it",
            )


def settings_without_allocator(container: Container, project: Project) -> Iterator[Hit]:
    """Settings of an allocator that is not the one in use."""
    used = allocator(container)
    if container.server is None or used is None:
        return
    for name, whose in _SETTINGS.items():
        node = container.environment.get(name)
        if node is None or whose == used or name == "GLIBC_TUNABLES" and "malloc" not in node.text:
            continue
        if used == "glibc" and not (container.server is Server.TF_SERVING and is_stock(container.image.text)):
            continue  # an image of one's own may bring its allocator in another way
        yield Hit(node.line, f"{name} is read by {whose}, but the server runs on {used}: it changes nothing")


def jemalloc_background(container: Container, project: Project) -> Iterator[Hit]:
    """jemalloc that gives memory back only while it is used."""
    node = container.environment.get("MALLOC_CONF")
    if container.server is None or node is None or allocator(container) != "jemalloc":
        return
    if node.text and "background_thread:true" not in node.text.replace(" ", ""):
        edits = container.source.replaced(node.line, node.text, f"background_thread:true,{node.text}")
        yield Hit(
            node.line,
            "without background_thread:true jemalloc gives freed memory back only when the same arena is used again: "
            "an idle server stays at its high-water mark",
            edits,
        )


RULES = (
    Rule(
        "tcmalloc-crash",
        Severity.ERROR,
        "tcmalloc preloaded before TF Serving 2.9 or later",
        "Segmentation faults in oneDNN frames since 2.9; 2.8.3 is fine.",
        "tensorflow/serving#2085",
        Container,
        tcmalloc_crash,
    ),
    Rule(
        "preload-missing",
        Severity.WARNING,
        "a preloaded allocator that the stock image does not hold",
        "The official image holds the server and CA certificates; ld.so ignores a preload that is not there.",
        "tools/docker/Dockerfile; ld.so(8)",
        Container,
        preload_missing,
    ),
    Rule(
        "allocator-settings",
        Severity.NOTE,
        "settings of an allocator that is not in use",
        "MALLOC_CONF is jemalloc's, MALLOC_ARENA_MAX and GLIBC_TUNABLES glibc's, TCMALLOC_* tcmalloc's.",
        "mallopt(3); jemalloc(3); tensorflow/serving#2142",
        Container,
        settings_without_allocator,
    ),
    Rule(
        "jemalloc-background-thread",
        Severity.NOTE,
        "jemalloc without its background thread",
        "Decay happens on activity; the background thread returns memory of idle arenas.",
        "jemalloc(3): background_thread, dirty_decay_ms",
        Container,
        jemalloc_background,
    ),
)
