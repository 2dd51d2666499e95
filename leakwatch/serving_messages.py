"""TF Serving's own messages as protobuf classes: its configuration files, and what its ModelService takes.

They are described here because the package that has them brings all of TensorFlow along. Fields and numbers are those
of the server's proto files, named beside each.
"""

from functools import cache
from typing import Any

PACKAGE = "tensorflow.serving"

# message: (field, number, type, repeated, oneof); a type that is no scalar is another message.
# tensorflow_serving/config/model_server_config.proto, logging_config.proto, log_collector_config.proto,
# monitoring_config.proto, sources/storage_path/file_system_storage_path_source.proto,
# servables/tensorflow/session_bundle_config.proto, apis/model_management.proto, util/status.proto
MESSAGES: dict[str, tuple[tuple[str, int, str, bool, str], ...]] = {
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
    "StatusProto": (("error_code", 1, "int32", False, ""), ("error_message", 2, "string", False, "")),
    "ReloadConfigRequest": (("config", 1, "ModelServerConfig", False, ""),),
    "ReloadConfigResponse": (("status", 1, "StatusProto", False, ""),),
}
_ENUMS = {"ModelType": ("MODEL_TYPE_UNSPECIFIED", "TENSORFLOW", "OTHER")}


def message_class(name: str) -> Any:
    """The class of a message by its name in the table above."""
    return _classes()[name]


@cache
def _classes() -> dict[str, Any]:
    """Message classes by name; made once, which takes some milliseconds."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    kinds = {
        "uint32": descriptor_pb2.FieldDescriptorProto.TYPE_UINT32,
        "int32": descriptor_pb2.FieldDescriptorProto.TYPE_INT32,
        "int64": descriptor_pb2.FieldDescriptorProto.TYPE_INT64,
        "double": descriptor_pb2.FieldDescriptorProto.TYPE_DOUBLE,
        "string": descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
        "bool": descriptor_pb2.FieldDescriptorProto.TYPE_BOOL,
    }
    file = descriptor_pb2.FileDescriptorProto(name="tensorflow_serving.proto", package=PACKAGE, syntax="proto3")
    for enum_name, words in _ENUMS.items():
        enum = file.enum_type.add(name=enum_name)
        for number, word in enumerate(words):
            enum.value.add(name=word, number=number)
    for message_name, fields in MESSAGES.items():
        message = file.message_type.add(name=message_name)
        for name, number, kind, repeated, oneof in fields:
            field = message.field.add(name=name, number=number)
            field.label = field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL
            if kind in kinds:
                field.type = kinds[kind]
            else:
                field.type = field.TYPE_ENUM if kind in _ENUMS else field.TYPE_MESSAGE
                field.type_name = f".{PACKAGE}.{kind}"
            if oneof:
                if not message.oneof_decl:
                    message.oneof_decl.add(name=oneof)
                field.oneof_index = 0
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}")) for name in MESSAGES}
