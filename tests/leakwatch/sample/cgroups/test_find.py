"""The cgroup of a process is found on a host, in a container, and through a sibling's eyes."""

from pathlib import Path

import pytest

from leakwatch.errors import SourceError
from leakwatch.sample.cgroups.find import Hierarchy, folder_of_name, folder_of_pid, hierarchies

ID = "4f5e6d7c8b9a" * 5 + "0123"


def mount_line(number: int, root: str, mount: str, kind: str, options: str = "rw") -> str:
    return f"{number} 1 0:{number} {root} {mount} rw,nosuid - {kind} {kind} {options}\n"


class Host:
    """A literal /proc and hierarchies under one folder."""

    def __init__(self, folder: Path) -> None:
        self.proc, self.mounts = folder / "proc", folder / "cgroup"
        (self.proc / "self").mkdir(parents=True)

    def sees(self, pid: int | str, *lines: str) -> None:
        (self.proc / str(pid)).mkdir(exist_ok=True)
        (self.proc / str(pid) / "mountinfo").write_text("".join(lines))

    def runs(self, pid: int, cgroup: str) -> None:
        (self.proc / str(pid)).mkdir(exist_ok=True)
        (self.proc / str(pid) / "cgroup").write_text(cgroup)

    def cgroup(self, path: str, mark: str, pids: str = "") -> Path:
        folder = Path(path) if path.startswith(str(self.proc)) else self.mounts / path
        folder.mkdir(parents=True)
        (folder / mark).write_text("1\n")
        (folder / "cgroup.procs").write_text(pids)
        return folder

    def folder_of(self, pid: int) -> str:
        return folder_of_pid(pid, str(self.proc))


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_on_a_v2_host_the_path_is_under_the_mount(host: Host) -> None:
    """Seen from the host: the path of /proc/PID/cgroup below the mount."""
    folder = host.cgroup("kubepods.slice/box.scope", "memory.current")
    host.sees("self", mount_line(30, "/", str(host.mounts), "cgroup2"))
    host.runs(7, "0::/kubepods.slice/box.scope\n")
    assert host.folder_of(7) == str(folder)


def test_on_a_hybrid_host_the_v1_hierarchy_is_the_one(host: Host) -> None:
    """Where v1 has the memory controller, the v2 mount beside it holds no memory."""
    folder = host.cgroup("memory/box", "memory.usage_in_bytes")
    host.sees(
        "self",
        mount_line(30, "/", str(host.mounts / "unified"), "cgroup2"),
        mount_line(31, "/", str(host.mounts / "memory"), "cgroup", "rw,memory"),
        mount_line(32, "/", str(host.mounts / "cpu"), "cgroup", "rw,cpu,cpuacct"),
    )
    host.runs(7, "4:memory:/box\n1:cpu,cpuacct:/elsewhere\n0::/\n")
    assert host.folder_of(7) == str(folder)


def test_in_a_v1_container_the_mount_is_the_cgroup(host: Host) -> None:
    """A runtime binds the container's own folder; the path that the kernel names begins above it."""
    folder = host.cgroup("memory", "memory.usage_in_bytes")
    host.sees("self", mount_line(31, f"/docker/{ID}", str(folder), "cgroup", "rw,memory"))
    host.runs(7, f"4:memory:/docker/{ID}\n")
    assert host.folder_of(7) == str(folder)


@pytest.mark.parametrize("root", ["/../box.scope", "/"])
def test_a_sibling_in_a_shared_process_namespace_is_read_through_its_root(host: Host, root: str) -> None:
    """Its cgroup is outside of ours; /proc/PID/root/sys/fs/cgroup is its own view, and it has the process in it."""
    host.sees("self", mount_line(30, "/", str(host.mounts), "cgroup2"))
    host.cgroup(".", "memory.current", "99\n")
    host.runs(7, "0::/../box.scope\n")
    host.sees(7, mount_line(40, root, "/sys/fs/cgroup", "cgroup2"))
    folder = host.cgroup(f"{host.proc}/7/root/sys/fs/cgroup", "memory.current", "7\n12\n")
    assert host.folder_of(7) == str(folder)


def test_a_view_that_does_not_hold_the_process_is_not_believed(host: Host) -> None:
    """A cgroup namespace that shows another's memory would be worse than none."""
    host.sees("self", mount_line(30, "/", str(host.mounts), "cgroup2"))
    host.runs(7, "0::/../box.scope\n")
    host.sees(7, mount_line(40, "/", "/sys/fs/cgroup", "cgroup2"))
    host.cgroup(f"{host.proc}/7/root/sys/fs/cgroup", "memory.current", "12\n")
    with pytest.raises(SourceError, match="share the process namespace"):
        host.folder_of(7)


def test_a_process_that_is_not_there_is_gone(host: Host) -> None:
    """`gone`, and nothing of a traceback."""
    host.sees("self")
    with pytest.raises(SourceError, match="there is no process 7") as raised:
        host.folder_of(7)
    assert raised.value.gone


def test_a_process_outside_of_every_cgroup_is_said(host: Host) -> None:
    """The root cgroup of v2 has no files of memory."""
    (host.mounts).mkdir()
    host.sees("self", mount_line(30, "/", str(host.mounts), "cgroup2"))
    host.runs(7, "0::/\n")
    with pytest.raises(SourceError, match="is in the root cgroup"):
        host.folder_of(7)


def test_mount_points_with_spaces_are_unescaped(host: Host) -> None:
    """mountinfo writes a space as \\040."""
    host.sees("self", mount_line(30, "/a\\040b", "/mnt/c\\040d", "cgroup2"), "torn line\n")
    assert hierarchies(proc=str(host.proc)) == (Hierarchy(2, "/a b", "/mnt/c d"),)


def test_a_path_cannot_lead_out_of_the_mount() -> None:
    """`..` in a cgroup's path means that our mount does not show it."""
    assert Hierarchy(2, "/", "/sys/fs/cgroup").folder("/../../etc") is None
    assert Hierarchy(1, "/docker/a", "/m").folder("/docker/ab") is None


def test_a_container_is_found_by_the_beginning_of_its_id(host: Host) -> None:
    """The 12 digits that `docker ps` and `kubectl` print are enough; two matches are refused by name."""
    host.sees("self", mount_line(30, "/", str(host.mounts), "cgroup2"))
    folder = host.cgroup(f"kubepods.slice/cri-containerd-{ID}.scope", "memory.current")
    assert folder_of_name(ID[:12], str(host.proc)) == str(folder)
    assert folder_of_name(folder.name, str(host.proc)) == str(folder)
    assert folder_of_name("kubepods.slice/" + folder.name, str(host.proc)) == str(folder)
    host.cgroup(f"other/cri-containerd-{ID}.scope", "memory.current")
    with pytest.raises(SourceError, match="2 cgroups are called"):
        folder_of_name(ID[:12], str(host.proc))
    with pytest.raises(SourceError, match="no cgroup is called") as raised:
        folder_of_name("nothing", str(host.proc))
    assert raised.value.gone
