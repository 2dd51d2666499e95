"""TF Serving's configuration files: text protobuf, parsed by protobuf over the messages that the server reads.

`parse` says what protobuf says; `fields_of` reads names, words and lines of whatever can be read, so that a rule can
point at a line also where the text is refused.
"""

from functools import cache
from typing import Any

from leakwatch.lint.configurations import Field, Refusal

DEEPEST = 60
"""Levels of braces; the deepest configuration has six, and protobuf itself gives up at 100."""

_OPENING, _CLOSING = {"{": "}", "<": ">"}, {"}", ">"}

# message: (field, number, type, repeated, oneof); a type that is no scalar is another message.
# tensorflow_serving/config/model_server_config.proto, logging_config.proto, log_collector_config.proto,
# monitoring_config.proto, sources/storage_path/file_system_storage_path_source.proto,
# servables/tensorflow/session_bundle_config.proto
_MESSAGES: dict[str, tuple[tuple[str, int, str, bool, str], ...]] = {
    "Latest": (("num_versions", 1, "uint32", False, ""),),
    "All": (),
    "Specific": (("versions", 1, "int64", True, ""),),
    "ServableVersionPolicy": (
        ("latest", 100, "Latest", False, "policy_choice"),
        ("all", 101, "All", False, "policy_choice"),
        ("specific", 102, "Specific", False, "policy_choice"),
    ),
    "SamplingConfig": (("sampling_rate", 1, "double", False, ""),),
    "LogCollectorConfig": (("type", 1, "string", False, ""), ("filename_prefix", 2, "string", False, "")),
    "LoggingConfig": (
        ("log_collector_config", 1, "LogCollectorConfig", False, ""),
        ("sampling_config", 2, "SamplingConfig", False, ""),
    ),
    "VersionLabel": (("key", 1, "string", False, ""), ("value", 2, "int64", False, "")),
    "ModelConfig": (
        ("name", 1, "string", False, ""),
        ("base_path", 2, "string", False, ""),
        ("model_type", 3, "ModelType", False, ""),
        ("model_platform", 4, "string", False, ""),
        ("logging_config", 6, "LoggingConfig", False, ""),
        ("model_version_policy", 7, "ServableVersionPolicy", False, ""),
        ("version_labels", 8, "VersionLabel", True, ""),
    ),
    "ModelConfigList": (("config", 1, "ModelConfig", True, ""),),
    "ModelServerConfig": (("model_config_list", 1, "ModelConfigList", False, ""),),
    "Int64Value": (("value", 1, "int64", False, ""),),
    "StringValue": (("value", 1, "string", False, ""),),
    "BoolValue": (("value", 1, "bool", False, ""),),
    "BatchingParameters": (
        ("max_batch_size", 1, "Int64Value", False, ""),
        ("batch_timeout_micros", 2, "Int64Value", False, ""),
        ("max_enqueued_batches", 3, "Int64Value", False, ""),
        ("num_batch_threads", 4, "Int64Value", False, ""),
        ("thread_pool_name", 5, "StringValue", False, ""),
        ("allowed_batch_sizes", 6, "int64", True, ""),
        ("pad_variable_length_inputs", 7, "bool", False, ""),
        ("enable_large_batch_splitting", 8, "BoolValue", False, ""),
        ("max_execution_batch_size", 9, "Int64Value", False, ""),
    ),
    "PrometheusConfig": (("enable", 1, "bool", False, ""), ("path", 2, "string", False, "")),
    "MonitoringConfig": (("prometheus_config", 1, "PrometheusConfig", False, ""),),
}
_ENUMS = {"ModelType": ("MODEL_TYPE_UNSPECIFIED", "TENSORFLOW", "OTHER")}
WRAPPED = frozenset(name for name, _, kind, _, _ in _MESSAGES["BatchingParameters"] if kind.endswith("Value"))
"""Fields of BatchingParameters that are written ``{ value: N }``."""


def known_fields(message: str) -> tuple[str, ...]:
    """The names of a message's fields."""
    return tuple(name for name, *_ in _MESSAGES[message])


def message_of(message: str, field: str) -> str | None:
    """The message that a field of a message holds; None where it holds a word."""
    return next((kind for name, _, kind, *_ in _MESSAGES[message] if name == field and kind in _MESSAGES), None)


def parse(text: str, message: str, first_line: int = 1) -> Refusal | None:
    """What protobuf has against a text as that message; None where the server would take it."""
    from google.protobuf import text_format

    try:
        text_format.Parse(text, _classes()[message]())
    except text_format.ParseError as error:
        said = str(error).partition(" : ")[2] or str(error)
        return Refusal(first_line + (error.GetLine() or 1) - 1, said)
    except (ValueError, RecursionError) as error:
        return Refusal(first_line, str(error) or "nested too deep")
    return None


def from_json(value: Any) -> str | None:
    """The text form of a ModelServerConfig in JSON; None where it is none."""
    from google.protobuf import json_format, text_format

    try:
        parsed = json_format.ParseDict(value, _classes()["ModelServerConfig"](), ignore_unknown_fields=False)
    except (json_format.ParseError, TypeError, ValueError, AttributeError):
        return None
    return text_format.MessageToString(parsed)


def fields_of(text: str, first_line: int = 1) -> tuple[Field, Refusal | None]:
    """Names, words and lines of all fields up to where the text stops being text protobuf, and why it stops there."""
    from google.protobuf import text_format

    tokenizer: Any = text_format.Tokenizer(text.splitlines())
    stack: list[tuple[str, int, str, list[Field]]] = [("", first_line, "", [])]
    refusal = None

    def line() -> int:
        return first_line + (tokenizer.ParseError("").GetLine() or 1) - 1

    try:
        while not tokenizer.AtEnd():
            token, here = tokenizer.token, line()
            if token in _CLOSING and len(stack) > 1 and token == stack[-1][2]:
                tokenizer.NextToken()
                _close(stack)
                continue
            if token in (",", ";", "]"):  # between fields, and the end of a list of messages
                tokenizer.NextToken()
                continue
            if token in _OPENING and stack[-1][3] and not stack[-1][3][-1].value:  # the next of a list of messages
                name = stack[-1][3][-1].name
            else:
                name = tokenizer.ConsumeIdentifier()
                tokenizer.TryConsume(":")
            tokenizer.TryConsume("[")
            opening = tokenizer.token
            if opening in _OPENING:
                if len(stack) > DEEPEST:
                    return _closed(stack), Refusal(here, f"nested more than {DEEPEST} levels deep")
                tokenizer.NextToken()
                stack.append((name, here, _OPENING[opening], []))
            else:
                _words(tokenizer, name, here, stack[-1][3])
    except text_format.ParseError as error:
        said = str(error).partition(" : ")[2] or str(error)
        refusal = Refusal(first_line + (error.GetLine() or 1) - 1, said)
    if refusal is None and len(stack) > 1:
        refusal = Refusal(line(), f"{stack[-1][0]!r} is not closed")
    return _closed(stack), refusal


def _words(tokenizer: Any, name: str, here: int, found: list[Field]) -> None:
    """One word, or those of a list, each as a field of its own."""
    from google.protobuf import text_format

    while True:
        token = tokenizer.token
        if token in ("", "{", "}", "<", ">", "]", ":", ","):
            raise tokenizer.ParseError(f"Expected a value of {name!r}, found {token!r}.")
        if token[0] in "\"'":
            word = tokenizer.ConsumeString()
        else:
            word = token
            tokenizer.NextToken()
            if word == "-":
                word += tokenizer.token
                tokenizer.NextToken()
        found.append(Field(name, here, word))
        # A list goes on after a comma; between fields a comma stands before a name and its colon.
        if tokenizer.token != "," or not isinstance(tokenizer, text_format.Tokenizer):
            return
        tokenizer.NextToken()
        if not (tokenizer.token[:1].isdigit() or tokenizer.token[:1] in ("-", '"', "'")):
            return


def _close(stack: list[tuple[str, int, str, list[Field]]]) -> None:
    name, line, _, inside = stack.pop()
    stack[-1][3].append(Field(name, line, None, tuple(inside)))


def _closed(stack: list[tuple[str, int, str, list[Field]]]) -> Field:
    while len(stack) > 1:
        _close(stack)
    name, line, _, inside = stack[0]
    return Field(name, line, None, tuple(inside))


@cache
def _classes() -> dict[str, Any]:
    """Message classes by name; made once, which takes some milliseconds."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    kinds = {
        "uint32": descriptor_pb2.FieldDescriptorProto.TYPE_UINT32,
        "int64": descriptor_pb2.FieldDescriptorProto.TYPE_INT64,
        "double": descriptor_pb2.FieldDescriptorProto.TYPE_DOUBLE,
        "string": descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
        "bool": descriptor_pb2.FieldDescriptorProto.TYPE_BOOL,
    }
    package = "tensorflow.serving"
    file = descriptor_pb2.FileDescriptorProto(name="tensorflow_serving.proto", package=package, syntax="proto3")
    for enum_name, words in _ENUMS.items():
        enum = file.enum_type.add(name=enum_name)
        for number, word in enumerate(words):
            enum.value.add(name=word, number=number)
    for message_name, fields in _MESSAGES.items():
        message = file.message_type.add(name=message_name)
        for name, number, kind, repeated, oneof in fields:
            field = message.field.add(name=name, number=number)
            field.label = field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL
            if kind in kinds:
                field.type = kinds[kind]
            else:
                field.type = field.TYPE_ENUM if kind in _ENUMS else field.TYPE_MESSAGE
                field.type_name = f".{package}.{kind}"
            if oneof:
                if not message.oneof_decl:
                    message.oneof_decl.add(name=oneof)
                field.oneof_index = 0
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}")) for name in _MESSAGES
    }
