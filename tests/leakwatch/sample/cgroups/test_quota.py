"""The processor time that a cgroup may use, from the files of both versions."""

from pathlib import Path

import pytest

from leakwatch.sample.cgroups.quota import cpu_quota


@pytest.mark.parametrize(
    ("text", "processors"),
    [("150000 100000\n", 1.5), ("max 100000\n", None), ("", None), ("torn", None), ("1 0\n", None)],
)
def test_version_2(tmp_path: Path, text: str, processors: float | None) -> None:
    """Quota and period on one line; `max` is no quota, and so is what cannot be read."""
    (tmp_path / "cpu.max").write_text(text)
    assert cpu_quota(str(tmp_path)) == processors


@pytest.mark.parametrize("hierarchy", ["cpu", "cpu,cpuacct"])
@pytest.mark.parametrize(("quota", "processors"), [("50000", 0.5), ("-1", None)])
def test_version_1(tmp_path: Path, hierarchy: str, quota: str, processors: float | None) -> None:
    """The cpu hierarchy has the cgroup under the same path; -1 is no quota."""
    (tmp_path / "memory" / "box").mkdir(parents=True)
    folder = tmp_path / hierarchy / "box"
    folder.mkdir(parents=True)
    (folder / "cpu.cfs_quota_us").write_text(f"{quota}\n")
    (folder / "cpu.cfs_period_us").write_text("100000\n")
    assert cpu_quota(str(tmp_path / "memory" / "box")) == processors


def test_without_any_file_it_is_unknown(tmp_path: Path) -> None:
    """Nothing is raised."""
    assert cpu_quota(str(tmp_path / "memory" / "nothing")) is None
