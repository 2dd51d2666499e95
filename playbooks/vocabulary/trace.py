"""Facts that a memory trace and its verdict hold."""

from collections.abc import Mapping
from types import MappingProxyType

from playbooks.vocabulary.fact_type import FactType, number, word

_REQUESTS = "requests_total (the server's cumulative inference count)"
_LIMIT = "the limit (--limit, or a limit_bytes column)"

TRACE: Mapping[str, FactType] = MappingProxyType(
    {
        "verdict": word("whether it leaks", "a longer trace", "leak", "no_leak", "undecided"),
        "shape": word(
            "what the memory does",
            "a longer trace",
            "flat",
            "linear",
            "accelerating",
            "plateau",
            "load_following",
            "steps",
            "sawtooth",
            "cycles",
            "page_cache",
            "decelerating",
            "irregular",
            "too_short",
        ),
        "metric": word(
            "the column that the verdict rests on",
            "anon_bytes (anon in memory.stat of the container's cgroup)",
            "anon_bytes",
            "working_set_bytes",
            "rss_bytes",
            "usage_bytes",
            "file_bytes",
            "shmem_bytes",
            "kernel_bytes",
        ),
        "restarts": number("how many times the memory fell back as after a restart", "a longer trace"),
        "oom_like_restarts": number(
            "how many of those came with the memory at 92 % of the limit or above; likeness, no proof of an OOM kill",
            _LIMIT,
        ),
        "peak_limit_ratio": number("the highest level of the metric, as a share of the limit", _LIMIT),
        "time_to_limit_seconds": number("the low end of the time from the trace's end to the limit", _LIMIT, "s"),
        "leak_follows": word(
            "whether the growth follows the request count or the clock", _REQUESTS, "requests", "time", "unclear"
        ),
        "bytes_per_request": number("what each request leaves behind", _REQUESTS, "bytes"),
        "leaking_model_share": number(
            "the largest share of the leak that one model's requests hold", "requests_total:MODEL for each model"
        ),
        "model_loads": number(
            "how many model versions were loaded during the trace",
            "model_loads_total (on TF Serving the sum of :tensorflow:cc:saved_model:load_attempt_count)",
        ),
        "threads_ratio": number(
            "threads at the end of the trace, as a multiple of those at its start",
            "threads (Threads in /proc/PID/status)",
        ),
        "page_cache_share": number("the share of the growth that is page cache", "file_bytes beside usage_bytes"),
        "shmem_share": number(
            "the share of the growth that is shared memory and tmpfs", "shmem_bytes beside usage_bytes"
        ),
        "host_left_ratio": number(
            "the memory that the host could still hand out, as a multiple of what the container holds",
            "host_available_bytes (MemAvailable in the host's /proc/meminfo)",
        ),
        "kernel_share": number(
            "the share of the growth that is the kernel's own (sockets, slab, page tables)",
            "kernel_bytes beside usage_bytes",
        ),
    }
)
