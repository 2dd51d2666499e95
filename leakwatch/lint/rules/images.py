"""Images: tags that move, and versions with known memory faults."""

import re
from collections.abc import Iterator

from leakwatch.findings import Severity
from leakwatch.lint.project import Project
from leakwatch.lint.rule import Hit, Rule
from leakwatch.lint.servers import stock_version
from leakwatch.lint.subjects import Container, Platform, Server

_BAD_ALLOC = {(2, 9), (2, 10)}
_ARM_FIXED = (2, 9)


def latest(container: Container, project: Project) -> Iterator[Hit]:
    """An image whose content may change under the same name."""
    image = container.image.text
    if not image or "$" in image or "@sha256:" in image or container.node["build"]:
        return
    if container.workload.platform is Platform.SCRIPT and container.server is None or project.retagged(image):
        return
    name, colon, tag = image.rpartition("/")[2].partition(":")
    if tag in ("", "latest", "latest-gpu", "latest-devel", "nightly"):
        written = f"tag {tag}" if colon else "no tag, so latest"
        cost = (
            " (one report: from 400 MB to 1.6 GB between 2.4 and 2.11)" if container.server is Server.TF_SERVING else ""
        )
        yield Hit(
            container.image.line,
            f"image {name} has {written}: a restart may bring another version with another memory footprint{cost}",
        )


def known_fault(container: Container, project: Project) -> Iterator[Hit]:
    """A version of TF Serving with a memory fault that was reported."""
    version = stock_version(container.image.text)
    if version is None:
        return
    said = f"{version[0]}.{version[1]}"
    if version in _BAD_ALLOC:
        yield Hit(
            container.image.line,
            f"TF Serving {said} has reports of aborts with std::bad_alloc on allocations of 4 GiB (exit 134, not 137)",
        )
    elif version < _ARM_FIXED and _on_arm(container):
        yield Hit(
            container.image.line,
            f"TF Serving {said} on arm64 keeps oneDNN primitives per thread, up to 50 GiB with 64 threads; fixed in "
            "2.9",
        )


def _on_arm(container: Container) -> bool:
    architecture = container.workload.pod["nodeSelector"]["kubernetes.io/arch"].text or container.node["platform"].text
    return bool(re.search(r"arm64|aarch64", f"{architecture} {container.image.text}"))


RULES = (
    Rule(
        "image-latest",
        Severity.WARNING,
        "an image without a fixed tag",
        "A change of version is a change of footprint; with a tag that moves nobody knows when it came.",
        "tensorflow/serving#2179; docs.kubernetes.io: images",
        Container,
        latest,
    ),
    Rule(
        "image-known-fault",
        Severity.WARNING,
        "a TF Serving version with a known memory fault",
        "2.9 and 2.10: std::bad_alloc aborts. Before 2.9 on arm64: per-thread primitive caches.",
        "tensorflow/serving#2048, #2061, #2065; tensorflow/tensorflow#54979",
        Container,
        known_fault,
    ),
)
