"""cgroup v2 as a real kernel writes it: in a guest a container grows and is killed, and its files are read here."""

import gzip
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from leakwatch.sample.cgroups.source import CgroupSource
from leakwatch.trace import Sample

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "leakwatch" / "guest-kernel" / "boot"
KERNELS = sorted(CACHE.glob("vmlinuz-*"))
TOOLS = [name for name in ("qemu-system-x86_64", "busybox") if shutil.which(name) is None]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(TOOLS), reason=f"needs {' and '.join(TOOLS)} (qemu-system-x86, busybox-static)"),
    pytest.mark.skipif(not KERNELS, reason="needs a kernel for the guest: .ci/guest_kernel fetches one"),
]

MIB = 2**20
POD_BYTES, BOX_BYTES = 64 * MIB, 96 * MIB

INIT = f"""#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t devtmpfs devtmpfs /dev
mount -t sysfs sysfs /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /shm; mount -t tmpfs tmpfs /shm
cd /sys/fs/cgroup
echo "+memory +cpu +pids" > cgroup.subtree_control
mkdir pod
echo "+memory +cpu +pids" > pod/cgroup.subtree_control
echo {POD_BYTES} > pod/memory.max
mkdir pod/box
echo {BOX_BYTES} > pod/box/memory.max
show() {{
    for file in pod/memory.max pod/memory.stat pod/box/memory.* pod/box/cpu.* pod/box/cgroup.procs; do
        echo "=== $1 $file"
        cat $file
    done
    echo "=== $1 end"
}}
show idle
cat > /eat <<'END'
echo $$ > /sys/fs/cgroup/pod/box/cgroup.procs
dd if=/dev/zero of=/shm/shared bs=1M count=8 2>/dev/null
kept=$(dd if=/dev/zero bs=1M count=4 2>/dev/null | tr '\\0' x)
echo ready > /shm/ready
while [ ! -e /shm/go ]; do sleep 0.1; done
while :; do kept=$kept$kept; done
END
sh /eat &
while [ ! -e /shm/ready ]; do sleep 0.1; done
show grown
touch /shm/go
wait
show killed
rmdir pod/box
mkdir pod/box
show anew
poweroff -f
"""


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files of each stage, as the guest printed them, under a folder of that stage's name."""
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
    machine = ["qemu-system-x86_64", "-accel", "tcg", "-m", "256", "-smp", "1", "-nic", "none", "-no-reboot"]
    machine += ["-display", "none", "-monitor", "none", "-serial", f"file:{folder / 'console.txt'}"]
    machine += ["-kernel", str(KERNELS[-1]), "-initrd", str(folder / "initrd.gz")]
    subprocess.run([*machine, "-append", "console=ttyS0 panic=-1 psi=1 quiet"], check=True, timeout=300)
    text = (folder / "console.txt").read_bytes().decode(errors="replace").replace("\r\n", "\n")
    pieces = re.split(r"^=== (\w+) (\S+)\n", text, flags=re.MULTILINE)
    found = {}
    for stage, file, content in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
        path = folder / stage / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        found[stage] = folder / stage / "pod" / "box"
    return found


def read(folder: Path) -> Sample:
    source = CgroupSource(lambda: str(folder))
    try:
        return source.read(1.0)
    finally:
        source.close()


def test_what_a_container_holds_is_told_by_kind(stages: dict[str, Path]) -> None:
    """Written memory is anonymous, a file in tmpfs is shared memory, and neither was there before."""
    idle, grown = read(stages["idle"]).values, read(stages["grown"]).values
    assert idle["anon_bytes"] == 0 and idle["usage_bytes"] < MIB
    assert grown["shmem_bytes"] == pytest.approx(8 * MIB, abs=MIB // 16)
    assert 4 * MIB <= grown["anon_bytes"] < 32 * MIB
    assert grown["file_bytes"] >= grown["shmem_bytes"]
    assert grown["kernel_bytes"] > 0
    assert grown["usage_bytes"] >= grown["working_set_bytes"] >= grown["anon_bytes"]
    assert grown["peak_bytes"] >= grown["usage_bytes"]
    assert grown["cpu_seconds_total"] > idle["cpu_seconds_total"]


def test_the_limit_of_the_pod_is_the_tightest(stages: dict[str, Path]) -> None:
    """Its 64 MiB come before the container's 96."""
    assert read(stages["grown"]).values["limit_bytes"] == POD_BYTES


def test_the_kill_is_counted_and_gone_with_the_container(stages: dict[str, Path]) -> None:
    """Once; a container made anew begins at 0, which is why the agent keeps count itself."""
    grown, killed, anew = (read(stages[stage]).values for stage in ("grown", "killed", "anew"))
    assert (grown["oom_kills_total"], killed["oom_kills_total"], anew["oom_kills_total"]) == (0, 1, 0)
    assert killed["oom_group_kills_total"] == 0


def test_pressure_is_a_share(stages: dict[str, Path]) -> None:
    """Of some task, of the last ten seconds; a kernel with psi=1 tells it."""
    for stage in ("idle", "grown", "killed"):
        assert 0 <= read(stages[stage]).values["memory_pressure_ratio"] <= 1
