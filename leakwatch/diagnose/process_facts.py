"""What the kernel shows of a server's process, and how it is deployed -> facts."""

import math
from collections.abc import Iterator, Mapping, Sequence
from posixpath import basename

from leakwatch.diagnose.kill_facts import facts_of_exit_code
from leakwatch.diagnose.page_facts import cores_used
from leakwatch.trace import Trace
from playbooks.types import Deployment, Fact, ProcessState

_ALLOCATORS = {"libjemalloc": "jemalloc", "libtcmalloc": "tcmalloc", "libmimalloc": "mimalloc"}
_C_LIBRARIES = {"ld-musl": "musl", "libc.musl": "musl", "libc.so.6": "glibc", "libc-2.": "glibc"}
_SERVERS = {"tensorflow_model": "tf_serving", "tritonserver": "triton", "torchserve": "torchserve"}
_MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}
_LEAST_CPUS = 1e-3
"""The smallest quota that Kubernetes grants; less is no number of CPUs."""
_OFF = ("0", "false", "no", "off")


def facts_of_process(state: ProcessState, trace: Trace | None = None) -> tuple[Fact, ...]:
    """What is known of a process; what is not is left out. No argument and no variable is quoted but those asked for.

    With a ``trace`` that holds the processor time, the use of the CPUs that the process may use is told as well.
    """
    return (
        *_seen(state),
        *_use(state.cpus, trace),
        *_libraries(state.libraries),
        *_environment(state.environment),
        *_arguments(state.arguments),
    )


def facts_of_deployment(deployment: Deployment) -> tuple[Fact, ...]:
    """What is known of a deployment; what is not is left out."""
    return tuple(_deployed(deployment))


def flags_of(arguments: Sequence[str]) -> dict[str, str]:
    """The flags of a command line as TensorFlow reads them: ``--name=value``, or ``--name`` alone, which is "true"."""
    flags = {}
    for argument in arguments[1:]:
        if argument.startswith("--"):
            name, equals, value = argument.removeprefix("--").partition("=")
            flags[name] = value if equals else "true"
    return flags


def _seen(state: ProcessState) -> Iterator[Fact]:
    if state.running is not None:
        yield Fact("process_running", state.running, f"the process {'lives' if state.running else 'is gone'}")
    if state.exit_code is not None:
        yield from facts_of_exit_code(state.exit_code)
    if state.arenas is not None:
        yield Fact("arenas", state.arenas, f"{state.arenas} heaps of 64 MiB are reserved for arenas")
    if state.threads is not None and state.cpus is not None and _LEAST_CPUS <= state.cpus < math.inf:
        ratio = state.threads / state.cpus
        yield Fact("threads_per_cpu", ratio, f"{state.threads} threads on {state.cpus:g} CPUs")
    if state.io_pressure_ratio is not None:
        said = f"some task waited for a disk {state.io_pressure_ratio:.0%} of the last 10 s"
        yield Fact("io_pressure_ratio", state.io_pressure_ratio, said)
    if state.machine is not None:
        yield Fact("machine", _MACHINES.get(state.machine, "other"), f"the machine is {state.machine}")


def _use(cpus: float | None, trace: Trace | None) -> Iterator[Fact]:
    cores = cores_used(trace) if trace is not None else None
    if cores is not None and cpus is not None and _LEAST_CPUS <= cpus < math.inf:
        yield Fact("cpu_ratio", cores / cpus, f"{cores:.2g} of {cpus:g} CPUs are in use")


def _libraries(libraries: Sequence[str] | None) -> Iterator[Fact]:
    for names in (_ALLOCATORS, _C_LIBRARIES):  # a preloaded allocator takes the place of the C library's
        for library in libraries or ():
            for beginning, allocator in names.items():
                if library.startswith(beginning):
                    yield Fact("allocator", allocator, f"{library} is mapped")
                    return


def _environment(environment: Mapping[str, str] | None) -> Iterator[Fact]:
    if environment is None:
        return
    capped = "MALLOC_ARENA_MAX" in environment or "glibc.malloc.arena_max" in environment.get("GLIBC_TUNABLES", "")
    said = f"MALLOC_ARENA_MAX is {environment.get('MALLOC_ARENA_MAX', 'not set')}"
    yield Fact("arenas_capped", capped, "GLIBC_TUNABLES limits the arenas" if capped and "not set" in said else said)
    onednn = environment.get("TF_ENABLE_ONEDNN_OPTS")
    yield Fact("onednn_enabled", (onednn or "1").lower() not in _OFF, f"TF_ENABLE_ONEDNN_OPTS is {onednn or 'not set'}")


def _arguments(arguments: Sequence[str] | None) -> Iterator[Fact]:
    if not arguments:
        return
    program = basename(arguments[0])
    kind = next((kind for name, kind in _SERVERS.items() if program.startswith(name)), "other")
    yield Fact("server_kind", kind, f"the program is {program}")
    if kind != "tf_serving":
        return
    flags = flags_of(arguments)
    batching = flags.get("enable_batching", "false").lower() not in _OFF
    yield Fact("batching_enabled", batching, f"--enable_batching is {_given(flags, 'enable_batching')}")
    threads = _number(flags.get("grpc_max_threads"))
    yield Fact("grpc_threads_capped", threads > 0, f"--grpc_max_threads is {_given(flags, 'grpc_max_threads')}")
    port = _number(flags.get("rest_api_port"))
    yield Fact("rest_port_on", port > 0, f"--rest_api_port is {_given(flags, 'rest_api_port')}")
    wait = _number(flags.get("model_config_file_poll_wait_seconds"))
    config = bool(flags.get("model_config_file"))
    polled = f"--model_config_file_poll_wait_seconds is {_given(flags, 'model_config_file_poll_wait_seconds')}"
    yield Fact("config_polled", config and wait > 0, polled if config else "--model_config_file is not given")


def _given(flags: Mapping[str, str], name: str) -> str:
    return flags.get(name, "not given")


def _number(text: str | None) -> float:
    """0 where it is no number, as nothing was given."""
    try:
        value = float(text or 0)
    except ValueError:
        return 0.0
    return value if math.isfinite(value) else 0.0


def _deployed(deployment: Deployment) -> Iterator[Fact]:
    limit, request = deployment.limit_bytes, deployment.request_bytes
    if limit is not None:
        limited = math.isfinite(limit) and limit >= 1
        yield Fact("limit_known", limited, f"the limit is {_mib(limit)}" if limited else "there is no limit")
        if limited and request is not None and math.isfinite(request):
            said = f"the request is {_mib(request)} and the limit {_mib(limit)}"
            yield Fact("request_limit_ratio", request / limit, said)
    if deployment.replicas is not None:
        yield Fact("replicas", deployment.replicas, f"{deployment.replicas} replicas serve")
    for name, probe in (("startup_probe", deployment.startup_probe), ("liveness_probe", deployment.liveness_probe)):
        if probe is not None:
            what = name.replace("_", " ")
            yield Fact(name, probe, f"the container has a {what}" if probe else f"the container has no {what}")


def _mib(size_bytes: float) -> str:
    return f"{size_bytes / 2**20:.0f} MiB"
