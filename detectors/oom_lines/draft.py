"""An incident while its lines come in: what they tell together, and what follows from that."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from detectors.oom_lines.fields import Value, amount_bytes
from detectors.oom_lines.signature import Proof
from detectors.types import Incident

KERNEL = frozenset(
    ("kernel_oom_invoked", "kernel_memcg_stats", "kernel_oom_summary", "kernel_oom_kill", "kernel_oom_reaper")
)
ALLOCATION = frozenset(
    [
        "tf_resource_exhausted",
        "tf_bfc_allocator",
        "tf_serving_load_oom",
        "cuda_oom",
        "cpp_bad_alloc",
        "python_memory_error",
        "jvm_oom",
        "go_oom",
    ]
)
_EXITS = frozenset(("process_killed_137", "k8s_status_oomkilled", "docker_oom_event"))
_NODE_KINDS = frozenset(("k8s_evicted", "earlyoom", "kernel_page_alloc_failure"))
_MOST_LINES, _MOST_SENTENCES, _MOST_KILLED = 256, 64, 4096
"""What one incident keeps at most; a log that repeats one for ever must not fill the memory."""
_SAYS: Mapping[str, str] = {
    "kernel_oom_invoked": "{process} asked for memory that could not be had, and the kernel's OOM killer was called",
    "kernel_memcg_stats": "the control group was at its limit: {usage_kb} of {limit_kb} kB, refused {failcnt} times",
    "kernel_oom_kill": "the kernel killed {process} (pid {pid})",
    "kernel_oom_reaper": "the kernel took back the memory of {process} (pid {pid})",
    "kubelet_oom_event": "kubelet or node-problem-detector reports the kernel's kill of {process} (pid {pid})",
    "k8s_status_oomkilled": "the pod's status says OOMKilled with exit status {exit_code}; it may carry over"
    " an earlier child's kill",
    "k8s_evicted": "the node ran low on memory and evicted the pod; that does not say who used it",
    "docker_oom_event": "Docker reports an OOM kill in the container",
    "containerd_oom": "containerd reports an OOM kill in the container",
    "systemd_oom": "systemd reports an OOM kill in {unit}",
    "earlyoom": "earlyoom sent {signal} to {process} (pid {pid}) before the kernel had to act",
    "process_killed_137": "ended by SIGKILL or with status 137, which has other causes than memory",
    "cuda_oom": "an allocation of device memory failed ({requested})",
}


@dataclass(slots=True)
class Draft:
    """One incident in the making."""

    number: int
    kind: str
    line: int
    at: float | None = None
    last_line: int = 0
    kinds: set[str] = field(default_factory=set)
    told: dict[str, Value] = field(default_factory=dict)
    killed: dict[int, None] = field(default_factory=dict)
    """Pids in the order of their kills."""
    selected: int | None = None
    group_kill: bool = False
    proof: set[Proof] = field(default_factory=set)
    processes: tuple[tuple[str, int, int], ...] = ()
    lowest_pid: int | None = None
    lines: list[int] = field(default_factory=list)
    because: list[str] = field(default_factory=list)

    def add(self, kind: str, fields: Mapping[str, Value], at: float | None, line: int, proof: Proof) -> None:
        """Take one more event in."""
        self.kinds.add(kind)
        self.proof.add(proof)
        self.at = at if self.at is None else self.at
        self.last_line = max(line, self.last_line)
        if len(self.lines) < _MOST_LINES:
            self.lines.append(line)
        pid = fields.get("pid")
        if kind == "kernel_oom_kill":
            self.group_kill |= "memcg" in fields
            if isinstance(pid, int):
                if fields.get("stage") == "selected":
                    self.selected = pid
                elif len(self.killed) < _MOST_KILLED:
                    self.killed[pid] = None
        for name, value in fields.items():
            # Who called the OOM killer is not its victim, and a choice gives way to who was killed in its stead.
            if name in ("process", "pid") and (
                kind == "kernel_oom_invoked" or self.killed and pid != next(iter(self.killed))
            ):
                continue
            if name in ("process", "pid") and kind == "kernel_oom_kill":
                self.told[name] = value
            else:
                self.told.setdefault(name, value)
        sentence = self._sentence(kind, fields)
        if sentence not in self.because and len(self.because) < _MOST_SENTENCES:
            self.because.append(sentence)

    def _sentence(self, kind: str, fields: Mapping[str, Value]) -> str:
        if kind == "kernel_oom_summary":
            where = (
                "the node's memory was used up" if self.scope() == "node" else f"the limit of {self.cgroup()} was hit"
            )
            return f"the kernel's summary says that {where} ({fields.get('constraint')})"
        if kind == "kernel_oom_kill" and "memcg" in fields:
            return f"all processes of {fields['memcg']} were killed together (memory.oom.group)"
        if kind == "kernel_oom_kill" and fields.get("stage") == "selected":
            return f"the kernel chose {fields.get('process', '?')} (pid {fields.get('pid', '?')})"
        words = {name: str(value) for name, value in fields.items()}
        if kind == "kernel_memcg_stats" and "usage_kb" not in words:
            return f"a task of {words.get('task_memcg', '?')} was killed at the limit of {words.get('oom_memcg', '?')}"
        said = _SAYS.get(kind, "an allocation failed in the program itself ({requested})")
        return (
            said.format_map(_Unknown(words))
            .replace(" with exit status ?", "")
            .replace(" (?)", "")
            .replace(" (pid ?)", "")
        )

    def cgroup(self) -> str | None:
        """The control group whose limit was hit."""
        for name in ("oom_memcg", "memcg", "cgroup", "task_memcg"):
            if isinstance(path := self.told.get(name), str):
                return path
        return None

    def scope(self) -> str:
        """Whose memory ran out: container, child, node, gpu or process."""
        if self.kinds & KERNEL or "kubelet_oom_event" in self.kinds:
            return self._kernel_scope()
        if self.kinds & ALLOCATION:
            on_gpu = any("gpu" in str(self.told.get(name, "")).lower() for name in ("device", "allocator"))
            return "gpu" if "cuda_oom" in self.kinds or on_gpu else "process"
        if self.kinds & _NODE_KINDS or {"pressure_scope"} & self.told.keys():
            return "node"
        if (
            "process_killed_137" in self.kinds
            and not {"container_id", "pod_uid", "reason", "container"} & self.told.keys()
        ):
            return "container" if self.kinds & (_EXITS - {"process_killed_137"}) else "process"
        return "container"

    def _kernel_scope(self) -> str:
        constraint = self.told.get("constraint")
        if (
            "global_oom" in self.told
            or constraint not in (None, "CONSTRAINT_MEMCG")
            or self.told.get("scope") == "system"
        ):
            return "node"
        limited = self.told.get("oom_memcg")
        if isinstance(limited, str) and "kubepods" in limited and "pod" not in limited.replace("kubepods", ""):
            return "node"  # the limit of all pods together
        if (
            constraint is None
            and "scope" not in self.told
            and not self.kinds & {"kernel_memcg_stats"}
            and limited is None
        ):
            return "node" if "kubelet_oom_event" in self.kinds else "process"
        lives_on = not self.group_kill and not self.kinds & _EXITS and self.killed
        if lives_on and self.lowest_pid is not None and self.lowest_pid not in self.killed:
            return "child"
        return "container"

    def freeze(self) -> Incident:
        """What is known now."""
        told = self.told
        limit = told.get("limit_kb")
        printed = told.get("limit")
        limit_bytes = (
            int(limit) * 1024 if limit is not None else amount_bytes(printed) if isinstance(printed, str) else None
        )
        usage = told.get("usage_kb")
        used = told.get("usage")
        usage_bytes = int(usage) * 1024 if usage is not None else amount_bytes(used) if isinstance(used, str) else None
        pid = told.get("pid")
        return Incident(
            number=self.number,
            scope=self.scope(),
            victim=_text(told.get("process")),
            pid=pid if isinstance(pid, int) else None,
            cgroup=self.cgroup(),
            pod_uid=_text(told.get("pod_uid")),
            container_id=_text(told.get("container_id")),
            limit_bytes=limit_bytes,
            usage_bytes=usage_bytes,
            at=self.at,
            proves_oom=Proof.KILL in self.proof,
            processes=self.processes,
            because=tuple(self.because),
            lines=tuple(self.lines),
        )


class _Unknown(dict[str, str]):
    """Words for a sentence; one that is not known is a question mark."""

    def __missing__(self, name: str) -> str:
        return "?"


def _text(value: Value | None) -> str | None:
    return None if value is None else str(value)
