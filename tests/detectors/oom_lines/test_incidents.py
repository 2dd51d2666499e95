"""Which lines are one incident, and what the incident says."""

from detectors.oom_lines import Scanner
from detectors.types import Incident

ID = "9192cb33411ff69d015a3577db136757f5b145064a1703efea3d0e12e8a64987"
UID = "a5d8fdd1-1369-469e-8a7d-2c1047529435"
SLICE = f"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{UID.replace('-', '_')}.slice"
TASK = f"{SLICE}/cri-containerd-{ID}.scope"


def incidents(*lines: str) -> list[Incident]:
    scanner = Scanner(boot=0.0)
    scanner.feed("".join(f"{line}\n" for line in lines).encode())
    scanner.finish()
    return scanner.incidents()


def dump(oom_memcg: str, *, victim: int = 7788, tasks: tuple[int, ...] = (7788,), at: float = 10.0) -> list[str]:
    rows = [f"[{at:.6f}] [{pid:7d}]     0  {pid}   1000  {pid}  4096        0          1000 proc{pid}" for pid in tasks]
    return [
        f"[{at:.6f}] caller invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=1000",
        f"[{at:.6f}] memory: usage 7464436kB, limit 7464436kB, failcnt 1133",
        f"[{at:.6f}] Memory cgroup stats for {oom_memcg}:",
        f"[{at:.6f}] Tasks state (memory values in pages):",
        f"[{at:.6f}] [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
        *rows,
        f"[{at:.6f}] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask="
        f"(null),cpuset=x,mems_allowed=0,oom_memcg={oom_memcg},task_memcg={TASK},task=proc{victim},pid={victim},uid=0",
        f"[{at:.6f}] Memory cgroup out of memory: Killed process {victim} (proc{victim}) total-vm:9kB,"
        f" anon-rss:8kB, file-rss:1kB, shmem-rss:0kB, UID:0 pgtables:4kB oom_score_adj:1000",
    ]


def test_a_dump_and_all_reports_of_it_are_one_incident() -> None:
    """Kernel, systemd, containerd, kubelet and the pod's status tell of one kill, and each adds what it knows."""
    (told,) = incidents(
        *dump(TASK),
        f"systemd[1]: cri-containerd-{ID}.scope: A process of this unit has been killed by the OOM killer.",
        f'containerd[2723]: time="x" level=info msg="TaskOOM event container_id:\\"{ID}\\""',
        "kubelet: System OOM encountered, victim process: proc7788, pid: 7788",
        "      Container ID:  containerd://" + ID,
        "      Last State:     Terminated",
        "        Reason:       OOMKilled",
        "        Exit Code:    137",
    )
    assert (told.scope, told.victim, told.pid, told.pod_uid, told.container_id) == (
        "container",
        "proc7788",
        7788,
        UID,
        ID,
    )
    assert told.limit_bytes == 7464436 * 1024
    assert told.processes == (("proc7788", 7788, 7788 * 4096),)
    assert told.proves_oom
    assert len(told.lines) == 8
    assert all("?" not in sentence for sentence in told.because)


def test_a_process_that_is_not_the_containers_first_is_a_child() -> None:
    """The container lives on, and its status may say OOMKilled much later for another reason."""
    (told,) = incidents(*dump(TASK, victim=900, tasks=(7, 900, 950)))
    assert told.scope == "child"
    (told,) = incidents(
        *dump(TASK, victim=900, tasks=(7, 900)), f"Tasks in {TASK} are going to be killed due to memory.oom.group set"
    )
    assert told.scope == "container"


def test_the_limit_of_all_pods_is_the_nodes() -> None:
    """oom_memcg=/kubepods.slice says that the node ran out, whichever pod the victim was in."""
    (told,) = incidents(*dump("/kubepods.slice"))
    assert told.scope == "node"
    (told,) = incidents("[1.0] Out of memory: Killed process 2829 (rustc) total-vm:9kB, anon-rss:8kB, file-rss:0kB")
    assert told.scope == "node"


def test_two_kills_are_two_incidents() -> None:
    """Each dump opens its own, and the reaper of the first finds its way back."""
    first, second = incidents(
        *dump(TASK),
        *dump(TASK, victim=8000, at=11.0),
        "[12.0] oom_reaper: reaped process 7788 (proc7788), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB",
    )
    assert (first.pid, second.pid) == (7788, 8000)
    assert len(first.lines) == 5
    assert first.processes[0][0] == "proc7788"


def test_who_was_chosen_gives_way_to_who_was_killed() -> None:
    """Before 4.19 the kernel may choose a process and kill its child."""
    (told,) = incidents(
        "[1.0] Memory cgroup out of memory: Kill process 10 (parent) score 900 or sacrifice child",
        "[1.0] Killed process 11 (child) total-vm:9kB, anon-rss:8kB, file-rss:0kB",
    )
    assert (told.victim, told.pid) == ("child", 11)


def test_the_group_is_killed_once() -> None:
    """With memory.oom.group the victim is logged twice, and others with it: one incident."""
    (told,) = incidents(
        *dump(TASK),
        f"[10.1] Tasks in {TASK} are going to be killed due to memory.oom.group set",
        "[10.1] Memory cgroup out of memory: Killed process 7788 (proc7788) total-vm:9kB, anon-rss:8kB, file-rss:1kB",
        "[10.1] Memory cgroup out of memory: Killed process 7789 (other) total-vm:9kB, anon-rss:8kB, file-rss:1kB",
    )
    assert (told.victim, told.pid) == ("proc7788", 7788)


def test_137_alone_proves_nothing() -> None:
    """gunicorn's guess, a bare 137 and a pod's status are symptoms."""
    for line in (
        "[ERROR] Worker (pid:66) was sent SIGKILL! Perhaps out of memory?",
        "exited with code 137",
        "      Reason:       OOMKilled",
    ):
        (told,) = incidents(line)
        assert not told.proves_oom


def test_scopes_of_other_families() -> None:
    """Device memory is the GPU's, an exception is the process's, an eviction is the node's."""
    for line, scope in (
        ("RuntimeError: CUDA out of memory. Tried to allocate 12.50 MiB (GPU 0; 10.92 GiB total capacity)", "gpu"),
        ("OOM when allocating tensor with shape[1,2] and type float on /device:GPU:0 by allocator GPU_0_bfc", "gpu"),
        ("MemoryError", "process"),
        ("The node was low on resource: memory.", "node"),
        ('earlyoom[1]: sending SIGTERM to process 9 uid 1 "java": badness 9, VmRSS 4 MiB', "node"),
    ):
        (told,) = incidents(line)
        assert (told.scope, told.proves_oom) == (scope, line.startswith("earlyoom"))


def test_a_burst_of_failed_allocations_is_one_incident() -> None:
    """TensorFlow's allocator, its operation and the C++ runtime tell of one failure."""
    assert (
        len(
            incidents(
                "Allocation of 4294967296 exceeds 10% of free system memory.",
                "terminate called after throwing an instance of 'std::bad_alloc'",
                "  what():  std::bad_alloc",
            )
        )
        == 1
    )


def test_the_five_largest_processes_stand_in_order() -> None:
    """Of a table of any length, by resident memory."""
    (told,) = incidents(*dump(TASK, victim=900, tasks=(5, 900, 7, 800, 6, 100, 50)))
    assert [pid for _, pid, _ in told.processes] == [900, 800, 100, 50, 7]


def test_the_first_process_of_a_container_takes_it_along() -> None:
    """The victim that is the container's oldest is no child; a pod's sandbox does not count as older."""
    (told,) = incidents(*dump(TASK, victim=7, tasks=(7, 900)))
    assert told.scope == "container"
    lines = [line.replace("proc3", "pause") for line in dump(TASK, victim=7, tasks=(3, 7, 900))]
    (told,) = incidents(*lines)
    assert told.scope == "container"


def test_a_report_hours_later_is_another_incident() -> None:
    """The same container may be killed again; its status of tonight does not belong to this morning's dump."""
    scanner = Scanner()
    for stamp in ("2020-03-05T12:00:00+00:00", "2020-03-05T12:00:09+00:00", "2020-03-05T18:00:00+00:00"):
        scanner.feed(f'{stamp} n containerd[1]: msg="TaskOOM event container_id:\\"{ID}\\""\n'.encode())
    assert [len(told.lines) for told in scanner.incidents()] == [2, 1]
