"""The command line of tensorflow_model_server."""

import difflib
from collections.abc import Iterator

from leakwatch.findings import Edit, Severity
from leakwatch.lint.project import Project
from leakwatch.lint.rule import Hit, Rule
from leakwatch.lint.subjects import Container
from leakwatch.lint.tf_flags import FLAGS, Flag, Takes
from leakwatch.lint.wording import number

_ALIKE = 0.8
_THREADS = ("rest_api_num_threads", "grpc_max_threads")
_OP_THREADS = ("tensorflow_intra_op_parallelism", "tensorflow_inter_op_parallelism", "tensorflow_session_parallelism")
_OP_VARIABLES = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
_A_NODE_OF = 64
_MOST_PER_CPU = {**dict.fromkeys(_THREADS, 8), **dict.fromkeys(_OP_THREADS, 2)}
"""Request threads wait most of the time, threads of operations compute: the server's own defaults are 4 and 1."""
_NO_SUCH_SETTING = {
    "total_model_memory_limit": "no flag bounds the memory of models",
    "total_model_memory_limit_bytes": "no flag bounds the memory of models",
    "model_cache_size": "TF Serving has no model cache",
    "monitoring_port": "metrics are on the REST port",
    "max_batch_size": "it belongs into the file of --batching_parameters_file",
    "batch_timeout_micros": "it belongs into the file of --batching_parameters_file",
    "num_batch_threads": "it belongs into the file of --batching_parameters_file",
    "max_enqueued_batches": "it belongs into the file of --batching_parameters_file",
}


def unknown_flag(container: Container, project: Project) -> Iterator[Hit]:
    """A flag that the server does not have."""
    for flag in container.flags:
        if flag.name in FLAGS and flag.word.text.startswith("--"):
            continue
        name = flag.name.replace("-", "_")
        close = [name] if name in FLAGS else difflib.get_close_matches(name, FLAGS, 1, _ALIKE)
        reason = _NO_SUCH_SETTING.get(name, "")
        hint = f"; {reason}" if reason else f"; --{close[0]} is meant, perhaps" if close else ""
        edits: tuple[Edit, ...] = ()
        if close and not reason:
            written = flag.word.text.partition("=")[0]
            edits = container.source.replaced(flag.word.line, written, f"--{close[0]}")
        yield Hit(
            flag.word.line,
            f"the server has no flag {flag.word.text.partition('=')[0]}: it prints a line and goes on{hint}",
            edits,
        )


def flag_without_equals(container: Container, project: Project) -> Iterator[Hit]:
    """A value that stands apart from its flag, which the server does not read."""
    for flag in container.flags:
        if flag.value is not None or flag.takes is None:
            continue
        apart = flag.following
        if flag.takes is Takes.YES_OR_NO:
            if apart is not None and apart.text.lower() in ("true", "false", "0", "1"):
                right = f"--{flag.name}={'true' if apart.text.lower() in ('true', '1') else 'false'}"
                yield Hit(
                    flag.word.line,
                    f"--{flag.name} {apart.text} means true whatever follows; write {right}",
                    _joined(container, flag, right),
                )
            continue
        right = f"--{flag.name}={apart.text}" if apart is not None else f"--{flag.name}=..."
        yield Hit(
            flag.word.line,
            f"--{flag.name} is read with = only: as it stands the server ignores it; write {right}",
            _joined(container, flag, right) if apart is not None else (),
        )


def _joined(container: Container, flag: Flag, right: str) -> tuple[Edit, ...]:
    """Flag and value made one word, where both are on one line or each an item of its own."""
    word, apart, source = flag.word, flag.following, container.source
    if apart is None:
        return ()
    if word.line == apart.line:
        return source.replaced(word.line, f"{word.text} {apart.text}", right)
    if word.whole_line and apart.whole_line and apart.line == word.line + 1:
        first = source.replaced(word.line, word.text, right)
        return (*first, *source.removed(apart.line, apart.line)) if first else ()
    return ()


def bad_value(container: Container, project: Project) -> Iterator[Hit]:
    """A value that stops the start."""
    wanted = {Takes.WHOLE_NUMBER: "a whole number", Takes.NUMBER: "a number", Takes.YES_OR_NO: "true or false"}
    for flag in container.flags:
        if flag.takes is not None and not flag.is_valid:
            mended = {"True": "true", "False": "false", "1": "true", "0": "false", "TRUE": "true", "FALSE": "false"}
            right = mended.get(flag.value or "") if flag.takes is Takes.YES_OR_NO else None
            edits = container.source.replaced(flag.word.line, flag.word.text, f"--{flag.name}={right}") if right else ()
            yield Hit(
                flag.word.line,
                f"--{flag.name} takes {wanted[flag.takes]}: with {flag.value!r} the server does not start",
                edits,
            )
        elif flag.takes is Takes.NUMBER and flag.value and "$" not in flag.value and not 0 <= float(flag.value) <= 1:
            yield Hit(flag.word.line, f"--{flag.name} is a share from 0 to 1, not {flag.value}")


def conflicts(container: Container, project: Project) -> Iterator[Hit]:
    """Flags that exclude or switch off each other."""
    values, lines = container.values, {flag.name: flag.word.line for flag in container.flags}
    if all(values.get(name, "0") != "0" for name in _OP_THREADS):
        yield Hit(
            lines[_OP_THREADS[2]], "all three parallelism flags together stop the start; leave out --" + _OP_THREADS[2]
        )
    if "platform_config_file" in lines:
        for name in ("enable_batching", "batching_parameters_file", *_OP_THREADS):
            if name in lines:
                yield Hit(lines[name], f"--{name} is ignored beside --platform_config_file", severity=Severity.WARNING)
    if "model_config_file" in lines:
        for name in ("model_name", "model_base_path"):
            if name in lines:
                yield Hit(lines[name], f"--{name} is ignored beside --model_config_file", severity=Severity.WARNING)
    rest, grpc = container.port("rest_api_port"), container.port("port")
    if rest is not None and rest == grpc and "rest_api_port" in lines:
        yield Hit(lines["rest_api_port"], f"REST and gRPC cannot share port {rest}: REST is skipped")


def threads_over_cpus(container: Container, project: Project) -> Iterator[Hit]:
    """Thread pools sized by the machine, or by hand, under a quota of few CPUs."""
    limit = container.cpu_limit
    if limit is None or limit.value <= 0 or not container.flags and not container.values:
        return
    lines = {flag.name: flag.word.line for flag in container.flags}
    chosen = [name for name in (*_THREADS, *_OP_THREADS) if container.values.get(name, "0") not in ("0", "")]
    if not chosen and not any(name in container.environment for name in _OP_VARIABLES):
        yield Hit(
            limit.node.line,
            f"a limit of {number(limit.value)} CPUs is a quota, but the server counts the CPUs it may run on: on a "
            f"node of {_A_NODE_OF} it has {4 * _A_NODE_OF} REST and up to {4 * _A_NODE_OF} gRPC threads, each with its "
            "own heap arena; set --grpc_max_threads and --rest_api_num_threads",
            severity=Severity.NOTE,
        )
    for name in chosen:
        text = container.values[name]
        most = _MOST_PER_CPU[name] * limit.value
        if text.isdigit() and int(text) > most and name in lines:
            yield Hit(
                lines[name],
                f"--{name}={text} is {number(int(text) / limit.value)} threads for each of {number(limit.value)} CPUs",
            )


RULES = (
    Rule(
        "unknown-flag",
        Severity.ERROR,
        "a flag that tensorflow_model_server does not have",
        "The server prints 'unknown argument' and starts without it, so the setting is silently missing.",
        "model_servers/main.cc",
        Container,
        unknown_flag,
    ),
    Rule(
        "flag-without-equals",
        Severity.ERROR,
        "a flag whose value stands apart",
        "TensorFlow reads --flag=value only; '--flag value' is an unknown argument, and '--flag false' means true.",
        "tensorflow/core/util/command_line_flags.cc",
        Container,
        flag_without_equals,
    ),
    Rule(
        "flag-value",
        Severity.ERROR,
        "a flag with a value that it cannot take",
        "A value that cannot be read ends the start with the usage text; booleans are exactly true or false.",
        "tensorflow/core/util/command_line_flags.cc",
        Container,
        bad_value,
    ),
    Rule(
        "flags-conflict",
        Severity.ERROR,
        "flags that exclude or ignore each other (a warning where one is only ignored)",
        "All three parallelism flags are an error; --platform_config_file switches batching and parallelism flags off; "
        "--model_config_file takes the place of --model_name and --model_base_path.",
        "model_servers/main.cc, model_servers/server.cc",
        Container,
        conflicts,
    ),
    Rule(
        "threads-over-cpus",
        Severity.WARNING,
        "thread pools that do not fit the CPU limit (a note where they are left to the server)",
        "Pools default to four times the CPUs that the process may be scheduled on, which a quota does not change; "
        "every thread may get a malloc arena of 64 MiB regions, and memory jumps at the first traffic.",
        "model_servers/server.h: NumSchedulableCPUs; tensorflow/serving PR 1785",
        Container,
        threads_over_cpus,
    ),
)
