"""Batching parameters: what is refused, and what the queue can hold."""

import re
from collections.abc import Iterator

from leakwatch.findings import Edit, Severity
from leakwatch.lint import text_protobuf
from leakwatch.lint.configurations import BatchingConfig, Field
from leakwatch.lint.project import Project
from leakwatch.lint.rule import Hit, Rule
from leakwatch.lint.rules.limits import LEAST_BYTES
from leakwatch.lint.subjects import Container, Server
from leakwatch.lint.wording import listed, number, size

_DEFAULT_BATCH, _DEFAULT_QUEUE = 1000, 10
"""max_batch_size and max_enqueued_batches where the file is silent (batching/batching_session.h)."""
_SMALL_ROW_BYTES, _IMAGE_ROW_BYTES = 1024, 224 * 224 * 3 * 4
"""A row of 256 floats, and one picture of 224 x 224 x 3 floats: what a row takes is not in the file."""
_LARGE_QUEUE_BYTES = 2**30
_LONG_TIMEOUT_MICROS = 10_000
_SHOWN_BATCHES = 6


def _whole(config: BatchingConfig, name: str) -> int | None:
    word = config.root.word(name) or ""
    return int(word) if word.isdigit() and len(word) < 16 else None


def without_enable(container: Container, project: Project) -> Iterator[Hit]:
    """A batching file without the flag that switches batching on."""
    if container.server is not Server.TF_SERVING or "batching_parameters_file" not in container.values:
        return
    if container.values.get("enable_batching") == "true" or "platform_config_file" in container.values:
        return
    flag = next(one for one in container.flags if one.name == "batching_parameters_file")
    written = [one for one in container.flags if one.name == "enable_batching"]
    word = flag.word
    edits: tuple[Edit, ...] = ()
    if not written and word.whole_line:
        edits = container.source.inserted(word.line, (f"{' ' * word.column}- --enable_batching",))
    elif not written:
        edits = container.source.replaced(
            word.line, "--batching_parameters_file", "--enable_batching --batching_parameters_file"
        )
        edits = (
            edits if '"' not in container.source.line(word.line) and "'" not in container.source.line(word.line) else ()
        )
    yield Hit(word.line, "--batching_parameters_file without --enable_batching: the server does not start", edits)


def bare_number(config: BatchingConfig, project: Project) -> Iterator[Hit]:
    """``max_batch_size: 128`` where ``{ value: 128 }`` is due, or the other way round."""
    for field in config.root.fields:
        line = config.source.line(field.line)
        if field.name in text_protobuf.WRAPPED and field.value is not None:
            match = re.search(rf"\b{field.name}\s*:\s*([^\s,;#]+)", line)
            right = f"{field.name} {{ value: {match[1]} }}" if match else ""
            yield Hit(
                field.line,
                f"{field.name}: {field.value} is refused, and the server does not start; it is wrapped: "
                f"{field.name} {{ value: {field.value} }}",
                config.source.replaced(field.line, match[0], right) if match else (),
            )
        elif field.name in ("allowed_batch_sizes", "pad_variable_length_inputs") and field.value is None:
            value = field.word("value") or "..."
            match = re.search(rf"\b{field.name}\s*:?\s*{{\s*value\s*:\s*(\S+)\s*}}", line)
            right = f"{field.name}: {match[1]}" if match else ""
            yield Hit(
                field.line,
                f"{field.name} is a plain field: write {field.name}: {value}",
                config.source.replaced(field.line, match[0], right) if match else (),
            )


def unknown_field(config: BatchingConfig, project: Project) -> Iterator[Hit]:
    """A parameter that does not exist."""
    known = text_protobuf.known_fields("BatchingParameters")
    for field in config.root.fields:
        if field.name not in known:
            yield Hit(
                field.line,
                f"there is no batching parameter {field.name!r}, and the file is refused; there are {listed(known)}",
            )


def refused(config: BatchingConfig, project: Project) -> Iterator[Hit]:
    """What else protobuf refuses."""
    explained = any(True for rule in (bare_number, unknown_field) for _ in rule(config, project))
    if config.refusal is not None and not explained:
        yield Hit(
            config.refusal.line, f"no batching parameters: {config.refusal.what.rstrip('.')}; the server does not start"
        )


def queue(config: BatchingConfig, project: Project) -> Iterator[Hit]:
    """A queue that can hold more than a container."""
    batches = _whole(config, "max_enqueued_batches")
    if batches is None:
        return
    rows = batches * (_whole(config, "max_batch_size") or _DEFAULT_BATCH)
    server = project.server_with(config)
    limit = server.memory_limit.value if server is not None and server.memory_limit is not None else 0.0
    limit = limit if limit >= LEAST_BYTES else 0.0  # a limit of less is one with a wrong unit
    if rows * _SMALL_ROW_BYTES < (min(limit, _LARGE_QUEUE_BYTES) if limit else _LARGE_QUEUE_BYTES):
        return
    field = config.root.all("max_enqueued_batches")[0]
    of_limit = f"; the limit is {size(limit)}" if limit else ""
    threads = _whole(config, "num_batch_threads")
    yield Hit(
        field.line,
        f"{batches:,} batches of {rows // batches:,} rows may wait: {size(rows * _SMALL_ROW_BYTES)} at 1 KiB a row, "
        f"{size(rows * _IMAGE_ROW_BYTES)} at {size(_IMAGE_ROW_BYTES)} (a picture of 224 x 224){of_limit}; for online "
        f"serving the guide takes num_batch_threads{f' ({threads})' if threads else ''}",
        _set(config, field, threads) if threads else (),
    )


def _set(config: BatchingConfig, field: Field, value: int) -> tuple[Edit, ...]:
    line = config.source.line(field.line)
    match = re.search(rf"({field.name}\s*:?\s*{{\s*value\s*:\s*)\d+", line)
    return config.source.replaced(field.line, match[0], f"{match[1]}{value}") if match else ()


def allowed_sizes(config: BatchingConfig, project: Project) -> Iterator[Hit]:
    """Allowed batch sizes that do not rise, or do not end in the largest."""
    fields = config.root.all("allowed_batch_sizes")
    sizes = [int(one.value) for one in fields if one.value and one.value.isdigit() and len(one.value) < 16]
    if not sizes or len(sizes) != len(fields):
        return
    splits = config.root.word("enable_large_batch_splitting") == "true"
    name = "max_execution_batch_size" if splits and config.root.all("max_execution_batch_size") else "max_batch_size"
    largest = _whole(config, name) if config.root.all(name) else _DEFAULT_BATCH
    if sizes != sorted(set(sizes)):
        first = next(field for field, a, b in zip(fields[1:], sizes, sizes[1:], strict=False) if a >= b)
        yield Hit(
            first.line, f"allowed_batch_sizes must rise; here {listed([str(one) for one in sizes[:_SHOWN_BATCHES]])}"
        )
    elif largest is not None and sizes[-1] != largest:
        edits = config.source.replaced(fields[-1].line, fields[-1].value or "", str(largest))
        yield Hit(
            fields[-1].line,
            f"the last of allowed_batch_sizes is {sizes[-1]}, {name} is {largest}: they must be equal, or no model "
            "loads",
            edits,
        )


def long_timeout(config: BatchingConfig, project: Project) -> Iterator[Hit]:
    """A timeout that makes every request wait."""
    micros = _whole(config, "batch_timeout_micros")
    if micros is not None and micros > _LONG_TIMEOUT_MICROS:
        yield Hit(
            config.root.all("batch_timeout_micros")[0].line,
            f"a lone request waits {number(micros / 1000)} ms for others, holding its tensors; the guide starts at 0 "
            "and goes to 1 to 10 ms",
        )


RULES = (
    Rule(
        "batching-not-enabled",
        Severity.ERROR,
        "--batching_parameters_file without --enable_batching",
        "The start ends with InvalidArgument.",
        "model_servers/server.cc",
        Container,
        without_enable,
    ),
    Rule(
        "batching-wrapper",
        Severity.ERROR,
        "a bare number where { value: N } is due",
        "All fields but allowed_batch_sizes and pad_variable_length_inputs are wrapper messages.",
        "servables/tensorflow/session_bundle_config.proto",
        BatchingConfig,
        bare_number,
    ),
    Rule(
        "batching-field",
        Severity.ERROR,
        "a batching parameter that does not exist",
        "Text protobuf refuses the whole file for it.",
        "servables/tensorflow/session_bundle_config.proto",
        BatchingConfig,
        unknown_field,
    ),
    Rule(
        "batching-refused",
        Severity.ERROR,
        "a batching file that does not parse",
        "The server does not start.",
        "model_servers/server.cc: ParseProtoTextFile",
        BatchingConfig,
        refused,
    ),
    Rule(
        "batching-queue",
        Severity.WARNING,
        "a batching queue that can hold more than the container",
        "Up to max_enqueued_batches times max_batch_size rows wait per model version, with their tensors. The "
        "documentation's example file has 1,000,000, for a benchmark.",
        "batching/README.md; tensorflow/serving#1631",
        BatchingConfig,
        queue,
    ),
    Rule(
        "allowed-batch-sizes",
        Severity.ERROR,
        "allowed_batch_sizes that do not end in max_batch_size",
        "They must rise, and the last must equal max_batch_size (max_execution_batch_size with large batch splitting).",
        "batching/README.md; batching/batching_session.cc",
        BatchingConfig,
        allowed_sizes,
    ),
    Rule(
        "batch-timeout",
        Severity.NOTE,
        "a batch timeout over 10 ms",
        "Requests wait that long for a batch to fill; what waits is held in memory.",
        "batching/README.md",
        BatchingConfig,
        long_timeout,
    ),
)
