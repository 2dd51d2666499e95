"""The model configuration: what the server refuses."""

import json
import re
from collections.abc import Iterator

from leakwatch.findings import Edit, Severity
from leakwatch.lint import text_protobuf
from leakwatch.lint.configurations import Field, ModelConfig
from leakwatch.lint.project import Project, models_of
from leakwatch.lint.rule import Hit, Rule
from leakwatch.lint.wording import listed

_POLICIES = ("latest", "all", "specific")


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
    said = config.refusal.what.rstrip(".")
    if re.search(r"^\s*- \w+:", config.source.text, re.MULTILINE):
        said = "this is YAML, and the file is read as text protobuf: config { name: ... } for each model, in braces"
    yield Hit(config.refusal.line, f"no model configuration: {said}; the server does not start with it")


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


RULES = (
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
)
