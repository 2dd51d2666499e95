import signal
import subprocess
import sys
from pathlib import Path

import pytest

from leakwatch import __version__
from leakwatch.cli import run

HEAVY = ("scipy.stats", "pandas", "matplotlib", "docker", "kubernetes", "slack_sdk", "prometheus_api_client", "psutil")


def modules_after(arguments: list[str]) -> set[str]:
    """What is imported when ``leakwatch ARGUMENTS`` has run."""
    code = (
        "import sys; sys.argv[1:] = sys.argv[2:]\n"
        "from leakwatch.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('\\nMODULES', *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "leakwatch", *arguments], capture_output=True, text=True, timeout=120, check=True
    )
    return set(done.stdout.split("MODULES", 1)[1].split())


@pytest.fixture
def trace(tmp_path: Path) -> str:
    rows = "\n".join(f"{1_790_000_000 + 15 * i},{2**30 + 4096 * i}" for i in range(500))
    path = tmp_path / "trace.csv"
    path.write_text(f"timestamp,anon_bytes\n{rows}\n")
    return str(path)


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """``leakwatch --version`` names program and version, by either way in."""
    done = subprocess.run([sys.executable, "-m", "leakwatch", "--version"], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr, done.returncode) == (f"leakwatch {__version__}\n", "", 0)
    assert run(["--no-color", "--version"]) == 0
    assert capsys.readouterr().out == done.stdout


def test_the_version_costs_no_import() -> None:
    """Nothing heavy, and not even click, is imported to tell the version."""
    assert not modules_after(["--version"]) & {"numpy", "scipy", "rich", "click", "yaml", *HEAVY}


@pytest.mark.parametrize("output", ["table", "json", "yaml", "markdown", "junit", "html"])
def test_analyze_imports_nothing_heavy(trace: str, output: str) -> None:
    """The common path never pays for statistics, clients or plotting; only screens pay for rich."""
    imported = modules_after(["analyze", trace, "-o", output])
    assert "leakwatch.analyze" in imported
    assert not imported & {*HEAVY}
    assert ("rich.console" in imported) == (output == "table")


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["--nonsense"]])
def test_wrong_usage_is_one_line_and_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake before any command is told in one line with where to look."""
    assert run(arguments) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "leakwatch --help" in said


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """The help lists the commands, though they are imported lazily."""
    assert run(["--help"]) == 0
    assert "analyze" in capsys.readouterr().out


def test_an_interrupt_is_quiet() -> None:
    """Ctrl-C while waiting for input ends at once, without a traceback."""
    command = [sys.executable, "-X", "importtime", "-m", "leakwatch", "analyze", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        # From here on the program is inside its own guard, importing or waiting for input.
        imported = next(line for line in process.stderr if "leakwatch.tell.progress" in line)
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
        assert process.wait(timeout=60) == 130
    assert imported
    assert "Traceback" not in said and "Interrupt" not in said


def test_an_interrupt_while_starting_is_silent_too() -> None:
    """Ctrl-C in the first tenth of a second, while libraries are being imported, shows no traceback either."""
    code = (
        "import sys\n"
        "class Interrupted:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'click': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupted())\n"
        "sys.argv = ['leakwatch', 'analyze', '-']\n"
        "from leakwatch.cli import main\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
