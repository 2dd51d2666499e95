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


@pytest.mark.parametrize(
    ("text", "kind", "fields"),
    [
        # a word cut in two by the width of a terminal: neither line alone holds what the kind is known by
        ("[139.201360] memory: us\nage 7464436kB, limit 7464436kB, failcnt 11", "kernel_memcg_stats", {"failcnt": 11}),
        ("kernel: [139.201253] bash invok\ned oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0", "kernel_oom_invoked",
         {"process": "bash", "order": 0}),
        ("oracle-ohasd.service: Failed with result\n'oom-kill'.", "systemd_oom", {"unit": "oracle-ohasd.service"}),
        ("> goes.vnetd[3516]: fatal error: runtime: out\n> of memory", "go_oom", {}),
        # a value that the cut left whole to the eye
        ("> [133747.719737] oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),task=chromium,pid=27368,uid=10\n00",
         "kernel_oom_summary", {"uid": 1000}),
        ("# MemoryError: Unable to allocate 8.57 GiB for an array with shape (143850, 8000) and data type floa\nt64",
         "python_memory_error", {"dtype": "float64"}),
        # soft line breaks and encoded signs of mail (RFC 2045)
        ("[64377.426677] apt-check invoked oom-ki=\nller: gfp_mask=3D0x201da, order=3D0, oom_adj=3D0",
         "kernel_oom_invoked", {"process": "apt-check", "order": 0}),
        # a program's source
        ('        "Killed /user.slice/user-1000.slice/a.service \\\n          due to memory pressure for /user.slice'
         ' being \\\n          60.13% > 50.00% for > 20s",',
         "systemd_oom", {"cgroup": "/user.slice/user-1000.slice/a.service"}),
    ],
)  # fmt: skip
def test_a_line_that_was_cut_anywhere_is_put_together(text: str, kind: str, fields: dict[str, object]) -> None:
    """Terminals, mail and editors cut lines in words, numbers and literals; the event is whole again."""
    scanner = Scanner()
    events = scanner.feed(text.encode() + b"\n") + scanner.finish()
    assert [event.kind for event in events] == [kind]
    assert {name: events[0].fields[name] for name in fields} == fields


@pytest.mark.parametrize("after", ["Killed", "Traceback (most recent call last):", "", "[2026-03-01 10:00:00] 64"])
def test_the_next_line_is_not_taken_for_the_rest_of_a_word(after: str) -> None:
    """What follows a whole line, of its own or with a time, stays out of its last value."""
    line = "_ArrayMemoryError: Unable to allocate 94.9 MiB for an array with shape (2160, 3) and data type float32"
    scanner = Scanner()
    events = scanner.feed(f"{line}\n{after}\n".encode()) + scanner.finish()
    assert events[0].fields["dtype"] == "float32" and events[0].lines == 1


SERVER = "Memory cgroup out of memory: Killed process 8283 (model-server) total-vm:217336kB, anon-rss:204272kB"
SUMMARY = (
    "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/kubepods/burstable/"
    "pod12345678-1234-1234-1234-123456789abc,task_memcg=/kubepods/burstable/"
    "pod12345678-1234-1234-1234-123456789abc/" + 64 * "a" + ",task=model-server,pid=8283,uid=0"
)
LIMIT = "Task in /kubepods/" + 64 * "a" + "/" + 64 * "b" + " killed as a result of limit of /kubepods/" + 64 * "c"


@pytest.mark.parametrize("width", range(61, 140, 7))
@pytest.mark.parametrize("text", [SERVER, SUMMARY, LIMIT], ids=["kill", "summary", "limit"])
@pytest.mark.parametrize("mark", ["", "="], ids=["terminal", "mail"])
def test_a_line_cut_at_any_column_keeps_its_names_and_paths(text: str, width: int, mark: str) -> None:
    """A column or a soft break may cut a name, a number or a path anywhere."""
    whole = Scanner()
    want = (whole.feed(text.encode() + b"\n") + whole.finish())[0]
    cut = f"{mark}\n".join(text[at : at + width] for at in range(0, len(text), width))
    scanner = Scanner()
    events = scanner.feed(cut.encode() + b"\n") + scanner.finish()
    assert [(event.kind, event.fields) for event in events] == [(want.kind, want.fields)]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (
            "systemd_oom",
            "systemd-oomd[7]: Marked\n/user.slice/a.scope\nfor killing due to memory pressure for\n/user.slice",
        ),
        (
            "systemd_oom",
            "systemd-oomd[7]: Killed /user.slice/" + 40 * "a" + "\n/b.scope due to\nmemory pressure for /user.slice",
        ),
        (
            "tf_serving_load_oom",
            "E retrier.cc:37] Loading servable: {name: m\nversion: 1} failed: Resource exhausted: OOM when",
        ),
        (
            "kernel_oom_summary",
            '"oom-kill:constraint=CONSTRAINT_MEMCG,"\n    "task_memcg=/system.slice/a.service,task=b,pid=1"',
        ),
        ("earlyoom", 'sending SIGKILL to process 9001 uid 0\n"Xorg": badness 44, VmRSS 310 MiB'),
        ("containerd_oom", 'msg="Tas\nkOOM event container_id:\\"0527c6dd14e504ab8c406806e0ce182a\\""'),
    ],
)
def test_a_message_wrapped_before_what_tells_of_it_is_found(kind: str, text: str) -> None:
    """The words by which a line is known may stand on its second or third, or be cut themselves."""
    scanner = Scanner()
    events = scanner.feed(text.encode() + b"\n") + scanner.finish()
    assert [event.kind for event in events] == [kind]


@pytest.mark.parametrize(
    "carrier",
    ["2022-01-02T03:04:05.0607Z stderr F {}", '{{"log":"{}\\n","stream":"stderr","time":"2022-01-02T03:04:05.0607Z"}}'],
    ids=["cri", "docker"],
)
def test_a_line_indented_behind_its_time_goes_on_with_the_one_before(carrier: str) -> None:
    """What carries a log line by line gives each line of one message a time."""
    scanner = Scanner()
    lines = ("<jemalloc>: Error in malloc(): out of memory", " Requested: 4294967296")
    events = scanner.feed("".join(carrier.format(line) + "\n" for line in lines).encode()) + scanner.finish()
    assert [event.fields.get("requested_bytes") for event in events] == [4294967296]
