"""Which log files stand behind a path, and in which order."""

from pathlib import Path

import pytest

from leakwatch.errors import LeakwatchError
from leakwatch.sample.log_files import find_logs


def names(folder: Path, found: list[str]) -> list[str]:
    return [str(Path(path).relative_to(folder)) for path in found]


def test_rotated_files_come_before_the_current_one_and_oldest_first(tmp_path: Path) -> None:
    """Lines are read in the order in which they were written: 10 is older than 2, dates ascend, the live file ends."""
    written = ["kern.log.10.gz", "kern.log.2.gz", "kern.log.1", "kern.log"]
    dated = ["syslog-20260301.gz", "syslog-20260302", "syslog"]
    for name in [*reversed(written), *reversed(dated)]:
        (tmp_path / name).write_text("x\n")
    assert names(tmp_path, find_logs([str(tmp_path)])) == [*written, *dated]


def test_rotations_of_a_container_log_stay_in_order(tmp_path: Path) -> None:
    """The kubelet's 0.log.20260301-120000.gz is older than 0.log, and 1.log is another container's life."""
    written = ["0.log.20260301-120000.gz", "0.log.20260301-130000", "0.log", "1.log"]
    for name in reversed(written):
        (tmp_path / name).write_text("x\n")
    assert names(tmp_path, find_logs([str(tmp_path)])) == written


def test_a_folder_gives_each_file_once(tmp_path: Path) -> None:
    """/var/log/containers holds links to files of /var/log/pods: what is read twice would be reported twice."""
    (tmp_path / "pods").mkdir()
    (tmp_path / "pods" / "0.log").write_text("x\n")
    (tmp_path / "containers").mkdir()
    (tmp_path / "containers" / "serving.log").symlink_to(tmp_path / "pods" / "0.log")
    assert len(find_logs([str(tmp_path)])) == 1


def test_what_is_no_text_log_is_left_out_of_a_folder(tmp_path: Path) -> None:
    """Hidden files, binary journals and dead links stop nobody."""
    for name in (".hidden", "system.journal", "user-1000.journal~", "kern.log"):
        (tmp_path / name).write_text("x\n")
    (tmp_path / "dead.log").symlink_to(tmp_path / "gone")
    assert names(tmp_path, find_logs([str(tmp_path)])) == ["kern.log"]


def test_a_folder_without_logs_is_an_error(tmp_path: Path) -> None:
    """Reading nothing and reporting no OOM would be a lie."""
    with pytest.raises(LeakwatchError, match="no log file in this folder"):
        find_logs([str(tmp_path)])


def test_a_file_named_by_itself_is_read_whatever_its_name(tmp_path: Path) -> None:
    """The order of the command line is kept, and so is a path that does not exist: its own error tells of it."""
    assert find_logs(["b.log", "-", "a.log"]) == ["b.log", "-", "a.log"]
