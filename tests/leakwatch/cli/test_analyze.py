import html
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml

HEAD = "timestamp,anon_bytes,limit_bytes"
START = 1_790_000_000


def written(path: Path, slope: float, samples: int = 900, container: str | None = None) -> Path:
    """A native CSV of a container that grows by ``slope`` bytes a second over a level of 400 MiB, with noise."""
    time = START + 60 * np.arange(samples)
    noise = np.random.default_rng(7).normal(0, 2**20, samples)
    level = 400 * 2**20 + slope * (time - START) + noise
    name = f",{container}" if container else ""
    rows = "\n".join(f"{t},{y:.0f},4294967296{name}" for t, y in zip(time, level, strict=True))
    path.write_text(f"{HEAD}{',container' if container else ''}\n{rows}\n")
    return path


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def leakwatch(tmp_path: Path) -> Run:
    """Run ``leakwatch analyze`` in a folder of its own, as a shell would."""

    def run(*arguments: str | Path, stdin: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "leakwatch", "analyze", *map(str, arguments)],
            capture_output=True,
            text=True,
            input=stdin,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), **environment},
            timeout=120,
        )

    return run


def one_line(text: str) -> bool:
    return text.count("\n") == 1 and text.endswith("\n") and "Traceback" not in text


@pytest.fixture
def leaking(tmp_path: Path) -> Path:
    return written(tmp_path / "leak.csv", slope=20_000)


@pytest.fixture
def level(tmp_path: Path) -> Path:
    return written(tmp_path / "level.csv", slope=0)


def test_a_leak_exits_with_10_and_a_level_trace_with_0(leakwatch: Run, leaking: Path, level: Path) -> None:
    """Scripts tell by the exit status alone, and nothing goes to standard error."""
    leak, healthy = leakwatch(leaking), leakwatch(level)
    assert (leak.returncode, leak.stderr) == (10, "")
    assert (healthy.returncode, healthy.stderr) == (0, "")
    assert leak.stdout.startswith("LEAK")
    assert healthy.stdout.startswith("NO LEAK")


def test_undecided_is_11_only_under_strict(leakwatch: Run, tmp_path: Path) -> None:
    """A header alone is too short to judge, which is no failure unless asked for."""
    (tmp_path / "header.csv").write_text(HEAD + "\n")
    assert leakwatch("header.csv").returncode == 0
    assert leakwatch("header.csv", "--strict").returncode == 11


def test_an_unusable_file_does_not_stop_the_others(leakwatch: Run, leaking: Path, level: Path, tmp_path: Path) -> None:
    """Its error goes to standard error, it has no entry, the rest are told in order, and 1 comes before 10."""
    (tmp_path / "bad.csv").write_bytes(b"")
    done = leakwatch("leak.csv", "bad.csv", "level.csv", "nowhere.csv", "-o", "json")
    assert [entry["source"] for entry in json.loads(done.stdout)["analyses"]] == ["leak.csv", "level.csv"]
    errors = done.stderr.splitlines()
    assert [error.split(":")[1].strip() for error in errors] == ["bad.csv", "nowhere.csv"]
    assert done.returncode == 1


def test_every_form_of_output_can_be_read(leakwatch: Run, leaking: Path, level: Path) -> None:
    """Each form is what it says it is, on standard output alone."""
    for form in ("table", "wide", "json", "yaml", "markdown", "html", "junit"):
        done = leakwatch("leak.csv", "level.csv", "-o", form)
        assert (done.returncode, done.stderr) == (10, ""), form
        if form == "json":
            assert len(json.loads(done.stdout)["analyses"]) == 2
        elif form == "yaml":
            assert len(yaml.safe_load(done.stdout)["analyses"]) == 2
        elif form == "junit":
            assert ElementTree.fromstring(done.stdout.encode()).get("failures") == "1"
        else:
            assert "leak.csv" in done.stdout


@pytest.mark.parametrize("form", ["wide", "json", "yaml", "markdown", "html"])
def test_the_cause_is_told_in_every_form_that_has_room(leakwatch: Run, leaking: Path, form: str) -> None:
    """A leak's steps are found by the playbook once, and reach the person whatever form was asked for."""
    steps = json.loads(leakwatch(leaking, "-o", "json").stdout)["analyses"][0]["diagnosis"]["steps"]
    told = " ".join(html.unescape(leakwatch(leaking, "-o", form).stdout).replace("\\_", "_").split())
    assert steps[0][:30] in told


def test_a_folder_is_walked_without_what_is_no_trace(leakwatch: Run, tmp_path: Path) -> None:
    """Files below a folder are found in order of name; hidden files, documents and scripts are passed over."""
    for name in ("b/two.csv", "b/one.csv", "a.csv"):
        path = tmp_path / "traces" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        written(path, 0, 30)
    for name in ("README.md", "index.yaml", ".hidden.csv"):
        (tmp_path / "traces" / name).write_text("no trace")
    done = leakwatch("traces", "-o", "json")
    sources = [entry["source"] for entry in json.loads(done.stdout)["analyses"]]
    assert sources == ["traces/a.csv", "traces/b/one.csv", "traces/b/two.csv"]
    assert (done.returncode, done.stderr) == (0, "")


def test_many_files_give_the_same_in_parallel(leakwatch: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Worker processes change neither the order nor the verdicts, and an unusable file stays in its place."""
    from leakwatch import analyze

    sources = [str(written(tmp_path / f"{i}.csv", 20_000 * (i % 2), 200)) for i in range(6)]
    sources.insert(3, str(tmp_path / "missing.csv"))
    reading = analyze.Reading(keep_columns=False)
    alone = [analyze.analyze_source(source, reading) for source in sources]
    together = list(analyze.analyze_in_parallel(sources, reading, 2))
    assert [r.source for r in together] == sources
    assert [r.error for r in together] == [r.error for r in alone]
    assert [[a.verdict for _, a in r.analyses] for r in together] == [[a.verdict for _, a in r.analyses] for r in alone]


def test_a_killed_worker_is_a_clear_error(tmp_path: Path) -> None:
    """Where the kernel kills a worker the run ends with one sentence, instead of waiting for ever."""
    import psutil

    from leakwatch import analyze
    from leakwatch.errors import LeakwatchError

    sources = [str(written(tmp_path / "a.csv", 0, 300))] * 2_000  # more than a busy machine has done before the kill
    results = analyze.analyze_in_parallel(sources, analyze.Reading(), 2)
    next(results)
    grandchildren = [p for p in psutil.Process().children(recursive=True) if p.ppid() != os.getpid()]
    grandchildren[0].kill()
    with pytest.raises(LeakwatchError, match="a worker process was killed"):
        list(results)


def test_standard_input_is_a_source(leakwatch: Run, leaking: Path) -> None:
    """A trace can be piped in, and its name is the dash."""
    done = leakwatch("-", "-o", "json", stdin=leaking.read_text())
    assert json.loads(done.stdout)["analyses"][0]["source"] == "-"
    assert done.returncode == 10


def test_containers_of_one_file_are_told_apart(leakwatch: Run, tmp_path: Path) -> None:
    """One file may hold many series; each has its own verdict under its own name."""
    one = written(tmp_path / "x.csv", 0, 300, "one").read_text()
    two = written(tmp_path / "y.csv", 20_000, 300, "two").read_text().split("\n", 1)[1]
    (tmp_path / "both.csv").write_text(one + two)
    entries = json.loads(leakwatch("both.csv", "-o", "json").stdout)["analyses"]
    assert [entry["container"] for entry in entries] == ["one", "two"]


def test_a_limit_on_the_command_line_counts(leakwatch: Run, leaking: Path) -> None:
    """--limit stands in place of the trace's own."""
    (entry,) = json.loads(leakwatch("leak.csv", "--limit", "16GiB", "-o", "json").stdout)["analyses"]
    assert entry["limit_bytes"] == 16 * 2**30


def test_since_and_until_cut_the_trace(leakwatch: Run, leaking: Path) -> None:
    """Only the samples asked for are judged; RFC 3339 and Unix seconds are both understood."""
    cut = ("--since", str(START + 6000), "--until", "2026-09-21T18:13:20Z")
    (entry,) = json.loads(leakwatch("leak.csv", *cut, "-o", "json").stdout)["analyses"]
    assert (entry["start"], entry["end"]) == (START + 6000, START + 14_400)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("x.csv", "-o", "xml"),
        ("x.csv", "--limit", "4"),
        ("x.csv", "--interval", "soon"),
        ("x.csv", "--since", "yesterday"),
        ("x.csv", "--format", "excel"),
        ("x.csv", "--nonsense"),
        ("-", "-"),
    ],
)
def test_wrong_usage_is_one_line_and_2(leakwatch: Run, arguments: tuple[str, ...]) -> None:
    """Each mistake on the command line is one line that says where to look, without a traceback."""
    done = leakwatch(*arguments)
    assert done.returncode == 2
    assert one_line(done.stderr)
    assert "--help" in done.stderr
    assert done.stdout == ""


def test_an_empty_folder_is_one_line_and_1(leakwatch: Run, tmp_path: Path) -> None:
    """A folder without traces is a failure with its name, not an empty success."""
    (tmp_path / "nothing").mkdir()
    done = leakwatch("nothing")
    assert done.returncode == 1
    assert one_line(done.stderr) and "nothing" in done.stderr


def test_a_hostile_name_cannot_act_in_an_error(leakwatch: Run, tmp_path: Path) -> None:
    """Escapes and newlines in the name of a file or a folder are shown, not obeyed, and the error stays one line."""
    (tmp_path / "empty\x1b[31m\nfolder").mkdir()
    for name in ("no\x1b[31m\n[red]such.csv", "empty\x1b[31m\nfolder"):
        done = leakwatch(name)
        assert done.returncode == 1
        assert one_line(done.stderr)
        assert "\x1b" not in done.stderr


def test_debug_shows_the_traceback(leakwatch: Run) -> None:
    """Without --debug none, with it the whole."""
    assert "Traceback" not in leakwatch("nowhere.csv").stderr
    assert "Traceback" in leakwatch("nowhere.csv", "--debug").stderr


@pytest.mark.parametrize(("form", "reader"), [("html", "head -c 1"), ("json", "true")])
def test_a_reader_that_goes_away_is_no_error(leaking: Path, form: str, reader: str) -> None:
    """``leakwatch ... | head -1`` says nothing on standard error, whether it was cut short or never read."""
    command = f"{sys.executable} -m leakwatch analyze {leaking} -o {form} | {reader}"
    buffered = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=120, env=buffered)
    assert done.stderr == ""


def test_a_full_disk_is_one_line_and_1(leaking: Path) -> None:
    """Output that cannot be written is a failure that says so."""
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "leakwatch", "analyze", str(leaking)]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120)
    assert done.returncode == 1
    assert one_line(done.stderr)


def test_a_narrow_encoding_loses_no_verdict(leakwatch: Run, leaking: Path) -> None:
    """A terminal that cannot show the chart's dots still gets the screen."""
    done = leakwatch("leak.csv", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 10
    assert "LEAK  leak.csv" in done.stdout


def test_wrong_flags_change_nothing_on_the_screen(leakwatch: Run, leaking: Path) -> None:
    """The width of a pipe is fixed, or COLUMNS; absurd values do not crash."""
    for columns in ("1", "60", "500", "x"):
        done: Any = leakwatch("leak.csv", COLUMNS=columns)
        assert (done.returncode, done.stderr) == (10, "")


def test_a_time_outside_of_the_trace_is_said_with_where_the_trace_lies(leakwatch: Run, level: Path) -> None:
    """Who asks for the last two hours of last week's file learns why there is nothing, and what to ask for."""
    done = leakwatch(level, "--since", "2030-01-01")
    assert done.returncode == 0
    said = " ".join(done.stdout.split())
    assert "no sample lies in the time asked for; they run from 2026-09-21T14:13:20Z to" in said
    assert "record" not in done.stdout


def test_a_file_of_unusable_rows_shows_the_rows_and_not_advice_to_wait(leakwatch: Run, tmp_path: Path) -> None:
    """Times that nobody can read are a matter of the file: recording longer would not help."""
    (tmp_path / "us.csv").write_text("timestamp,anon_bytes\n" + "09/21/2026 14:13:20,5000\n" * 30)
    done = leakwatch("us.csv")
    assert done.stdout.startswith("UNDECIDED  us.csv: no sample to judge; 30 rows dropped\n")
    assert "line 2: timestamp '09/21/2026 14:13:20' is no time" in " ".join(done.stdout.split())
    assert "record" not in done.stdout


@pytest.mark.parametrize("none", ["0", "0B", "max"])
def test_a_limit_of_0_or_max_takes_the_limit_away(leakwatch: Run, leaking: Path, none: str) -> None:
    """They mean no limit on the command line as they do in the column, and nothing is said to be reached."""
    (analysis,) = json.loads(leakwatch(leaking, "--limit", none, "-o", "json").stdout)["analyses"]
    assert (analysis["verdict"], analysis["limit_bytes"], analysis["time_to_limit_seconds"]) == ("leak", None, None)
