from pathlib import Path

import pytest

from leakwatch.cli import run

EXAMPLE = str(Path(__file__).parents[3] / "docs/examples/agent.yaml")


def test_show_tells_each_setting_with_its_origin(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """A flag, a variable, a line of the file and a default are each named as where the value came from."""
    monkeypatch.setenv("LEAKWATCH_ACT_DRAIN", "30s")
    assert run(["config", "show", "--config", EXAMPLE, "--state-dir", "/tmp/x", "--act"]) == 0
    rows = {line.split()[0]: line.split()[1:] for line in capsys.readouterr().out.splitlines()}
    assert rows["state_dir"] == ["/tmp/x", "--state-dir"]
    assert rows["act.dry_run"] == ["false", "--act"]
    assert rows["act.drain"] == ["30s", "LEAKWATCH_ACT_DRAIN"]
    line = next(number for number, text in enumerate(Path(EXAMPLE).read_text().splitlines(), 1) if "cooldown:" in text)
    assert rows["act.cooldown"] == ["30m", f"{EXAMPLE}:{line}"]
    assert rows["act.verify"] == ["5m", "default"]


def test_check_tells_every_mistake_on_its_own_line_and_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Three mistakes are three lines on standard error, each begun with the program's name; nothing on the output."""
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text('nonsense: 1\n"\\x1b[31m": 2\ntargets: [{name: a, pid: no}]\n')
    assert run(["config", "check", "--config", str(wrong)]) == 2
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == "" and len(lines) == 3 and "\x1b" not in err
    assert all(line.startswith(f"leakwatch: {wrong}:") for line in lines)


def test_check_says_that_good_settings_can_be_used(capsys: pytest.CaptureFixture[str]):
    """The example is fine; that its secret is not there is a warning."""
    assert run(["config", "check", "--config", EXAMPLE]) == 0
    out, err = capsys.readouterr()
    assert "can be used: 1 target" in out
    assert "warning: /run/secrets/slack" in err
