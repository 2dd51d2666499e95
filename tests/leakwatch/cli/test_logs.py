"""The flags of `leakwatch logs`, its forms and its exit statuses."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((ROOT / "docs/schemas/logs.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

POD = "/kubepods/burstable/pod3f1c9e2a-1111-2222-3333-0123456789ab/" + "4f5e6d7c8b9a" * 5 + "0123"
DUMP = f"""\
Mar  1 09:42:07 node1 kernel: [  814.569937] tensorflow_mode invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0
Mar  1 09:42:07 node1 kernel: [  814.570116] memory: usage 204800kB, limit 204800kB, failcnt 97
Mar  1 09:42:07 node1 kernel: [  814.570126] Memory cgroup stats for {POD}:
Mar  1 09:42:07 node1 kernel: [  814.570210] Tasks state (memory values in pages):
Mar  1 09:42:07 node1 kernel: [  814.570211] [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name
Mar  1 09:42:07 node1 kernel: [  814.570213] [   2210]     0  2210    54334    51068   475136        0             0 tensorflow_mode
Mar  1 09:42:07 node1 kernel: [  814.570215] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg={POD},task_memcg={POD},task=tensorflow_mode,pid=2210,uid=0
Mar  1 09:42:07 node1 kernel: [  814.570220] Memory cgroup out of memory: Killed process 2210 (tensorflow_mode) total-vm:217336kB, anon-rss:204272kB, file-rss:6660kB, shmem-rss:0kB, UID:0 pgtables:464kB oom_score_adj:0
"""  # noqa: E501
ORDINARY = "Mar  1 09:42:08 node1 systemd[1]: Started Session 4 of user root.\n"
KILLED_AT = 1_772_358_127.0

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def leakwatch(tmp_path: Path) -> Run:
    """Run ``leakwatch logs`` in a folder of its own, as a shell would."""

    def run(*arguments: str, stdin: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "leakwatch", "logs", *arguments],
            capture_output=True,
            text=True,
            input=stdin,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TZ": "UTC", "COLUMNS": "300", **environment},
            timeout=120,
        )

    return run


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "kern.log"
    path.write_text(ORDINARY + DUMP + ORDINARY)
    os.utime(path, (KILLED_AT + 60, KILLED_AT + 60))
    return path


def parsed(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_json_lines_hold_to_the_schema_and_the_order_of_the_lines(log: Path, leakwatch: Run) -> None:
    """One object an event, each with its line's number, its time and its incident."""
    done = leakwatch("kern.log", "-o", "json")
    events = parsed(done.stdout)
    for event in events:
        VALIDATOR.validate(event)
    assert (done.returncode, done.stderr) == (0, "")
    kinds = [event["kind"] for event in events]
    assert kinds == ["kernel_oom_invoked", "kernel_memcg_stats", "kernel_oom_summary", "kernel_oom_kill"]
    assert [event["line"] for event in events][0::3] == [2, 9]
    assert {event["source"] for event in events} == {"kern.log"}
    assert {event["incident"] for event in events} == {1}
    assert events[-1]["at"] == KILLED_AT


def test_the_published_schema_is_a_schema() -> None:
    """It is valid itself, and it refuses an event without its kind."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert not VALIDATOR.is_valid({"source": "x", "line": 1, "lines": 1, "at": None, "text": ""})


def test_the_table_says_what_happened(log: Path, leakwatch: Run) -> None:
    """A heading, and a row an event with its time, where it stands, and who was killed."""
    head, *rows = leakwatch("kern.log").stdout.splitlines()
    assert head.split() == ["Time", "Incident", "Event", "Where", "What"]
    assert len(rows) == 4
    assert rows[-1].startswith("2026-03-01T09:42:07Z  1         kernel oom kill")
    assert "line 9" in rows[-1] and "tensorflow_mode (pid 2210), anon 199 MiB" in rows[-1]


def test_the_table_names_the_log_where_there_are_several(log: Path, leakwatch: Run) -> None:
    """A line's number alone would not say in which log."""
    assert "kern.log:9" in leakwatch("kern.log", "-", stdin="").stdout


def test_the_summary_is_a_row_an_incident(log: Path, leakwatch: Run) -> None:
    """Scope, victim, limit, usage, and whether it is proven; the same as JSON, which holds to the schema."""
    [incident] = parsed(leakwatch("kern.log", "--summary", "-o", "json").stdout)
    VALIDATOR.validate(incident)
    assert (incident["scope"], incident["victim"], incident["pid"]) == ("container", "tensorflow_mode", 2210)
    assert (incident["limit_bytes"], incident["usage_bytes"]) == (204800 * 1024, 204800 * 1024)
    assert incident["proves_oom"] is True
    rows = leakwatch("kern.log", "--summary").stdout.splitlines()
    assert [row for row in rows if row.split()[2:8] == ["container", "tensorflow_mode", "2210", "200", "MiB", "200"]]


def test_exit_statuses(log: Path, leakwatch: Run) -> None:
    """0 whatever is found, 10 where an OOM is proven and --fail-on-oom asked for it, 1 failed, 2 wrong usage."""
    (log.parent / "calm.log").write_text(ORDINARY)
    assert leakwatch("kern.log").returncode == 0
    assert leakwatch("kern.log", "--fail-on-oom").returncode == 10
    assert leakwatch("kern.log", "--fail-on-oom", "--summary").returncode == 10
    assert leakwatch("calm.log", "--fail-on-oom").returncode == 0
    assert leakwatch("gone.log").returncode == 1
    for wrong in ((), ("-", "-"), ("-f", "--summary", "kern.log"), ("--zone", "Nowhere", "kern.log")):
        done = leakwatch(*wrong)
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1


def test_an_unusable_path_does_not_stop_the_others(log: Path, leakwatch: Run) -> None:
    """Its error is one line on standard error; the others are read, and the status says that something failed."""
    done = leakwatch("gone.log", "kern.log", "-o", "json", "--fail-on-oom")
    assert len(parsed(done.stdout)) == 4
    assert done.returncode == 1
    assert done.stderr.startswith("leakwatch: gone.log: cannot be opened")
    assert done.stderr.count("\n") == 1


def test_paths_folders_and_standard_input_in_one_call(log: Path, leakwatch: Run) -> None:
    """Every source under its own name, compressed or not, and incident numbers that no two share."""
    (log.parent / "old").mkdir()
    (log.parent / "old" / "kern.log.1.gz").write_bytes(gzip.compress(DUMP.encode()))
    events = parsed(leakwatch("-", "kern.log", "old", "-o", "json", stdin=DUMP).stdout)
    sources = dict.fromkeys(event["source"] for event in events)
    assert list(sources) == ["-", "kern.log", "old/kern.log.1.gz"]
    assert [{e["incident"] for e in events if e["source"] == source} for source in sources] == [{1}, {2}, {3}]


def test_since_leaves_out_what_is_older(log: Path, leakwatch: Run) -> None:
    """A time or an age, as kubectl and docker take it; what bears no time is shown, and that is said."""
    assert parsed(leakwatch("kern.log", "-o", "json", "--since", "2026-03-01T09:42:08Z").stdout) == []
    assert len(parsed(leakwatch("kern.log", "-o", "json", "--since", "2026-03-01T09:42:07Z").stdout)) == 4
    assert leakwatch("kern.log", "--since", "1s", "--fail-on-oom").returncode == 0
    assert parsed(leakwatch("kern.log", "-o", "json", "--since", "1s", "--summary").stdout) == []
    untimed = leakwatch(
        "-", "--since", "1h", "-o", "json", stdin="terminate called after throwing an instance of 'std::bad_alloc'\n"
    )
    assert len(parsed(untimed.stdout)) == 1
    assert "for want of a time that could be told: 1 event" in untimed.stderr


def test_the_year_is_the_one_in_which_the_file_was_written(log: Path, leakwatch: Run) -> None:
    """Syslog writes none; --year names another."""
    os.utime(log, (KILLED_AT - 365 * 86_400 + 60,) * 2)
    assert parsed(leakwatch("kern.log", "-o", "json").stdout)[-1]["at"] == KILLED_AT - 365 * 86_400
    assert parsed(leakwatch("kern.log", "-o", "json", "--year", "2026").stdout)[-1]["at"] == KILLED_AT


def test_a_file_over_the_turn_of_the_year(log: Path, leakwatch: Run) -> None:
    """What was written in December stands in a file that was last written in January."""
    log.write_text(DUMP.replace("Mar  1", "Dec 31") + DUMP.replace("Mar  1", "Jan  1"))
    new_year = 1_767_225_600.0
    os.utime(log, (new_year + 86_400,) * 2)
    kills = [e["at"] for e in parsed(leakwatch("kern.log", "-o", "json").stdout) if e["kind"] == "kernel_oom_kill"]
    time_of_day = KILLED_AT % 86_400
    assert kills == [new_year - 86_400 + time_of_day, new_year + time_of_day]


def test_the_zone_of_stamps_without_one(log: Path, leakwatch: Run) -> None:
    """It is this machine's, or the one that is named."""
    assert parsed(leakwatch("kern.log", "-o", "json", TZ="Asia/Tokyo").stdout)[-1]["at"] == KILLED_AT - 9 * 3600
    assert parsed(leakwatch("kern.log", "-o", "json", "--zone", "Europe/Berlin").stdout)[-1]["at"] == KILLED_AT - 3600


def test_the_boot_time_dates_stamps_that_count_from_it(leakwatch: Run) -> None:
    """`dmesg` without -T: unknown without --boot, and that is what it says."""
    dump = "".join(line.partition("kernel: ")[2] + "\n" for line in DUMP.splitlines())
    assert parsed(leakwatch("-", "-o", "json", stdin=dump).stdout)[-1]["at"] is None
    dated = parsed(leakwatch("-", "-o", "json", "--boot", "1790000000", stdin=dump).stdout)[-1]["at"]
    assert dated == pytest.approx(1_790_000_814.570220)


def test_analyze_joins_the_kill_with_the_trend(log: Path, leakwatch: Run) -> None:
    """`leakwatch analyze trace.csv --logs kern.log` gives the events and a sentence about the kill."""
    rows = [f"{KILLED_AT - 7 - 60 * (300 - i):.0f},{(40 + 0.53 * i) * 2**20:.0f},{204800 * 1024}" for i in range(301)]
    (log.parent / "trace.csv").write_text("\n".join(["timestamp,anon_bytes,limit_bytes", *rows]) + "\n")
    command = [sys.executable, "-m", "leakwatch", "analyze", "trace.csv", "--logs", "kern.log", "-o", "json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TZ": "UTC"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=log.parent, env=environment, check=False)
    assert done.returncode == 10, done.stderr
    [analysis] = json.loads(done.stdout)["analyses"]
    assert [event["kind"] for event in analysis["oom_events"]][-1] == "kernel_oom_kill"
    assert all(VALIDATOR.is_valid(event) for event in analysis["oom_events"])
    sentence = analysis["because"][-1]
    assert (
        "reached the limit of 200 MiB; the kernel killed tensorflow_mode (pid 2210) at 2026-03-01T09:42:07Z" in sentence
    )
    assert sentence.startswith("growth of ")
