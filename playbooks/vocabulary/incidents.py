"""Facts that logs, pod status and exit codes tell about how the process ended."""

from collections.abc import Mapping
from types import MappingProxyType

from playbooks.vocabulary.fact_type import FactType, flag, number, word

_KERNEL_LOG = "the node's kernel log (journalctl -k, or dmesg -T; leakwatch analyze --logs FILE)"

INCIDENTS: Mapping[str, FactType] = MappingProxyType(
    {
        "oom_proven": flag(
            "whether it is proven that memory ran out and something was killed for it; exit code 137 alone proves none",
            _KERNEL_LOG,
        ),
        "oom_scope": word("whose memory ran out", _KERNEL_LOG, "container", "child", "node", "gpu", "process"),
        "oom_kind": word(
            "the kind of the incident's most telling log line",
            "the logs of kernel, kubelet, runtime and server (leakwatch logs FILE... lists what they tell)",
            "kernel_oom_kill",
            "kernel_oom_summary",
            "kernel_oom_invoked",
            "kernel_oom_reaper",
            "kernel_memcg_stats",
            "kernel_page_alloc_failure",
            "systemd_oom",
            "earlyoom",
            "k8s_evicted",
            "tf_serving_load_oom",
            "cuda_oom",
            "tf_bfc_allocator",
            "tf_resource_exhausted",
            "cpp_bad_alloc",
            "python_memory_error",
            "jvm_oom",
            "go_oom",
            "kubelet_oom_event",
            "k8s_status_oomkilled",
            "containerd_oom",
            "docker_oom_event",
            "process_killed_137",
        ),
        "ended_by": word(
            "how the process ended, from its exit code: 137 is sigkill, 143 sigterm, 134 abort, 139 segfault, 132 "
            "illegal_instruction, 0 success, any other error",
            "the exit code (kubectl get pod POD -o yaml, lastState.terminated; docker inspect CONTAINER)",
            "sigkill",
            "sigterm",
            "abort",
            "segfault",
            "illegal_instruction",
            "success",
            "error",
        ),
        "level_before_kill_ratio": number(
            "the last level of the metric before the kill, as a share of the limit",
            "a trace that reaches to the kill, with its limit",
        ),
        "seconds_load_to_kill": number(
            "how long before the kill a model version was loaded or began to load",
            "model_loads_total in the trace (or the server's own log lines about loads)",
            "s",
        ),
        "seconds_start_to_kill": number(
            "how long the process had run when it was killed", "a trace with the restarts before the kill", "s"
        ),
    }
)
