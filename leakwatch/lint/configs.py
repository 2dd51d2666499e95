"""Texts that are TF Serving configurations, recognised by their content, whatever they are called."""

import re

from leakwatch.lint import text_protobuf
from leakwatch.lint.configurations import BatchingConfig, Field, ModelConfig, MonitoringConfig, Refusal
from leakwatch.lint.source_text import SourceText

Config = ModelConfig | BatchingConfig | MonitoringConfig

_SKIPPED = r"\A(?:\s*#[^\n]*\n)*\s*"
_FIRST_WORD = re.compile(_SKIPPED + r"([a-z_]+)\s*[:{<]")
_JSON_MODELS = re.compile(r"\A\s*\{\s*[\"']?(?:model_config_list|modelConfigList)[\"']?\s*:")
_TOP_WORD = re.compile(r"^([a-z_]+)\s*[:{<]", re.MULTILINE)
_BATCHING = frozenset(text_protobuf.known_fields("BatchingParameters"))
_ELSEWHERE_TOO = frozenset({"max_batch_size"})
"""Triton has a field of that name, too."""
_LEAST_SHARE = 0.5
"""Of the fields at the top: a file of values may set one of these names among others."""
_TRITON = frozenset({"name", "platform", "backend", "input", "output", "instance_group", "dynamic_batching"})
"""Top fields of Triton's config.pbtxt, which has a ``max_batch_size`` of its own."""


def config_of(source: SourceText) -> Config | None:
    """The configuration that a text is; None where it is none."""
    text = source.text
    if _JSON_MODELS.match(text):
        refusal = text_protobuf.parse(text, "ModelServerConfig", source.first_line)
        return ModelConfig(source, Field("", source.first_line), refusal, is_json=True)
    match = _FIRST_WORD.match(text)
    if match is None:
        return None
    if match[1] == "model_config_list":
        return ModelConfig(source, *_read(source, "ModelServerConfig"))
    if match[1] == "prometheus_config":
        return MonitoringConfig(source, *_read(source, "MonitoringConfig"))
    top = {match[1], *_TOP_WORD.findall(text)}
    known = top & _BATCHING
    if (
        not top & _TRITON
        and len(known) >= _LEAST_SHARE * len(top)
        and (known - _ELSEWHERE_TOO or top == _ELSEWHERE_TOO)
    ):
        return BatchingConfig(source, *_read(source, "BatchingParameters"))
    return None


def _read(source: SourceText, message: str) -> tuple[Field, Refusal | None]:
    root, unreadable = text_protobuf.fields_of(source.text, source.first_line)
    refusal = text_protobuf.parse(source.text, message, source.first_line) if unreadable is None else unreadable
    if refusal is not None:
        refusal = Refusal(source.place(refusal.line - source.first_line + 1), refusal.what)
    return root if source.editable else _moved(root, source.first_line), refusal


def _moved(field: Field, line: int) -> Field:
    """All on one line: where the text's lines are not the file's."""
    return Field(field.name, line, field.value, tuple(_moved(one, line) for one in field.fields))
