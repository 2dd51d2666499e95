"""The fields of an event: their types and units, and what a cgroup path tells."""

from collections.abc import Callable, Mapping

from detectors.oom_lines.matching import Match, Pattern

Value = str | int | float | bool

# From this on a limit in kB is the kernel's "none": PAGE_COUNTER_MAX is LONG_MAX in pages, 9007199254740988 kB with
# 4 KiB pages, 9007199254740928 kB with 64 KiB pages (include/linux/page_counter.h).
NO_LIMIT_KB = 1 << 52
COMM_LENGTH = 15
"""Bytes of a command name: TASK_COMM_LEN is 16 with its NUL (include/linux/sched.h)."""

_POD_UID = Pattern(
    r"pod(?P<pod_uid>[0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}|[0-9a-f]{32})"
)
_CONTAINER_ID = Pattern(r"(?:^|[^0-9a-f])(?P<container_id>[0-9a-f]{64})")
_SHORT_ID = Pattern(r"(?:cri-containerd|crio|docker|libpod)[-:](?P<container_id>[0-9a-f]{12,64})")
_AMOUNT = Pattern(r"^\s*(?P<number>[0-9]+\.?[0-9]*|\.[0-9]+)\s*(?P<unit>[kKMGTP]?)(?P<rest>i?[Bb]?(?:ytes?)?)")
_DIM = Pattern(r"size:\s*(?P<size>-?[0-9]+)")
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}


def text(raw: bytes) -> str:
    """Bytes of a log as text; what is no UTF-8 becomes U+FFFD, a NUL too."""
    return raw.decode("utf-8", "replace").replace("\0", "\ufffd")


def _comm(raw: bytes) -> str:
    """A command name from the text before " invoked oom-killer": at most 15 bytes, which may hold blanks, / : [ ].

    What no prefix pattern took away (a quote, an unknown prefix) is cut at the last boundary within that length.
    """
    name = raw.strip().lstrip(b"\"'`>#*\\ \t")
    if len(name) > COMM_LENGTH:
        before, name = name[: -COMM_LENGTH - 1], name[-COMM_LENGTH - 1 :]
        for boundary in (b"] ", b": ", b'"', b" "):
            _, found, tail = name.rpartition(boundary)
            if found and tail and not (boundary == b" " and not before):
                name = tail
                break
        name = name[-COMM_LENGTH:]
    return text(name.strip())


def _process(raw: bytes) -> str:
    """A name that stands in quotes, which a wrapped line of a program's source may have doubled."""
    return text(raw.strip().strip(b"\"'` "))


def _path(raw: bytes) -> str:
    return text(raw.strip().rstrip(b"\"'`,;:\\"))


def _shape(raw: bytes) -> str:
    """A tensor's shape as printed; the protobuf form ``dim { size: 3 } dim { size: 4 }`` as [3,4]."""
    sizes = [text(found.groups["size"]) for found in _DIM.matches(raw)]
    return f"[{','.join(sizes)}]" if sizes else text(raw)


def _pod_uid(raw: bytes) -> str:
    return text(raw).replace("_", "-")


_TYPES: Mapping[str, Callable[[bytes], Value]] = {
    **dict.fromkeys(
        [
            "pid",
            "uid",
            "total_vm_kb",
            "anon_rss_kb",
            "file_rss_kb",
            "shmem_rss_kb",
            "pgtables_kb",
            "oom_score_adj",
            "oom_adj",
            "oom_score",
            "badness",
            "score",
            "order",
            "usage_kb",
            "limit_kb",
            "failcnt",
            "exit_code",
            "restart_count",
            "requested_bytes",
            "in_use_bytes",
            "errno",
            "processes",
        ],
        int,
    ),
    **dict.fromkeys(["pressure_pct", "limit_pct", "rss_mib"], float),
    "comm": _comm,
    "process": _process,
    "task_memcg": _path,
    "oom_memcg": _path,
    "memcg": _path,
    "cgroup": _path,
    "tensor_shape": _shape,
    "pod_uid": _pod_uid,
}
"""What makes a field's value from its bytes; a name that is not here is text."""


def amount_bytes(printed: str) -> int | None:
    """Bytes of a printed amount: "2.20GiB", "12.50 MiB", "7.81G" and "256 MB" count in 1024 as these programs do.

    The result is rounded down as the program rounded its digits; None where the text is no amount.
    """
    found = _AMOUNT.search(printed.encode())
    if found is None:
        return None
    power = _POWERS[text(found.groups["unit"]).lower()]
    return int(float(found.groups["number"]) * 1024**power)


def from_cgroup(path: str) -> dict[str, Value]:
    """Pod uid and container id that a cgroup path names.

    Layouts: cgroupfs and systemd drivers, containerd, CRI-O and Docker. A kind node nests its own kubepods under the
    outer container's path, so the last id counts.
    """
    told: dict[str, Value] = {}
    raw = path.encode()
    for pattern in (_POD_UID, _SHORT_ID, _CONTAINER_ID):
        for found in pattern.matches(raw):
            told.update({name: _TYPES.get(name, text)(value) for name, value in found.groups.items()})
    return told


def read(match: Match) -> dict[str, Value]:
    """The fields of a match, typed; a number too long to be one is left out."""
    told: dict[str, Value] = {}
    for group, raw in match.groups.items():
        name = group.rstrip("0123456789").rstrip("_") if group[-1].isdigit() else group
        try:
            value = _TYPES.get(name, text)(raw)
        except ValueError:
            continue
        if isinstance(value, int) and abs(value) >= 1 << 63 or name == "limit_kb" and int(value) >= NO_LIMIT_KB:
            continue
        told.setdefault("process" if name == "comm" else name, value)
    return _with_implied(told)


def _with_implied(told: dict[str, Value]) -> dict[str, Value]:
    """Add what the fields imply: ids from the task's cgroup, bytes from a printed amount."""
    for name in ("oom_memcg", "cgroup", "unit", "memcg", "task_memcg"):
        if isinstance(path := told.get(name), str):
            for key, value in from_cgroup(path).items():
                told.setdefault(key, value) if name in ("cgroup", "unit") else told.update({key: value})
    requested = told.get("requested")
    if isinstance(requested, str) and (approximate := amount_bytes(requested)) is not None:
        told["requested_bytes_approx"] = approximate
    return told
