"""Which versions of a model are loaded."""

import posixpath
import re
from collections.abc import Iterator

from leakwatch.findings import Severity
from leakwatch.lint.configurations import Field, ModelConfig
from leakwatch.lint.project import Project, models_of
from leakwatch.lint.rule import Hit, Rule
from leakwatch.lint.subjects import Container, Server
from leakwatch.lint.wording import listed, size

_MOST_VERSIONS = 2


def _policies(config: ModelConfig) -> Iterator[tuple[Field, Field, Field]]:
    """Every (model, its policy, the choice inside)."""
    for model in models_of(config):
        for policy in model.all("model_version_policy"):
            for choice in policy.fields:
                yield model, policy, choice


def _cost(config: ModelConfig, project: Project, model: Field) -> str:
    """What the versions on this disk hold, where they lie here: ", here 4 versions of 3.2 GiB in all"."""
    server = project.server_with(config)
    for served in project.served(server) if server is not None else ():
        if served.name == model.word("name") and served.folder is not None and served.folder.versions:
            held = served.folder.versions
            return f", on this disk {len(held)} of together {size(sum(held.values()))}"
    return ""


def all_versions(config: ModelConfig, project: Project) -> Iterator[Hit]:
    """A policy that loads whatever lies there."""
    for model, _, choice in _policies(config):
        if choice.name == "all":
            line = config.source.line(choice.line)
            match = re.search(r"\ball\s*:?\s*\{\s*\}", line)
            edits = config.source.replaced(choice.line, match[0], "latest { num_versions: 1 }") if match else ()
            yield Hit(
                choice.line,
                f"model {model.word('name')!r} keeps every version of its folder in "
                f"memory{_cost(config, project, model)}; each one that is published adds to it",
                edits,
            )


def many_versions(config: ModelConfig, project: Project) -> Iterator[Hit]:
    """More than two versions resident."""
    for model, _, choice in _policies(config):
        word = choice.word("num_versions") or ""
        count = int(word) if choice.name == "latest" and word.isdigit() and len(word) < 10 else 0
        listed_versions = len(choice.all("versions")) if choice.name == "specific" else 0
        if max(count, listed_versions) > _MOST_VERSIONS:
            number = max(count, listed_versions)
            yield Hit(
                choice.line,
                f"model {model.word('name')!r} keeps {number} versions in memory, {number + 1} during a swap"
                f"{_cost(config, project, model)}",
            )


def no_versions(config: ModelConfig, project: Project) -> Iterator[Hit]:
    """A policy that serves nothing."""
    for model, _, choice in _policies(config):
        if choice.name == "specific" and not choice.all("versions"):
            yield Hit(choice.line, f"specific names no version: nothing of model {model.word('name')!r} is served")


def label_unserved(config: ModelConfig, project: Project) -> Iterator[Hit]:
    """A label on a version that the policy does not load."""
    server = project.server_with(config)
    if server is not None and server.values.get("allow_version_labels_for_unavailable_models") == "true":
        return
    for model, _, choice in _policies(config):
        versions = {one.value for one in choice.all("versions")}
        if choice.name != "specific" or not versions:
            continue
        for label in model.all("version_labels"):
            version = label.word("value")
            if version is not None and version not in versions:
                yield Hit(
                    label.line,
                    f"label {label.word('key')!r} points to version {version}, but of {model.word('name')!r} only "
                    f"{listed(sorted(v for v in versions if v))} are loaded: the whole configuration is refused",
                )


def base_path_is_version(config: ModelConfig, project: Project) -> Iterator[Hit]:
    """A base path that already names the version."""
    for model in models_of(config):
        base = (model.word("base_path") or "").rstrip("/")
        if posixpath.basename(base).isdigit():
            line = model.all("base_path")[0].line
            yield Hit(
                line,
                f"base_path {base!r} ends in a version: the server looks for versions below it and serves nothing",
                config.source.replaced(line, base, posixpath.dirname(base)),
            )


def base_path_flag(container: Container, project: Project) -> Iterator[Hit]:
    """The same on the command line."""
    if container.server is not Server.TF_SERVING or "model_config_file" in container.values:
        return
    for flag in container.flags:
        base = (flag.value or "").rstrip("/")
        if flag.name != "model_base_path" or not base or "$" in base:
            continue
        if posixpath.basename(base).isdigit():
            edits = container.source.replaced(flag.word.line, base, posixpath.dirname(base))
            yield Hit(
                flag.word.line,
                f"--model_base_path={base} ends in a version: the server looks for versions below it",
                edits,
            )
        elif "://" not in base and not base.startswith("/") and container.image:
            yield Hit(
                flag.word.line,
                f"--model_base_path={base} is relative to wherever the server is started; write it from /",
            )


RULES = (
    Rule(
        "all-versions",
        Severity.WARNING,
        "version policy all {}",
        "Every version in the folder is loaded and stays; without a policy it would be the latest one alone.",
        "sources/storage_path/file_system_storage_path_source.proto",
        ModelConfig,
        all_versions,
    ),
    Rule(
        "many-versions",
        Severity.WARNING,
        "more than two versions of a model in memory",
        "Each holds its variables and its session's buffers; a swap adds one more.",
        "sources/storage_path/file_system_storage_path_source.proto",
        ModelConfig,
        many_versions,
    ),
    Rule(
        "specific-without-versions",
        Severity.ERROR,
        "version policy specific {} without versions",
        "The server warns once and serves nothing of the model.",
        "sources/storage_path/file_system_storage_path_source.cc",
        ModelConfig,
        no_versions,
    ),
    Rule(
        "label-on-unserved-version",
        Severity.ERROR,
        "a version label on a version that is not loaded",
        "Labels may be put on available versions only, unless --allow_version_labels_for_unavailable_models.",
        "model_servers/server_core.cc",
        ModelConfig,
        label_unserved,
    ),
    Rule(
        "base-path-is-version",
        Severity.ERROR,
        "a base_path that ends in a version",
        "The base path is the folder above the versions.",
        "config/model_server_config.proto: base_path",
        ModelConfig,
        base_path_is_version,
    ),
    Rule(
        "base-path-flag",
        Severity.ERROR,
        "a --model_base_path that ends in a version, or is relative",
        "The base path is the folder above the versions, and absolute or a URI.",
        "model_servers/main.cc; model_servers/server_core.cc: UriIsRelativePath",
        Container,
        base_path_flag,
    ),
)
