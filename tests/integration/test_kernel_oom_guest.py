"""Real kills by the kernel of a guest with cgroup v2: a whole container, a child alone, and the node out of memory."""

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "leakwatch" / "guest-kernel" / "boot"
KERNELS = sorted(CACHE.glob("vmlinuz-*"))
TOOLS = [name for name in ("qemu-system-x86_64", "busybox") if shutil.which(name) is None]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(TOOLS), reason=f"needs {' and '.join(TOOLS)} (qemu-system-x86, busybox-static)"),
    pytest.mark.skipif(not KERNELS, reason="needs a kernel for the guest: .ci/guest_kernel fetches one"),
]

BOOT_SECONDS = 1_790_000_000.0
LIMIT_BYTES = 64 * 2**20
POD = "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod3f1c9e2a_1111_2222_3333_0123456789ab.slice"
POD_UID = "3f1c9e2a-1111-2222-3333-0123456789ab"
WHOLE, CHILD = "4f5e6d7c8b9a" * 5 + "0123", "c0ffee112233" * 5 + "4455"

INIT = f"""#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t devtmpfs devtmpfs /dev
mount -t sysfs sysfs /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
stty -F /dev/ttyS1 raw
cat /dev/kmsg > /dev/ttyS1 &
cd /sys/fs/cgroup
folder=.
for part in $(echo {POD} | tr / ' '); do
    echo +memory > $folder/cgroup.subtree_control
    folder=$folder/$part
    mkdir $folder
done
echo +memory > $folder/cgroup.subtree_control
for id in {WHOLE} {CHILD}; do
    mkdir $folder/cri-containerd-$id.scope
    echo {LIMIT_BYTES} > $folder/cri-containerd-$id.scope/memory.max
done
echo 1 > $folder/cri-containerd-{WHOLE}.scope/memory.oom.group

cat > /eat <<'END'
echo "$1 $$" > /dev/ttyS0
[ -z "$2" ] || echo $$ > $2/cgroup.procs
printf "$1" > /proc/self/comm
kept=0123456789abcdef
while :; do kept=$kept$kept; done
END
sh -c "echo \\$\\$ > $folder/cri-containerd-{WHOLE}.scope/cgroup.procs; sleep 1000 & sh /eat tensorflow_mode; wait"
sh -c "echo \\$\\$ > $folder/cri-containerd-{CHILD}.scope/cgroup.procs; sh /eat 'worker [1]'; sleep 1"
sh /eat greedy
sleep 2
poweroff -f
"""

Event = dict[str, Any]


@dataclass(frozen=True)
class Guest:
    """What one boot left behind: the kernel's raw messages, who had which pid, and what a follower printed."""

    messages: Path
    pids: dict[str, int]
    followed: list[Event]


@pytest.fixture(scope="module")
def guest(tmp_path_factory: pytest.TempPathFactory) -> Guest:
    """Boot, let the kernel kill, switch off; `leakwatch logs -f` watches the serial line meanwhile."""
    folder = tmp_path_factory.mktemp("guest")
    root = folder / "root"
    for name in ("bin", "proc", "sys", "dev"):
        (root / name).mkdir(parents=True)
    shutil.copy(shutil.which("busybox") or "", root / "bin" / "busybox")
    (root / "init").write_text(INIT)
    (root / "init").chmod(0o755)
    names = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*"))) + "\n"
    packing = ["busybox", "cpio", "-o", "-H", "newc"]
    packed = subprocess.run(packing, cwd=root, input=names.encode(), capture_output=True, check=True).stdout
    (folder / "initrd.gz").write_bytes(gzip.compress(packed, 1))
    console, messages = folder / "console.txt", folder / "kmsg.txt"
    machine = ["qemu-system-x86_64", "-accel", "tcg", "-m", "256", "-smp", "1", "-nic", "none", "-no-reboot"]
    machine += ["-display", "none", "-monitor", "none", "-serial", f"file:{console}", "-serial", f"file:{messages}"]
    machine += ["-kernel", str(KERNELS[-1]), "-initrd", str(folder / "initrd.gz")]
    machine += ["-append", "console=ttyS0 panic=-1 psi=1 quiet"]
    watching = [sys.executable, "-m", "leakwatch", "logs", "-f", str(messages), "-o", "json"]
    with (folder / "followed.json").open("w+") as printed, subprocess.Popen(watching, stdout=printed) as watcher:
        try:
            subprocess.run(machine, check=True, timeout=300, stdin=subprocess.DEVNULL)
            last = messages.read_bytes().splitlines()[-1]
            assert last
            wait_until_quiet(folder / "followed.json")
        finally:
            watcher.send_signal(signal.SIGINT)
        watcher.wait(60)
        printed.seek(0)
        followed = [json.loads(line) for line in printed]
    words = [line.rsplit(" ", 1) for line in console.read_text(errors="replace").splitlines()]
    pids = {pair[0]: int(pair[1]) for pair in words if len(pair) == 2 and pair[1].isdigit()}
    return Guest(messages, pids, followed)


def wait_until_quiet(path: Path) -> None:
    """The follower has told all when the file has not grown for some of its looks."""
    import time

    deadline = time.monotonic() + 60
    size, since = -1, time.monotonic()
    while time.monotonic() - since < 3:
        assert time.monotonic() < deadline
        if path.stat().st_size != size:
            size, since = path.stat().st_size, time.monotonic()
        time.sleep(0.05)


def told(guest: Guest, *flags: str) -> list[Event]:
    command = [
        sys.executable,
        "-m",
        "leakwatch",
        "logs",
        str(guest.messages),
        "-o",
        "json",
        "--boot",
        str(BOOT_SECONDS),
    ]
    done = subprocess.run([*command, *flags], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def kills(events: list[Event], pid: int) -> list[Event]:
    return [event for event in events if event["kind"] == "kernel_oom_kill" and event.get("pid") == pid]


def test_a_container_killed_as_a_whole_is_one_incident(guest: Guest) -> None:
    """memory.oom.group: the victim is logged twice and its neighbours too, and all of it is one proven incident."""
    events = told(guest)
    first, *again = kills(events, guest.pids["tensorflow_mode"])
    assert first["process"] == "tensorflow_mode"
    assert first["proves_oom"] is True
    assert BOOT_SECONDS < first["at"] < BOOT_SECONDS + 300
    assert {event["incident"] for event in again} <= {first["incident"]}
    [summary] = [e for e in events if e["kind"] == "kernel_oom_summary" and e["incident"] == first["incident"]]
    assert (summary["container_id"], summary["pod_uid"]) == (WHOLE, POD_UID)
    assert summary["task_memcg"] == summary["oom_memcg"] == f"/{POD}/cri-containerd-{WHOLE}.scope"


def test_the_summary_tells_container_child_and_node_apart(guest: Guest) -> None:
    """Three kills, three incidents: each with its victim, and a limit only where a limit was hit."""
    by_pid = {incident["pid"]: incident for incident in told(guest, "--summary")}
    whole = by_pid[guest.pids["tensorflow_mode"]]
    assert (whole["limit_bytes"], whole["container_id"], whole["pod_uid"]) == (LIMIT_BYTES, WHOLE, POD_UID)
    child = by_pid[guest.pids["worker [1]"]]
    assert (child["victim"], child["limit_bytes"], child["container_id"]) == ("worker [1]", LIMIT_BYTES, CHILD)
    node = by_pid[guest.pids["greedy"]]
    assert (node["scope"], node["victim"], node["limit_bytes"]) == ("node", "greedy", None)
    assert node["processes"][0]["name"] == "greedy"
    assert all(incident["proves_oom"] for incident in (whole, child, node))


def test_a_follower_saw_the_same(guest: Guest) -> None:
    """What -f printed while the guest ran is what a reader of the whole file finds, but for the unknown boot time."""
    untimed = [{**event, "at": None} for event in told(guest)]
    assert [{**event, "at": None} for event in guest.followed] == untimed
