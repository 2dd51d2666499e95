"""Environment variables: those that nobody reads, and those that do something else than is believed."""

import re
from collections.abc import Iterator

from leakwatch.findings import Edit, Severity
from leakwatch.lint.project import Project
from leakwatch.lint.rule import Hit, Rule
from leakwatch.lint.servers import is_stock
from leakwatch.lint.subjects import Container, Server
from leakwatch.lint.tf_flags import FLAGS
from leakwatch.lint.yaml_tree import Form

_READ = frozenset({"MODEL_NAME", "MODEL_BASE_PATH", "TF_SERVING_VERSION_GIT_BRANCH", "TF_SERVING_VERSION_GIT_COMMIT"})
"""By the image's entrypoint; the last two are marks of its build."""
_FLAG_LIKE = frozenset(name.upper() for name in FLAGS if "_" in name) - _READ
_NOT_READ = re.compile(r"(?:TF|TENSORFLOW)_SERVING_\w+|TF_(?:MEMORY|GPU_MEMORY)_FRACTION|MODEL_CACHE_\w+")
_NO_SUFFIX = {"MALLOC_TRIM_THRESHOLD": "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD": "MALLOC_MMAP_THRESHOLD_"}
_NO_SUFFIX |= {"MALLOC_TOP_PAD": "MALLOC_TOP_PAD_", "MALLOC_MMAP_MAX": "MALLOC_MMAP_MAX_"}
_OP_FLAGS = {
    "TF_NUM_INTRAOP_THREADS": "tensorflow_intra_op_parallelism",
    "TF_NUM_INTEROP_THREADS": "tensorflow_inter_op_parallelism",
}


def _is_used(container: Container, name: str) -> bool:
    """Whether the command line, or another variable, takes its value."""
    texts = (*(word.text for word in container.words), *(node.text for node in container.environment.values()))
    return any(re.search(rf"\$[({{]?{re.escape(name)}\b", text) for text in texts)


def _removal(container: Container, name: str) -> tuple[Edit, ...]:
    """The edit that takes a variable out of a block list or mapping that holds others too."""
    env = container.node["env"] or container.node["environment"]
    if env.flow or len(env.items or env.entries) < 2:
        return ()
    if env.form is Form.MAP:
        node = env[name]
        return container.source.removed(node.key_line, node.end_line)
    for item in env.items:
        if item["name"].text == name or item.text.startswith(f"{name}="):
            return container.source.removed(item.line, item.end_line)
    return ()


def not_read(container: Container, project: Project) -> Iterator[Hit]:
    """A variable that TF Serving does not read."""
    if container.server is not Server.TF_SERVING:
        return
    for name, node in container.environment.items():
        if name in _READ or _is_used(container, name):
            continue
        if name.upper() in _FLAG_LIKE:
            flag = f"--{name.lower()}={node.text}" if node.text else f"--{name.lower()}"
            yield Hit(
                node.line, f"TF Serving does not read {name}; the setting is the flag {flag}", _removal(container, name)
            )
        elif _NOT_READ.fullmatch(name):
            fraction = "; --per_process_gpu_memory_fraction is the GPU's, the host's memory has the container limit"
            hint = fraction if "FRACTION" in name else ""
            yield Hit(node.line, f"nothing reads {name}: it changes nothing{hint}", _removal(container, name))


def entrypoint_only(container: Container, project: Project) -> Iterator[Hit]:
    """MODEL_NAME where the entrypoint that reads it is not run."""
    if container.server is not Server.TF_SERVING or not container.overrides_entrypoint:
        return
    if any(word.text.endswith((".sh", "entrypoint")) for word in container.words[:2]):
        return
    for name in ("MODEL_NAME", "MODEL_BASE_PATH"):
        node = container.environment.get(name)
        # The image sets both itself: an inspected container shows them whatever it runs.
        if node is not None and not _is_used(container, name) and not container.node["HostConfig"]:
            flag = f"--{name.lower()}"
            yield Hit(node.line, f"{name} is read by the image's entrypoint, which this command replaces; use {flag}=")


def openmp(container: Container, project: Project) -> Iterator[Hit]:
    """OMP_NUM_THREADS for a server that has no OpenMP."""
    node = container.environment.get("OMP_NUM_THREADS")
    if node is not None and container.server is Server.TF_SERVING and is_stock(container.image.text):
        yield Hit(
            node.line,
            "the stock image uses TensorFlow's own thread pool, not OpenMP: OMP_NUM_THREADS changes nothing; use "
            "--tensorflow_intra_op_parallelism",
        )


def log_level(container: Container, project: Project) -> Iterator[Hit]:
    """A log level that hides loads and unloads."""
    node = container.environment.get("TF_CPP_MIN_LOG_LEVEL")
    if node is not None and container.server is Server.TF_SERVING and (node.number or 0) >= 1:
        yield Hit(
            node.line,
            f"TF_CPP_MIN_LOG_LEVEL={node.text} hides the lines of every version's load and unload, which tell a leak "
            "from a swap; read them from the metrics page, or leave it at 0",
        )


def threads_overridden(container: Container, project: Project) -> Iterator[Hit]:
    """A thread variable beside the flag that wins over it."""
    for name, flag in _OP_FLAGS.items():
        node = container.environment.get(name)
        text = container.values.get(flag, "0")
        if node is not None and text not in ("0", node.text):
            yield Hit(node.line, f"{name}={node.text} is overruled by --{flag}={text}", _removal(container, name))


def malloc_name(container: Container, project: Project) -> Iterator[Hit]:
    """A glibc variable without its last underscore."""
    for name, right in _NO_SUFFIX.items():
        node = container.environment.get(name)
        if node is not None:
            env = container.node["env"]
            lines = [item["name"].line for item in env.items if item["name"].text == name] or [
                node.key_line or node.line
            ]
            yield Hit(
                lines[0],
                f"glibc reads {right}, with an underscore at the end: {name} changes nothing",
                container.source.replaced(lines[0], name, right),
            )


RULES = (
    Rule(
        "env-not-read",
        Severity.WARNING,
        "an environment variable that no server reads",
        "TF Serving takes its settings from flags; its entrypoint reads MODEL_NAME and MODEL_BASE_PATH. TF_SERVING_* "
        "variables such as TF_SERVING_MEMORY_FRACTION exist in articles only.",
        "tools/docker/Dockerfile; model_servers/main.cc",
        Container,
        not_read,
    ),
    Rule(
        "entrypoint-env",
        Severity.WARNING,
        "MODEL_NAME or MODEL_BASE_PATH beside a command of its own",
        "The two are read by the entrypoint script alone; a command that starts the binary replaces the script.",
        "tools/docker/Dockerfile",
        Container,
        entrypoint_only,
    ),
    Rule(
        "openmp-threads",
        Severity.NOTE,
        "OMP_NUM_THREADS on the stock image",
        "Only builds with OpenMP (oneDNN or MKL ones) read it.",
        "tensorflow/core/common_runtime/process_util.cc",
        Container,
        openmp,
    ),
    Rule(
        "log-level-hides-loads",
        Severity.NOTE,
        "TF_CPP_MIN_LOG_LEVEL of 1 or more",
        "The lines about loading, unloading and reserving are INFO lines: without them a step in memory has no cause.",
        "core/loader_harness.cc, core/basic_manager.cc",
        Container,
        log_level,
    ),
    Rule(
        "thread-env-overruled",
        Severity.NOTE,
        "TF_NUM_INTRAOP_THREADS or TF_NUM_INTEROP_THREADS beside the flag",
        "TensorFlow reads the variables only where the session's values are 0; the server's flags set them.",
        "tensorflow/core/common_runtime/process_util.cc",
        Container,
        threads_overridden,
    ),
    Rule(
        "malloc-env-name",
        Severity.WARNING,
        "a glibc malloc variable without its last underscore",
        "MALLOC_TRIM_THRESHOLD_, MALLOC_MMAP_THRESHOLD_, MALLOC_TOP_PAD_ and MALLOC_MMAP_MAX_ end in one; without it "
        "they are not read.",
        "mallopt(3)",
        Container,
        malloc_name,
    ),
)
