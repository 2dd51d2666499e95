"""An engine's answer becomes columns, on hosts with either version of cgroups."""

from typing import Any

from leakwatch.sample.docker_engine import values_of

MIB = 2**20

# The shapes are those of GET /containers/ID/stats in the documentation of Engine API 1.41 and of a 20.10 engine here.
VERSION_2: dict[str, Any] = {
    "pids_stats": {"current": 17, "limit": 18446744073709551615},
    "cpu_stats": {
        "cpu_usage": {"total_usage": 2_500_000_000, "usage_in_usermode": 1},
        "throttling_data": {"periods": 0, "throttled_periods": 0, "throttled_time": 500_000_000},
    },
    "memory_stats": {
        "usage": 900 * MIB,
        "limit": 64 * 2**30,
        "stats": {"anon": 600 * MIB, "file": 250 * MIB, "shmem": 10 * MIB, "inactive_file": 200 * MIB, "slab": 5},
    },
}

VERSION_1: dict[str, Any] = {
    **VERSION_2,
    "memory_stats": {
        "usage": 900 * MIB,
        "max_usage": 950 * MIB,
        "failcnt": 17,
        "limit": 64 * 2**30,
        "stats": {
            "rss": 1,
            "cache": 1,
            "total_rss": 600 * MIB,
            "total_cache": 250 * MIB,
            "total_shmem": 10 * MIB,
            "total_inactive_file": 200 * MIB,
            "inactive_file": 1,
            "hierarchical_memory_limit": 9223372036854771712,
        },
    },
}

COMMON = {
    "anon_bytes": 600 * MIB,
    "file_bytes": 250 * MIB,
    "shmem_bytes": 10 * MIB,
    "usage_bytes": 900 * MIB,
    "working_set_bytes": 700 * MIB,
    "cpu_seconds_total": 2.5,
    "cpu_throttled_seconds_total": 0.5,
    "threads": 17,
}


def test_both_versions_say_the_same() -> None:
    """v1's page cache is `total_inactive_file`: with `inactive_file` the working set would be too large."""
    assert values_of(VERSION_2, {"Memory": 0}) == {**COMMON, "limit_bytes": 0}
    counts = {"peak_bytes": 950 * MIB, "limit_hits_total": 17}
    assert values_of(VERSION_1, {"Memory": 0}) == {**COMMON, "limit_bytes": 0, **counts}


def test_the_limit_is_the_containers_not_the_hosts() -> None:
    """The engine writes the host's memory where there is none; the tightest above counts on v1."""
    assert values_of(VERSION_2, {"Memory": 2048 * MIB})["limit_bytes"] == 2048 * MIB
    above = {**VERSION_1["memory_stats"]["stats"], "hierarchical_memory_limit": 512 * MIB}
    limited = {**VERSION_1, "memory_stats": {**VERSION_1["memory_stats"], "stats": above}}
    assert values_of(limited, {"Memory": 2048 * MIB})["limit_bytes"] == 512 * MIB


def test_a_container_that_has_just_ended_has_no_memory() -> None:
    """Its statistics are empty, which is not a memory of 0."""
    assert values_of({"memory_stats": {}, "cpu_stats": {}, "pids_stats": {}}, {"Memory": 0}) == {}
