"""The flags of ``tensorflow_model_server`` 2.20, and a command line read as the server reads it.

Flags and types: tensorflow_serving/model_servers/main.cc; how a line is read:
tensorflow/core/util/command_line_flags.cc.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from leakwatch.lint.words import Word


class Takes(Enum):
    """What a flag takes."""

    WHOLE_NUMBER = auto()
    NUMBER = auto()
    YES_OR_NO = auto()
    TEXT = auto()


_NAMES = {
    Takes.WHOLE_NUMBER: (
        "port rest_api_port rest_api_num_threads rest_api_timeout_in_ms model_config_file_poll_wait_seconds "
        "num_load_threads num_unload_threads max_num_load_retries load_retry_interval_micros "
        "file_system_poll_wait_seconds tensorflow_session_parallelism tensorflow_intra_op_parallelism "
        "tensorflow_inter_op_parallelism grpc_max_threads num_request_iterations_for_warmup num_tflite_pools "
        "num_tflite_interpreters_per_pool"
    ),
    Takes.NUMBER: "per_process_gpu_memory_fraction",
    Takes.YES_OR_NO: (
        "rest_api_enable_cors_support enable_batching allow_version_labels_for_unavailable_models "
        "enable_per_model_batching_parameters flush_filesystem_caches use_alts_credentials enable_model_warmup version "
        "remove_unused_fields_from_bundle_metagraph prefer_tflite_model enable_signature_method_name_check "
        "xla_cpu_compilation_enabled xla_gpu_compilation_enabled enable_profiler skip_initialize_tpu "
        "enable_grpc_healthcheck_service enable_serialization_as_tensor_content"
    ),
    Takes.TEXT: (
        "grpc_socket_path batching_parameters_file model_config_file model_name model_base_path "
        "tensorflow_session_config_file ssl_config_file platform_config_file saved_model_tags grpc_channel_arguments "
        "monitoring_config_file thread_pool_factory_config_file mixed_precision"
    ),
}
FLAGS: Mapping[str, Takes] = {name: takes for takes, names in _NAMES.items() for name in names.split()}

_VALUES = {Takes.WHOLE_NUMBER: r"[+-]?\d+", Takes.NUMBER: r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"}
_FLAG = re.compile(r"--?([A-Za-z][\w-]*)(?:=(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag as written; ``value`` None where it has no ``=``."""

    name: str
    value: str | None
    word: Word
    following: Word | None = None

    @property
    def takes(self) -> Takes | None:
        """What a flag of that name takes; None where the server has no such flag."""
        return FLAGS.get(self.name) if self.word.text.startswith("--") else None

    @property
    def is_read(self) -> bool:
        """Whether the server takes it: a known name, and ``=`` before a value."""
        return self.takes is not None and (self.value is not None or self.takes is Takes.YES_OR_NO)

    @property
    def is_valid(self) -> bool:
        """Whether the server can make something of its value; an unset shell variable is taken on trust."""
        if self.value is None or "$" in self.value or self.takes in (None, Takes.TEXT):
            return True
        if self.takes is Takes.YES_OR_NO:
            return self.value in ("true", "false")
        return re.fullmatch(_VALUES[self.takes], self.value) is not None


def flags_of(words: Sequence[Word]) -> tuple[Flag, ...]:
    """The flags among the words of a server's command line, in order."""
    found = []
    for i, word in enumerate(words):
        match = _FLAG.fullmatch(word.text)
        if match:
            following = words[i + 1] if i + 1 < len(words) and not words[i + 1].text.startswith("-") else None
            found.append(Flag(match[1], match[2], word, following))
    return tuple(found)


def values_of(flags: Sequence[Flag]) -> dict[str, str]:
    """What the server takes from its flags: of one that stands twice the last."""
    return {flag.name: "true" if flag.value is None else flag.value for flag in flags if flag.is_read and flag.is_valid}
