"""Command line, environment, mapped files and manifests become facts; what is not known is left out."""

import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakwatch.diagnose import facts_of_deployment, facts_of_process
from leakwatch.diagnose.process_facts import flags_of
from playbooks.types import Deployment, Fact, ProcessState
from playbooks.vocabulary import FACTS

SERVER = "/usr/bin/tensorflow_model_server"


def values(facts: tuple[Fact, ...]) -> dict[str, Any]:
    return {fact.name: fact.value for fact in facts}


def arguments(*flags: str) -> dict[str, Any]:
    return values(facts_of_process(ProcessState(arguments=(SERVER, *flags))))


def test_nothing_known_nothing_said() -> None:
    """An empty state gives no fact."""
    assert facts_of_process(ProcessState()) == ()
    assert facts_of_deployment(Deployment()) == ()


def test_flags_as_the_server_reads_them() -> None:
    """A flag alone is true; a value stands after the equals sign; the program and what is no flag are none."""
    assert flags_of((SERVER, "--enable_batching", "--port=8500", "x=1", "--y=a=b")) == {
        "enable_batching": "true",
        "port": "8500",
        "y": "a=b",
    }


def test_the_flags_of_tf_serving() -> None:
    """Batching, threads, the REST port and the polling of the config follow from the command line and its defaults."""
    assert arguments() == {
        "server_kind": "tf_serving",
        "batching_enabled": False,
        "grpc_threads_capped": False,
        "rest_port_on": False,
        "config_polled": False,
    }
    told = arguments(
        "--enable_batching",
        "--grpc_max_threads=16",
        "--rest_api_port=8501",
        "--model_config_file=/models.config",
        "--model_config_file_poll_wait_seconds=60",
    )
    assert all(told.values())


@pytest.mark.parametrize(
    ("flags", "name"),
    [
        (["--enable_batching=false"], "batching_enabled"),
        (["--rest_api_port=0"], "rest_port_on"),
        (["--rest_api_port=none"], "rest_port_on"),
        (["--model_config_file_poll_wait_seconds=60"], "config_polled"),
        (["--model_config_file=/m", "--model_config_file_poll_wait_seconds=0"], "config_polled"),
        (["--model_config_file=/m"], "config_polled"),
    ],
)
def test_flags_that_say_no(flags: list[str], name: str) -> None:
    """A flag that is off, a number that is none, and a poll without a file are no."""
    assert arguments(*flags)[name] is False


def test_another_server_has_other_flags() -> None:
    """The flags of TF Serving are not looked for on the command line of another program."""
    assert values(facts_of_process(ProcessState(arguments=("tritonserver", "--enable_batching")))) == {
        "server_kind": "triton"
    }
    assert values(facts_of_process(ProcessState(arguments=("python3", "x.py")))) == {"server_kind": "other"}


@pytest.mark.parametrize(
    ("libraries", "allocator"),
    [
        (("libc.so.6", "libjemalloc.so.2"), "jemalloc"),
        (("libtcmalloc_minimal.so.4", "libc.so.6"), "tcmalloc"),
        (("libc-2.31.so",), "glibc"),
        (("ld-musl-x86_64.so.1",), "musl"),
        (("libm.so.6",), None),
    ],
)
def test_the_allocator(libraries: tuple[str, ...], allocator: str | None) -> None:
    """A preloaded allocator counts before the C library's own."""
    assert values(facts_of_process(ProcessState(libraries=libraries))).get("allocator") == allocator


def test_the_environment() -> None:
    """Arenas and oneDNN follow from the environment; what is not set is a known no, and nothing else is quoted."""
    plain = values(facts_of_process(ProcessState(environment={"PATH": "/bin"})))
    assert plain == {"arenas_capped": False, "onednn_enabled": True}
    capped = ProcessState(environment={"MALLOC_ARENA_MAX": "2", "TF_ENABLE_ONEDNN_OPTS": "0", "TOKEN": "secret"})
    assert values(facts_of_process(capped)) == {"arenas_capped": True, "onednn_enabled": False}
    assert "secret" not in repr(facts_of_process(capped))
    tuned = ProcessState(environment={"GLIBC_TUNABLES": "glibc.malloc.arena_max=2"})
    assert values(facts_of_process(tuned))["arenas_capped"] is True


def test_what_the_kernel_shows() -> None:
    """Threads are told for each CPU that may be used; the processor's family in one word; the end by its code."""
    state = ProcessState(running=False, exit_code=137, threads=64, arenas=20, cpus=4.0, machine="arm64")
    assert values(facts_of_process(state)) == {
        "process_running": False,
        "ended_by": "sigkill",
        "arenas": 20,
        "threads_per_cpu": 16.0,
        "machine": "aarch64",
    }


def test_the_deployment() -> None:
    """The request is told as a share of the limit; an infinite limit is a known absence."""
    told = values(facts_of_deployment(Deployment(8e9, 2e9, 3, startup_probe=False, liveness_probe=True)))
    assert told == {
        "limit_known": True,
        "request_limit_ratio": 0.25,
        "replicas": 3,
        "startup_probe": False,
        "liveness_probe": True,
    }
    assert values(facts_of_deployment(Deployment(limit_bytes=float("inf"), request_bytes=1.0))) == {
        "limit_known": False
    }


@given(
    state=st.builds(
        ProcessState,
        exit_code=st.none() | st.integers(-5, 300),
        threads=st.none() | st.integers(0, 10**9),
        libraries=st.none() | st.lists(st.text(max_size=5), max_size=3).map(tuple),
        arguments=st.none() | st.lists(st.text(max_size=9) | st.just("--port="), max_size=4).map(tuple),
        environment=st.none() | st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
        cpus=st.none() | st.floats(),
        machine=st.none() | st.text(max_size=5),
        io_pressure_ratio=st.none() | st.floats(0, 1),
    )
)
def test_any_process(state: ProcessState) -> None:
    """Whatever a process shows, its facts are the vocabulary's in name and type."""
    for fact in facts_of_process(state):
        assert FACTS[fact.name].fits(fact.value) and fact.because


ARENAS = FACTS["arenas"].collect.removesuffix("/proc/PID/maps")
THREADED = """
import ctypes, threading
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
ready = threading.Barrier(9)
def work():
    libc.malloc(ctypes.c_size_t(5000))
    ready.wait()
    threading.Event().wait()
for _ in range(8):
    threading.Thread(target=work, daemon=True).start()
ready.wait()
print("ready", flush=True)
input()
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs a Python on glibc")
@pytest.mark.skipif(shutil.which("grep") is None, reason="needs grep")
def test_the_command_that_counts_arenas() -> None:
    """What the vocabulary says to record counts the arenas of a real process: one for each thread that allocates."""
    environment = {"MALLOC_ARENA_MAX": "64", "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(
        [sys.executable, "-c", THREADED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        maps = Path(f"/proc/{process.pid}/maps").read_text()
        count = subprocess.run(["sh", "-c", f"{ARENAS} -"], input=maps, capture_output=True, text=True, check=True)
        process.communicate("\n")
    assert 8 <= int(count.stdout) <= 10
