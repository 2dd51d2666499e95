"""The name in which things are claimed belongs to the state folder."""

from pathlib import Path

import pytest

from leakwatch.act.holder import FILE_NAME, holder_of


def test_a_folder_keeps_its_name_and_no_two_share_one(tmp_path: Path) -> None:
    """Made once, also where the folder is not there yet; the one of another folder is another."""
    one = holder_of(tmp_path / "a" / "state")
    assert one and holder_of(tmp_path / "a" / "state") == one
    assert holder_of(tmp_path / "b") != one


def test_a_folder_that_was_copied_to_another_host_has_another_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two agents from one image of a machine are two."""
    one = holder_of(tmp_path)
    monkeypatch.setattr("socket.gethostname", lambda: "another")
    assert holder_of(tmp_path) != one


def test_a_damaged_or_unwritable_name_is_made_anew(tmp_path: Path) -> None:
    """Cut short by a kill, filled with anything, or no file at all: never an error, and never a name not of ours."""
    for damage in (b"", b"\xff\xfe", b"x" * 1000, b"a\x07b"):
        (tmp_path / FILE_NAME).write_bytes(damage)
        name = holder_of(tmp_path)
        assert name.isprintable() and 10 < len(name) < 200
        assert name != damage.decode(errors="replace")
    (tmp_path / "file").write_text("")
    assert holder_of(tmp_path / "file" / "state") != holder_of(tmp_path / "file" / "state")
