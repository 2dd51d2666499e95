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
