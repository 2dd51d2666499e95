"""cgroup files of both versions, laid out as the kernel does, become samples."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakwatch.errors import SourceError
from leakwatch.sample.cgroups.source import CgroupSource
from leakwatch.sample.kernel_folder import number, numbers

MIB = 2**20

VERSION_2 = {
    "memory.current": f"{900 * MIB}\n",
    "memory.max": f"{2048 * MIB}\n",
    "memory.peak": f"{1000 * MIB}\n",
    "memory.stat": f"anon {600 * MIB}\nfile {250 * MIB}\nkernel {40 * MIB}\nkernel_stack 65536\nshmem {10 * MIB}\n"
    f"inactive_file {200 * MIB}\nactive_file {50 * MIB}\nslab {30 * MIB}\npgfault 123456\n",
    "memory.events": "low 0\nhigh 0\nmax 17\noom 3\noom_kill 2\noom_group_kill 1\n",
    "memory.pressure": "some avg10=12.50 avg60=3.00 avg300=1.00 total=123456\nfull avg10=1.00 avg60=0.00 total=1\n",
    "pids.current": "17\n",
    "cpu.stat": "usage_usec 2500000\nuser_usec 1\nsystem_usec 1\nnr_periods 0\nnr_throttled 0\nthrottled_usec 500000\n",
}

VERSION_1 = {
    "memory.usage_in_bytes": f"{900 * MIB}\n",
    "memory.limit_in_bytes": "9223372036854771712\n",
    "memory.max_usage_in_bytes": f"{950 * MIB}\n",
    "memory.failcnt": "17\n",
    "memory.kmem.usage_in_bytes": f"{40 * MIB}\n",
    "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
    "memory.stat": f"cache 0\nrss 4096\nshmem 0\ninactive_file 0\nhierarchical_memory_limit {2048 * MIB}\n"
    f"total_cache {250 * MIB}\ntotal_rss {600 * MIB}\ntotal_shmem {10 * MIB}\ntotal_inactive_file {200 * MIB}\n",
}


def lay_out(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def source_at(folder: Path) -> CgroupSource:
    return CgroupSource(lambda: str(folder))


@pytest.mark.parametrize("files", [VERSION_1, VERSION_2], ids=["v1", "v2"])
def test_both_versions_say_the_same_of_the_same_memory(tmp_path: Path, files: dict[str, str]) -> None:
    """Anonymous memory, cache, working set, limit and kills have one name each, whatever the kernel calls them."""
    values = source_at(lay_out(tmp_path / "box", files)).read(1000.0).values
    assert values["anon_bytes"] == 600 * MIB
    assert values["file_bytes"] == 250 * MIB
    assert values["shmem_bytes"] == 10 * MIB
    assert values["kernel_bytes"] == 40 * MIB
    assert values["usage_bytes"] == 900 * MIB
    assert values["working_set_bytes"] == 700 * MIB
    assert values["limit_bytes"] == 2048 * MIB
    assert values["limit_hits_total"] == 17
    assert values["oom_kills_total"] == 2


def test_version_2_tells_more(tmp_path: Path) -> None:
    """Kills of the whole container, pressure as a ratio, processor time in seconds."""
    values = source_at(lay_out(tmp_path / "box", VERSION_2)).read(1000.0).values
    assert values["oom_events_total"] == 3
    assert values["oom_group_kills_total"] == 1
    assert values["memory_pressure_ratio"] == pytest.approx(0.125)
    assert values["cpu_seconds_total"] == pytest.approx(2.5)
    assert values["cpu_throttled_seconds_total"] == pytest.approx(0.5)
    assert values["peak_bytes"] == 1000 * MIB
    assert values["threads"] == 17


def test_processor_time_of_version_1_is_in_another_hierarchy(tmp_path: Path) -> None:
    """Under the same path; in nanoseconds there."""
    box = lay_out(tmp_path / "memory" / "box", VERSION_1)
    lay_out(
        tmp_path / "cpu,cpuacct" / "box",
        {"cpuacct.usage": "2500000000\n", "cpu.stat": "nr_periods 1\nthrottled_time 500000000\n"},
    )
    values = source_at(box).read(1000.0).values
    assert values["cpu_seconds_total"] == pytest.approx(2.5)
    assert values["cpu_throttled_seconds_total"] == pytest.approx(0.5)


def test_the_largest_process_is_named(tmp_path: Path) -> None:
    """What is in no process namespace of ours (0), or has ended, is left out of account."""
    box = lay_out(tmp_path / "box", VERSION_2)
    source = source_at(box)
    assert source.pid is None
    source.read(1.0)
    assert source.pid is None
    (box / "cgroup.procs").write_text(f"0\n{os.getpid()}\n4194305\n")
    assert source.pid == os.getpid()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_a_cgroup_that_we_may_not_read_is_said(tmp_path: Path) -> None:
    """One line with the remedy; it is there, so it is not gone."""
    box = lay_out(tmp_path / "box", VERSION_2)
    for path in (tmp_path.parent.parent, tmp_path.parent, tmp_path, box):
        path.chmod(0o755)
    (box / "memory.stat").chmod(0)
    os.seteuid(65534)
    try:
        with pytest.raises(SourceError, match="Permission denied; run as root, or as the user") as raised:
            source_at(box).read(1.0)
    finally:
        os.seteuid(0)
    assert not raised.value.gone


def test_the_tightest_limit_above_counts(tmp_path: Path) -> None:
    """A pod's limit below the container's is the one that kills; without any limit, limit_bytes is 0."""
    pod = lay_out(tmp_path / "pod", {"memory.max": f"{512 * MIB}\n", "memory.stat": "anon 1\n"})
    box = source_at(lay_out(pod / "box", VERSION_2))
    assert box.read(1.0).values["limit_bytes"] == 512 * MIB
    (pod / "memory.max").write_text("max\n")
    assert box.read(2.0).values["limit_bytes"] == 2048 * MIB
    (pod / "box" / "memory.max").write_text("max\n")
    assert box.read(3.0).values["limit_bytes"] == 0


def test_an_old_kernel_names_the_parts_of_kernel_memory(tmp_path: Path) -> None:
    """Before Linux 5.18 memory.stat has no `kernel`; the parts are summed. What is absent is absent, not 0."""
    stat = f"anon {MIB}\nkernel_stack {MIB}\nslab {2 * MIB}\n"
    box = lay_out(tmp_path / "box", {"memory.current": f"{9 * MIB}\n", "memory.stat": stat})
    values = source_at(box).read(1.0).values
    assert values["kernel_bytes"] == 3 * MIB
    assert "file_bytes" not in values
    assert "memory_pressure_ratio" not in values
    assert "peak_bytes" not in values


def test_what_cannot_be_seen_is_said(tmp_path: Path) -> None:
    """`blind_to` names what the files at hand lack, with what would mend it."""
    bare = {name: text for name, text in VERSION_2.items() if name not in ("memory.peak", "memory.pressure")}
    source = source_at(lay_out(tmp_path / "box", bare))
    source.read(1.0)
    told = " ".join(source.blind_to)
    assert "psi=1" in told and "5.19" in told


def test_a_cgroup_made_anew_is_another_life(tmp_path: Path) -> None:
    """A container that is restarted under the same path is seen as a restart in the very next look."""
    box = lay_out(tmp_path / "box", VERSION_2)
    source = source_at(box)
    first = source.read(1.0)
    assert source.read(2.0).life == first.life
    box.rename(tmp_path / "old")
    shutil.copytree(tmp_path / "old", box)
    shutil.rmtree(tmp_path / "old")
    assert source.read(3.0).life != first.life


def test_a_cgroup_that_is_removed_is_gone_and_comes_back(tmp_path: Path) -> None:
    """Its absence is one clear line and `gone`; when it is back the source goes on."""
    box = lay_out(tmp_path / "box", VERSION_2)
    source = source_at(box)
    source.read(1.0)
    shutil.rmtree(box)
    with pytest.raises(SourceError, match="there is no folder") as raised:
        source.read(2.0)
    assert raised.value.gone
    assert "\n" not in str(raised.value)
    lay_out(box, VERSION_2)
    assert source.read(3.0).values["anon_bytes"] == 600 * MIB


def test_a_folder_that_is_no_memory_cgroup_is_refused(tmp_path: Path) -> None:
    """The error names the files that were looked for."""
    with pytest.raises(SourceError, match=r"neither memory.current nor memory.usage_in_bytes") as raised:
        source_at(tmp_path).read(1.0)
    assert not raised.value.gone


def test_closing_twice_is_harmless(tmp_path: Path) -> None:
    """And a closed source can be read again."""
    source = source_at(lay_out(tmp_path / "box", VERSION_2))
    source.read(1.0)
    source.close()
    source.close()
    assert source.read(2.0).values["limit_bytes"] == 2048 * MIB


@given(st.text())
def test_any_text_can_be_read_as_numbers(text: str) -> None:
    """Whatever a kernel, or a damaged file, says: numbers or nothing, never an error."""
    assert all(value >= 0 for value in numbers(text).values())
    assert number(text) is None or number(text) == int(text.strip())
