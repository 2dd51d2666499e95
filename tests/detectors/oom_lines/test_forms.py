"""Forms of a line beyond its signature's example: other versions and languages, cut short, half a sentence."""

import pytest

from detectors.oom_lines import Scanner

POD = b"""state:
  terminated:
    exitCode: 137
    reason: OOM Killed
"""


@pytest.mark.parametrize(
    ("kind", "text", "fields"),
    [
        ("kubelet_oom_event", "manager.go:1126] Created an OOM event in containe", {}),
        (
            "systemd_oom",
            "systemd-oomd[7]: Marked /system.slice/a.service for killing due to memory pressure for /system.slice"
            " being 85.03% > 80.00% for > 2s with reclaim activity",
            {"pressure_pct": 85.03},
        ),
        ("earlyoom", "Low memory! Killing process 4711 model-server.", {"pid": 4711, "process": "model-server"}),
        (
            "go_oom",
            "runtime: VirtualAlloc of 299704320 bytes failed with errno=1455\nfatal error: out of memory",
            {"requested_bytes": 299704320},
        ),
        (
            "tf_resource_exhausted",
            "resource exhausted: oom when allocating tensor with shape[16,112] and type float",
            {"tensor_shape": "[16,112]", "dtype": "float"},
        ),
        ("tf_bfc_allocator", "E bfc_allocator.cc:244] tried to allocate 4096 bytes", {"requested_bytes": 4096}),
        ("python_memory_error", "2025-04-07 17:14:23 ERROR ('could not answer:', MemoryError())", {}),
        (
            "python_memory_error",
            "MemoryError: Unable to allocate 48.9 PiB for an array with shape (9, 9) and data type int16.",
            {"dtype": "int16"},
        ),
        (
            "jvm_oom",
            "os::commit_memory(0x00007fc1b8917000, 262144, 0) failed; error='\u65e0\u6cd5\u5206\u914d' (errno=12)",
            {"requested_bytes": 262144},
        ),
        ("cuda_oom", "Tried to allocate 20.00 MiB (GPU 1; 1.96 GiB total capacity; 2.88 MiB free)", {"gpu": "1"}),
        ("cuda_oom", "Cuda error: cudaMalloc weights failed: out of memory.", {}),
        ("containerd_oom", '/tasks/oom {"container_id":"web"}', {"container_id": "web"}),
        ("process_killed_137", "Exit code 137", {"exit_code": 137}),
        ("process_killed_137", "ERROR: Job failed: exit code 137", {"exit_code": 137}),
        ("process_killed_137", "web-1\tExited (137) 24 minutes ago", {"exit_code": 137}),
    ],
)
def test_the_form_is_found_with_its_fields(kind: str, text: str, fields: dict[str, object]) -> None:
    """Each of these was missed once, in material that nobody had seen before."""
    scanner = Scanner()
    events = scanner.feed(text.encode() + b"\n") + scanner.finish()
    assert kind in [event.kind for event in events]
    found = next(event.fields for event in events if event.kind == kind)
    assert {name: found.get(name) for name in fields} == fields


def test_the_reason_in_two_words_is_the_same_reason() -> None:
    """Kubernetes before 1.2 wrote "OOM Killed"; its exit code beside is no event of its own."""
    scanner = Scanner()
    events = scanner.feed(POD) + scanner.finish()
    assert [event.kind for event in events] == ["k8s_status_oomkilled"]
    assert events[0].fields["exit_code"] == 137


def _told(text: str) -> list[tuple[str, dict[str, object]]]:
    scanner = Scanner()
    events = scanner.feed(text.encode() + b"\n") + scanner.finish()
    return [(event.kind, dict(event.fields)) for event in events]


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        (
            "kernel_oom_kill",
            ["No available memory in cpuset: Killed process 12 (a).", "ess 450 (a) score 38 or a child"],
        ),
        (
            "kubelet_oom_event",
            [
                '"Got sys oom event" event={"pid":12,"processName":"java","timeOfDeath":"2021-01-01"}',
                '"message":"Memory cgroup out of memory: Kill process 12 (a) score 1 or a child","reason":"OOMKilling"',
            ],
        ),
        (
            "k8s_status_oomkilled",
            [
                "{'terminated': {'exit_code': 137, 'reason': 'OOMKilled'}}",
                "web-1-x2x4z   main   OOMKilled   137",
                "  The previous instance of the container 'web' (docker://12) was OOMKilled",
                "container base terminated with reason OOMKilled",
            ],
        ),
        (
            "k8s_evicted",
            ["The node was low on compute resources.", "2m  Warning  X  node/n  Attempting to reclaim memory"],
        ),
        (
            "docker_oom_event",
            [
                "{'status': 'oom', 'id': '0123456789ab'}",
                "Type=container Status=oom ID=0123456789ab",
                "2015-12-22T01:24:58Z 0123456789ab: (from python:3) oom",
                r'msg="received containerd event: &types.Event{Type:\"oom\", Id:\"0123456789ab\"}"',
                "$ docker inspect -f '{{.State.OOMKilled}}' web\ntrue",
            ],
        ),
        (
            "containerd_oom",
            [
                '{"Topic":"/tasks/oom","Event":"{\\"container_id\\":\\"2b3c4d5e6f70\\"}"}',
                "<ninfo>: OOM received",
                r"namespace - \"k8s.io\", topic - \"/tasks/oom\"",
            ],
        ),
        (
            "systemd_oom",
            [
                "A process of unit a.service has been killed by the Linux kernel out-of-memory (OOM)",
                "The unit a.service has entered the 'failed' state with result 'oom-kill'.",
            ],
        ),
        (
            "tf_serving_load_oom",
            [
                "did not become available: {{{name: m version: 1} due to error: Resource exhausted: OOM when",
                "Loading servable: {name: m version: 3} failed: INTERNAL: CUDA_ERROR_OUT_OF_MEMORY: out of memory",
                '"error_code": "RESOURCE_EXHAUSTED",\n  "error_message": "OOM when allocating tensor with shape[1]"',
            ],
        ),
        (
            "cuda_oom",
            [
                "THCudaCheck FAIL file=a.cu line=58 error=2 : out of memory",
                "Check failed: error == cudaSuccess (2 vs. 0)  out of memory",
                "[TRT] Error Code 1: Cuda Runtime (out of memory)",
                "cudaMalloc retry failed: out of memory",
                "torch.OutOfMemoryError: Allocation on device",
                "NCCL Error 1: unhandled cuda error (out of memory)",
                "level_zero backend failed with error: 39 (UR_RESULT_ERROR_OUT_OF_DEVICE_MEMORY)",
                "ggml_gallocr_reserve_n: failed to allocate CUDA0 buffer of size 1073741824",
            ],
        ),
        (
            "cpp_bad_alloc",
            [
                'C++ exception with description "std::bad_alloc" thrown in the test body.',
                "cc1plus: out of memory allocating 65536 bytes after a total of 1073741824 bytes",
                "fork/exec /bin/x: cannot allocate memory",
                "-bash: fork: Nicht gen\u00fcgend Hauptspeicher verf\u00fcgbar",
                "could not fork new process for connection: Cannot allocate memory",
                'DETAIL:  Failed on request of size 16384 in memory context "ExecutorState".',
            ],
        ),
        ("jvm_oom", ["io.netty.util.internal.OutOfDirectMemoryError: failed to allocate 16777216 byte(s)"]),
        (
            "go_oom",
            [
                "fatal error: failed to reserve page summary memory",
                '{"msg":"child died","stderr":"runtime: out of memory: cannot allocate 4096-byte block"}',
            ],
        ),
        (
            "process_killed_137",
            [
                "npm error code 137",
                "stress: FAIL: [17272] (415) <-- worker 17273 got signal 9",
                "Container called exit(137).",
                "INFO exited: web (exit status 137; not expected)",
                '"type":"exit","pid":"init","status":137',
                "failed (exitcode: -9) local_rank: 0 (pid: 123) of binary: python3",
                "[1]    12345 killed     python x.py",
                "./run.sh: line 3: 12345 Get\u00f6tet                python x.py",
                "\u5df2\u6740\u6b7b",
                "   Main PID: 123 (code=killed, signal=KILL)",
            ],
        ),
    ],
)
def test_what_the_emitters_sources_print_is_found(kind: str, texts: list[str]) -> None:
    """Forms of old versions, of other renderings and of other programs of the same kind."""
    assert {text: kind in [told for told, _ in _told(text)] for text in texts} == dict.fromkeys(texts, True)
