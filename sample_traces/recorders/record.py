"""Makes the sample traces: python record.py [--into FOLDER] [NAME ...]."""

import argparse
import concurrent.futures
import dataclasses
import subprocess
import sys
import tempfile
from pathlib import Path

from recorder import Recording, record

WORKLOADS = Path(__file__).parent / "workloads"
CLASSES = Path(tempfile.gettempdir()) / "leakwatch-recording-classes"


def python(script: str, *arguments: object) -> tuple[str, ...]:
    return (sys.executable, str(WORKLOADS / script), *map(str, arguments))


def java(keep: str, session_kib: int, *options: str) -> tuple[str, ...]:
    return ("java", "-XX:+UseG1GC", *options, "-cp", str(CLASSES), "RequestServer", keep, str(session_kib << 10), "25")


def node(mode: str) -> tuple[str, ...]:
    return ("node", str(WORKLOADS / "request_server.js"), mode, str(24 << 10), "{port}")


HTTP_LOAD = python("http_load.py", "{port}", 20)
REDIS = ("redis-server", "--port", "{port}", "--bind", "127.0.0.1", "--save", "", "--dir", "{scratch}")
MMAP_LARGE = {"MALLOC_MMAP_THRESHOLD_": str(128 << 10)}  # fixed, so that large buffers keep going back to the kernel

RECORDINGS = (
    Recording("python_list_by_requests", python("retained_list.py", "requests", 24 << 10, 25)),
    Recording("python_list_by_time", python("retained_list.py", "time", 640 << 10, 25)),
    Recording("python_cycles_gc_off", python("reference_cycles.py", "off", 48 << 10, 14)),
    Recording("python_cycles_gc_on", python("reference_cycles.py", "on", 160 << 10, 14), environment=MMAP_LARGE),
    Recording("python_lru_cache_unbounded", python("cached_embeddings.py", "none", 32 << 10, 25)),
    Recording("python_lru_cache_bounded", python("cached_embeddings.py", 1000, 32 << 10, 25)),
    Recording("python_load_following", python("requests_in_flight.py", 256 << 10, 4, 20, 0), environment=MMAP_LARGE),
    Recording(
        "python_load_following_leak",
        python("requests_in_flight.py", 256 << 10, 4, 20, 16 << 10),
        environment=MMAP_LARGE,
    ),
    Recording("glibc_thread_arenas", python("thread_arenas.py", 16, 4, 5 << 20, 3)),
    Recording(
        "model_versions",
        python("model_versions.py", 20, 5, 40 << 20, 20),
        counters=("requests_total", "model_loads_total"),
    ),
    Recording(
        "two_models_one_leaks",
        python("two_models.py", "embedder", 32 << 10, "ranker", 15),
        counters=("requests_total:embedder", "requests_total:ranker"),
    ),
    Recording("jvm_g1_healthy", java("last", 24, "-Xms64m", "-Xmx64m")),
    Recording(
        "jvm_g1_sawtooth",
        java("window", 64, "-Xms8m", "-Xmx192m", "-XX:MaxHeapFreeRatio=25", "-XX:MinHeapFreeRatio=10"),
    ),
    Recording("jvm_static_map", java("every", 24, "-Xms24m", "-Xmx512m", "-Xmn8m")),
    Recording("node_healthy", node("healthy"), driver=HTTP_LOAD),
    Recording("node_healthy_long", node("healthy"), driver=HTTP_LOAD, seconds=400, interval_seconds=0.5),
    Recording("node_closures", node("leak"), driver=HTTP_LOAD),
    Recording(
        "redis_maxmemory",
        (*REDIS, "--maxmemory", "48mb", "--maxmemory-policy", "allkeys-lru"),
        driver=python("redis_load.py", "{port}", 16 << 10, 45),
    ),
    Recording("cgroup_page_cache", python("request_log.py", "{scratch}", 36 << 10, 20), limit_bytes=112 << 20),
    Recording(
        "cgroup_oom_kills",
        python("retained_list.py", "time", 1280 << 10, 10),
        limit_bytes=48 << 20,
        restart_when_killed=True,
    ),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="which traces; all of them by default")
    parser.add_argument("--into", type=Path, default=Path(__file__).parent.parent)
    parser.add_argument("--at-once", type=int, default=6, help="how many workloads run beside each other")
    parser.add_argument("--seconds", type=float, help="how long each is sampled, instead of its own time")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - {recording.name for recording in RECORDINGS}
    if unknown:
        parser.error(f"no such recording: {', '.join(sorted(unknown))}")
    chosen = [recording for recording in RECORDINGS if not arguments.names or recording.name in arguments.names]
    if arguments.seconds is not None:
        chosen = [dataclasses.replace(recording, seconds=arguments.seconds) for recording in chosen]
    if any(recording.command[0] == "java" for recording in chosen):
        subprocess.run(["javac", "-d", str(CLASSES), str(WORKLOADS / "RequestServer.java")], check=True)
    with concurrent.futures.ThreadPoolExecutor(arguments.at_once) as pool:
        for path in pool.map(lambda recording: record(recording, arguments.into), chosen):
            print(path, flush=True)


if __name__ == "__main__":
    main()
