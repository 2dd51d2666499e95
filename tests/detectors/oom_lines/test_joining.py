"""Messages that mail, terminals and careless copying tore apart or ran together."""

import pytest

from detectors.oom_lines import Scanner
from detectors.types import OomEvent

KILL = (
    "Memory cgroup out of memory: Killed process 2497 (tail) total-vm:6468944kB, anon-rss:3013188kB, file-rss:1676kB,"
    " shmem-rss:0kB, UID:1000 pgtables:12300kB oom_score_adj:0"
)
WANTED = {
    "pid": 2497,
    "process": "tail",
    "total_vm_kb": 6468944,
    "anon_rss_kb": 3013188,
    "uid": 1000,
    "oom_score_adj": 0,
}


def scan(text: str) -> list[OomEvent]:
    scanner = Scanner()
    return scanner.feed(text.encode()) + scanner.finish()


@pytest.mark.parametrize("mark", ["", "> ", "#  ", "     "])
@pytest.mark.parametrize("blank", ["kept", "eaten"])
def test_a_hard_wrap_anywhere_after_the_pid_loses_nothing(mark: str, blank: str) -> None:
    """Wherever the line was wrapped, in a word or at a blank, behind whatever quoting: all fields, and one event."""
    for at in range(KILL.index(" (tail)"), len(KILL)):
        tail = KILL[at:].lstrip(" ") if blank == "eaten" else KILL[at:]
        if (
            KILL[at - 1] == "("
            or KILL[at : at + 1] == ")"
            or KILL[at - 1].isalpha()
            and KILL[at - 4 : at + 4].find("tail") >= 0
        ):
            continue  # in the name itself, a blank more or less cannot be told
        events = scan(
            f"{mark}Jul 22 10:42:40 host kernel: {KILL[:at]}\n{mark}{tail}\n{mark}Jul 22 10:42:41 host next\n"
        )
        assert [{name: event.fields.get(name) for name in WANTED} for event in events] == [WANTED], KILL[:at]


def test_quoted_printable_is_undone() -> None:
    """Mail archives show the transport's encoding: soft breaks and =3D."""
    events = scan(
        "oom-kill:constraint=3DCONSTRAINT_MEMCG,nodemask=3D"
        "(null),cpuset=3D/,me=\nms_allowed=3D0,oom_memcg=3D/a,task_memcg=\n=3D/a,task=3Dx,pid=3D7,uid=3D0\n"
    )
    assert events[0].fields["task_memcg"] == "/a"
    assert events[0].fields["pid"] == 7


def test_glued_lines_are_taken_apart() -> None:
    """Several kernel lines in one physical line give several events, each with its own time."""
    scanner = Scanner(boot=0.0)
    text = (
        b"[1.000000] sh invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0[2.000000] memory:"
        b" usage 9kB, limit 9kB, failcnt 7[3.000000] kmem: usage 0kB"
    )
    events = scanner.feed(text + b"\n") + scanner.finish()
    assert [(event.kind, event.at) for event in events] == [("kernel_oom_invoked", 1.0), ("kernel_memcg_stats", 2.0)]


def test_the_next_record_is_no_continuation() -> None:
    """A line with a time of its own is never joined to the one before."""
    events = scan("[ 1.0] Killed process 5 (a) total-vm:1kB, anon-rss:1kB\n[ 1.1] , file-rss:77kB\n")
    assert "file_rss_kb" not in events[0].fields


@pytest.mark.parametrize(
    ("text", "kind", "fields"),
    [
        (
            "<jemalloc>: Error in malloc(): out of memory\n Requested: 2065019520\n",
            "cpp_bad_alloc",
            {"requested_bytes": 2065019520},
        ),
        (
            "# W cpu_allocator_impl.cc:81] Allocation of 1207959552\n#   exceeds 10% of free system memory.\n",
            "tf_bfc_allocator",
            {"requested_bytes": 1207959552},
        ),
        (
            "[1.0] Task in /docker/ab\nkilled as a result of limit of /docker/\nab\n",
            "kernel_memcg_stats",
            {"task_memcg": "/docker/ab", "oom_memcg": "/docker/ab"},
        ),
    ],
)
def test_messages_over_two_lines(text: str, kind: str, fields: dict[str, object]) -> None:
    """Messages whose field stands on a later line than their phrase."""
    (event,) = scan(text)
    assert event.kind == kind
    assert {name: event.fields.get(name) for name in fields} == fields
    assert event.lines == text.count("\n")


def test_a_message_is_found_by_its_later_line() -> None:
    """Where the wrap left nothing telling on the first line, the second finds it."""
    (event,) = scan("# W cpu_allocator_impl.cc:81] Allocation of\n# 1207959552 exceeds 10% of free system memory.\n")
    assert (event.line, event.lines) == (1, 2)
    assert event.fields["requested_bytes"] == 1207959552
