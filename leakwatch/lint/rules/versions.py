"""The model configuration: which versions are loaded, and what the server refuses."""

import json
import posixpath
import re
from collections.abc import Iterator

from leakwatch.findings import Edit, Severity
from leakwatch.lint import text_protobuf
from leakwatch.lint.project import Project, models_of
from leakwatch.lint.rule import Hit, Rule
from leakwatch.lint.subjects import Container, Field, ModelConfig, Server
from leakwatch.lint.wording import listed, size

_MOST_VERSIONS = 2
_POLICIES = ("latest", "all", "specific")


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


def several_policies(config: ModelConfig, project: Project) -> Iterator[Hit]:
    """Two policies for one model."""
    for model in models_of(config):
        for policy in model.all("model_version_policy"):
            chosen = [one for one in policy.fields if one.name in _POLICIES]
            if len({one.name for one in chosen}) > 1:
                names = listed([one.name for one in chosen])
                yield Hit(
                    chosen[1].line,
                    f"model {model.word('name')!r} has the policies {names}; one is allowed, the file is refused",
                )


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


def json_config(config: ModelConfig, project: Project) -> Iterator[Hit]:
    """JSON where text protobuf is due."""
    if not config.is_json or config.refusal is None:
        return
    source = config.source
    edits: tuple[Edit, ...] = ()
    try:
        text = text_protobuf.from_json(json.loads(source.text))
    except (ValueError, RecursionError):
        text = None
    if text is not None and source.editable:
        edits = (
            Edit(
                source.first_line,
                len(source.text.splitlines()),
                tuple(source.indent + line for line in text.rstrip("\n").splitlines()),
            ),
        )
    yield Hit(config.refusal.line, "JSON: the server reads text protobuf only and does not start with this", edits)


def batching_inside(config: ModelConfig, project: Project) -> Iterator[Hit]:
    """Batching parameters in the wrong file."""
    for model in (config.root, *config.root.all("model_config_list"), *models_of(config)):
        for field in model.fields:
            if field.name in ("batching_parameters", "batching_params", "batching_config"):
                yield Hit(
                    field.line,
                    f"{field.name} inside the model configuration is an unknown field, and the file is refused; it is "
                    "a file of its own, for --batching_parameters_file with --enable_batching",
                )


def unknown_field(config: ModelConfig, project: Project) -> Iterator[Hit]:
    """Any other field that the server does not know."""
    for message, field in _unknown(config.root, "ModelServerConfig"):
        if not field.name.startswith("batching_"):
            known = listed(text_protobuf.known_fields(message))
            yield Hit(field.line, f"{message} has no field {field.name!r}, and the file is refused; it has {known}")


def _unknown(field: Field, message: str) -> Iterator[tuple[str, Field]]:
    for inside in field.fields:
        if inside.name not in text_protobuf.known_fields(message):
            if inside.name != "custom_model_config":
                yield message, inside
        elif (kind := text_protobuf.message_of(message, inside.name)) is not None:
            yield from _unknown(inside, kind)


def refused(config: ModelConfig, project: Project) -> Iterator[Hit]:
    """What else protobuf refuses."""
    explained = (unknown_field, batching_inside, several_policies)
    if config.refusal is None or config.is_json or any(True for rule in explained for _ in rule(config, project)):
        return
    yield Hit(
        config.refusal.line,
        f"no model configuration: {config.refusal.what.rstrip('.')}; the server does not start with it",
    )


def incomplete_models(config: ModelConfig, project: Project) -> Iterator[Hit]:
    """Entries that the server refuses though they parse: twice the same name, no platform, a relative path."""
    seen: dict[str, int] = {}
    for model in models_of(config):
        name, base = model.word("name") or "", model.word("base_path") or ""
        if name in seen:
            yield Hit(
                model.line, f"model {name!r} stands there twice (first on line {seen[name]}): the file is refused"
            )
        seen.setdefault(name, model.line)
        if not model.word("model_platform") and not model.word("model_type"):
            yield Hit(
                model.line,
                f'model {name!r} has no model_platform: the file is refused; write model_platform: "tensorflow"',
                _platform_added(config, model),
            )
        if base and "://" not in base and not base.startswith("/"):
            yield Hit(model.line, f"base_path {base!r} of model {name!r} is relative: the file is refused")


def _platform_added(config: ModelConfig, model: Field) -> tuple[Edit, ...]:
    """A line with the platform below the base path, where that has a line of its own."""
    for path in model.all("base_path"):
        line = config.source.line(path.line)
        if path.line != model.line and line.strip().startswith("base_path"):
            end = "," if line.rstrip().endswith(",") else ""
            own = line.removeprefix(config.source.indent)
            start = own[: len(own) - len(own.lstrip())]
            return config.source.inserted(path.line + 1, (f'{start}model_platform: "tensorflow"{end}',))
    return ()


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
        "several-policies",
        Severity.ERROR,
        "two version policies for one model",
        "They are a oneof: text protobuf refuses the second.",
        "sources/storage_path/file_system_storage_path_source.proto",
        ModelConfig,
        several_policies,
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
        "json-model-config",
        Severity.ERROR,
        "a model configuration in JSON",
        "The file is read with ParseProtoTextFile; JSON is refused at its first quote.",
        "model_servers/server.cc: ParseProtoTextFile",
        ModelConfig,
        json_config,
    ),
    Rule(
        "batching-in-model-config",
        Severity.ERROR,
        "batching parameters inside the model configuration",
        "ModelConfig has no such field; they are a BatchingParameters file.",
        "config/model_server_config.proto; servables/tensorflow/session_bundle_config.proto",
        ModelConfig,
        batching_inside,
    ),
    Rule(
        "model-config-field",
        Severity.ERROR,
        "a field that the model configuration does not have",
        "Text protobuf refuses the whole file for it.",
        "config/model_server_config.proto",
        ModelConfig,
        unknown_field,
    ),
    Rule(
        "model-config-refused",
        Severity.ERROR,
        "a model configuration that does not parse",
        "The server does not start, or keeps the old configuration on a reload.",
        "model_servers/server.cc: ParseProtoTextFile",
        ModelConfig,
        refused,
    ),
    Rule(
        "model-entry",
        Severity.ERROR,
        "a model that is refused: named twice, without a platform, or with a relative path",
        "The list is checked as a whole; one such entry stops the start.",
        "model_servers/server_core.cc: ValidateModelConfigList, GetPlatform",
        ModelConfig,
        incomplete_models,
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
