"""Facts about the process, its deployment and its host."""

from collections.abc import Mapping
from types import MappingProxyType

from playbooks.vocabulary.fact_type import FactType, flag, number, word

_FLAGS = "the command line (tr '\\0' ' ' < /proc/PID/cmdline)"
_ENVIRONMENT = "the environment (tr '\\0' '\\n' < /proc/PID/environ)"
_POD = "the pod's manifest (kubectl get pod POD -o yaml)"
_CPU = "cpu.stat and cpu.max of the container's cgroup"

PROCESS: Mapping[str, FactType] = MappingProxyType(
    {
        "process_running": flag("whether the server's process lives", "pgrep -a tensorflow_model"),
        "arenas": number(
            "heaps of 64 MiB that glibc reserved for the arenas of threads",
            "grep -cE '^[0-9a-f]+[048c]000000-[0-9a-f]+ rw-p 00000000 00:00 0' /proc/PID/maps",
        ),
        "threads_per_cpu": number(
            "threads for each CPU that the process may use (the lower of affinity mask and quota)",
            "Threads in /proc/PID/status beside the CPU limit",
        ),
        "allocator": word(
            "the allocator that the process has mapped",
            "grep -oE 'lib(jemalloc|tcmalloc|mimalloc)[^ ]*' /proc/PID/maps | sort -u (nothing: the C library's own)",
            "glibc",
            "musl",
            "jemalloc",
            "tcmalloc",
            "mimalloc",
        ),
        "arenas_capped": flag("whether MALLOC_ARENA_MAX or GLIBC_TUNABLES limits glibc's arenas", _ENVIRONMENT),
        "grpc_threads_capped": flag("whether --grpc_max_threads is given", _FLAGS),
        "batching_enabled": flag("whether --enable_batching is given", _FLAGS),
        "config_polled": flag(
            "whether TF Serving polls its model config (--model_config_file with "
            "--model_config_file_poll_wait_seconds above 0)",
            _FLAGS,
        ),
        "rest_port_on": flag(
            "whether --rest_api_port is given and not 0 (the binary's default is 0, off; the image's start script sets "
            "8501)",
            _FLAGS,
        ),
        "onednn_enabled": flag("whether oneDNN is left on (TF_ENABLE_ONEDNN_OPTS is not 0)", _ENVIRONMENT),
        "machine": word("the processor's family", "uname -m", "x86_64", "aarch64", "other"),
        "cpu_ratio": number("CPU time used, as a share of the CPUs that the process may use", _CPU),
        "throttled_ratio": number("time that the CPU quota held it back, beside the CPU time that it used", _CPU),
        "memory_pressure_ratio": number(
            "the share of the time in which some task waited for memory to be freed",
            "some avg10 in memory.pressure of the container's cgroup",
        ),
        "io_pressure_ratio": number(
            "the share of the time in which some task waited for a disk or network file system",
            "some avg10 in io.pressure of the container's cgroup",
        ),
    }
)

DEPLOYMENT: Mapping[str, FactType] = MappingProxyType(
    {
        "limit_known": flag("whether a memory limit was seen", "the limit (--limit)"),
        "request_limit_ratio": number("the memory request, as a share of the memory limit", _POD),
        "replicas": number("how many replicas serve the same traffic", "kubectl get deployment NAME"),
        "startup_probe": flag("whether the container has a startup probe", _POD),
        "liveness_probe": flag("whether the container has a liveness probe", _POD),
    }
)
