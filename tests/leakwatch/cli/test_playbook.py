"""``leakwatch playbook`` as it is typed: what it prints, and with which status it ends."""

import json
import os
from pathlib import Path

import pytest

from leakwatch.cli import run
from tests.fakes.tf_serving import TfServing

ROOT = Path(__file__).parents[3]
TRACE = str(ROOT / "sample_traces/two_models_one_leaks.csv")
KERNEL_LOG = str(ROOT / "docs/examples/oom_kill.log")
OWN = """\
about: our own
start: end
questions: {}
findings: {end: {cause: Ours., confidence: likely, steps: [{do: call us}]}}
"""


def output_of(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    assert run(["playbook", *arguments]) == status
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_list(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Each tree is a line with when to use it; one's own are among them."""
    (tmp_path / "extra.yaml").write_text(OWN)
    lines = output_of(capsys, "list", "--playbooks", str(tmp_path)).splitlines()
    names = [
        "extra",
        "growth_that_is_no_leak",
        "memory_leak",
        "model_loading_failure",
        "oom_killed",
        "slow_predictions",
    ]
    assert [line.split()[0] for line in lines] == names
    assert lines[0].endswith("  our own")


def test_show_fits_the_screen(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A tree is drawn 80 columns wide in a pipe, or as wide as the screen; with --steps it tells what to do."""
    drawn = output_of(capsys, "show", "oom_killed")
    assert max(map(len, drawn.splitlines())) <= 80 and "? Was it the GPU's memory that ran out?" in drawn
    monkeypatch.setenv("COLUMNS", "132")
    wide = output_of(capsys, "show", "oom_killed", "--steps")
    assert 80 < max(map(len, wide.splitlines())) <= 132 and "leakwatch logs --summary kern.log" in wide


def test_run_with_a_trace(capsys: pytest.CaptureFixture[str]) -> None:
    """A trace alone leads to its cause; the JSON form says the same with confidence and remedy."""
    shown = output_of(capsys, "run", "memory_leak", "--trace", TRACE)
    assert "One model's requests leave memory behind" in shown and "embedder hold 91% of the leak" in shown
    diagnosis = json.loads(output_of(capsys, "run", "memory_leak", "--trace", TRACE, "-o", "json"))["diagnosis"]
    assert diagnosis["playbook"] == "memory_leak" and diagnosis["confidence"] == "likely"
    assert diagnosis["remedy"]["action"] == "restart"


def test_run_with_facts(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """What somebody wrote down outweighs what the trace says, and reaches what a trace cannot."""
    facts = tmp_path / "facts.yaml"
    facts.write_text("server_kind: tf_serving\nconfig_polled: true\n")
    command = ["run", "memory_leak", "--trace", TRACE, "--facts", str(facts), "-o", "json"]
    diagnosis = json.loads(output_of(capsys, *command))["diagnosis"]
    assert diagnosis["remedy"]["action"] == "reload_model"
    facts.write_text("verdict: undecided\n")
    assert json.loads(output_of(capsys, *command))["diagnosis"]["remedy"] is None


def test_run_with_logs(capsys: pytest.CaptureFixture[str]) -> None:
    """Logs alone prove a kill."""
    diagnosis = json.loads(output_of(capsys, "run", "oom_killed", "--logs", KERNEL_LOG, "-o", "json"))["diagnosis"]
    proven = next(one for one in diagnosis["path"] if one["ask"].startswith("Is it proven"))
    assert proven["answer"] == "yes" and "tensorflow" in proven["evidence"]


def test_run_with_a_process(capsys: pytest.CaptureFixture[str]) -> None:
    """A process on this machine tells its own flags, allocator and threads."""
    command = ["run", "slow_predictions", "--pid", str(os.getpid()), "-o", "json"]
    path = json.loads(output_of(capsys, *command))["diagnosis"]["path"]
    assert {one["ask"] for one in path if one["answer"] != "unknown"} == set()
    leak = ["run", "memory_leak", "--trace", TRACE, "--pid", str(os.getpid()), "-o", "json"]
    path = json.loads(output_of(capsys, *leak))["diagnosis"]["path"]
    (asked,) = (one for one in path if one["ask"] == "Is the server Triton?")
    assert asked["answer"] == "no" and asked["evidence"].startswith("the program is ")


def test_run_with_a_server(capsys: pytest.CaptureFixture[str]) -> None:
    """A server is asked for its models: one that failed has its cause, one that nobody knows another."""
    server = TfServing()
    server.load("bert", 7, ok=False)
    with server.served():
        command = ["run", "model_loading_failure", "--server", server.url, "-o", "json"]
        diagnosis = json.loads(output_of(capsys, *command, "--model", "bert"))["diagnosis"]
        assert diagnosis["cause"] == "The version's files were not found."
        diagnosis = json.loads(output_of(capsys, *command, "--model", "brat"))["diagnosis"]
        assert diagnosis["cause"] == "The server does not know a model of that name."
    diagnosis = json.loads(output_of(capsys, *command))["diagnosis"]
    assert diagnosis["path"][0]["answer"] == "no" and "takes no connections" in diagnosis["path"][0]["evidence"]


def test_run_with_a_manifest(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """How the container is deployed answers what neither a trace nor a log can."""
    manifest = str(ROOT / "docs/examples/lint/serving.yaml")
    facts = tmp_path / "facts.yaml"
    facts.write_text("server_answers: false\nprocess_running: false\nended_by: sigkill\noom_proven: false\n")
    killed = ["run", "model_loading_failure", "--manifest", manifest, "--facts", str(facts), "-o", "json"]
    cause = json.loads(output_of(capsys, *killed))["diagnosis"]["cause"]
    assert cause.startswith("The liveness probe kills it before its load is over")
    leak = ["run", "memory_leak", "--trace", TRACE, "--manifest", manifest, "-o", "json"]
    asked = {one["ask"]: one for one in json.loads(output_of(capsys, *leak))["diagnosis"]["path"]}
    polled = asked["Does TF Serving poll its model config, so that one model can be reloaded alone?"]
    assert (polled["answer"], polled["evidence"]) == ("no", "--model_config_file_poll_wait_seconds is not given")


def test_kills_lead_into_the_leak(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A leak whose kill the kernel's log proves is walked through both trees, and no proof is asked for again."""
    trace = ROOT / "sample_traces/cgroup_oom_kills.csv"
    log = tmp_path / "kern.log"
    lines = [
        "memory: usage 49152kB, limit 49152kB, failcnt 30",
        "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a,task_memcg=/a,"
        "task=python,pid=4711,uid=0",
        "Memory cgroup out of memory: Killed process 4711 (python) total-vm:60000kB, anon-rss:48000kB, file-rss:100kB, "
        "shmem-rss:0kB, UID:0 pgtables:100kB oom_score_adj:0",
    ]
    log.write_text("".join(f"2026-11-23T15:17:37.000000+00:00 host kernel: {line}\n" for line in lines))
    assert run(["analyze", str(trace), "--logs", str(log), "-o", "json"]) == 10
    diagnosis = json.loads(capsys.readouterr().out)["analyses"][0]["diagnosis"]
    assert diagnosis["playbook"] == "oom_killed"
    assert diagnosis["cause"].startswith(
        "A leak reached the limit, and the kernel killed the process. It grows with the"
    )
    asked = {one["ask"]: one for one in diagnosis["path"]}
    assert asked["Is it proven that memory ran out and something was killed for it?"]["evidence"] == (
        "the kernel killed python (pid 4711)"
    )
    assert asked["Is the verdict a leak?"]["answer"] == asked["Is an OOM kill proven?"]["answer"] == "yes"
    assert not any("Prove the kill" in step for step in diagnosis["steps"])
    command = ["run", "oom_killed", "--trace", str(trace), "--logs", str(log), "-o", "json"]
    walked = json.loads(output_of(capsys, *command))["diagnosis"]
    assert {name: walked[name] for name in diagnosis} == diagnosis


def test_the_limit_of_a_manifest(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A trace that knows no limit takes the manifest's, and --limit goes before both."""
    compose = tmp_path / "compose.yaml"
    compose.write_text("services:\n  serving:\n    image: tensorflow/serving\n    mem_limit: 200m\n")
    trace = str(ROOT / "sample_traces/tf_retained_tensors.csv")
    command = ["run", "memory_leak", "--trace", trace, "-o", "json"]
    question = "May the limit be reached within a day?"
    assert question not in output_of(capsys, *command)
    assert question in output_of(capsys, *command, "--manifest", str(compose))
    assert question in output_of(capsys, *command, "--limit", "64GiB")


def test_run_with_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a source every answer is unknown, and says what to record."""
    diagnosis = json.loads(output_of(capsys, "run", "slow_predictions", "-o", "json"))["diagnosis"]
    assert {one["answer"] for one in diagnosis["path"]} == {"unknown"}
    assert all("; record " in one["evidence"] for one in diagnosis["path"])


def test_own_trees_by_a_variable(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LEAKWATCH_PLAYBOOKS names folders as --playbooks does, for analyze too."""
    (tmp_path / "memory_leak.yaml").write_text(OWN)
    monkeypatch.setenv("LEAKWATCH_PLAYBOOKS", str(tmp_path))
    assert "• Ours. (likely)" in output_of(capsys, "run", "memory_leak")
    assert run(["analyze", TRACE, "-o", "json"]) == 10
    assert json.loads(capsys.readouterr().out)["analyses"][0]["diagnosis"]["cause"] == "Ours."


def test_trials(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The built-in trees hold: 0. A tree whose branches no case reaches does not: 10, with every branch told."""
    lines = output_of(capsys, "test").splitlines()
    assert len(lines) == 5 and all(line.endswith(": holds") for line in lines)
    (tmp_path / "own.yaml").write_text(OWN)
    assert output_of(capsys, "test", str(tmp_path), status=10).splitlines() == [
        "own  0 cases: 1 problem",
        f"  {tmp_path}/cases/own.yaml:1: no case reaches finding 'end'",
    ]


def test_what_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A tree that is not there and facts that are none are wrong usage; a trace of many needs a name."""
    assert run(["playbook"]) == 2
    assert capsys.readouterr().err == "leakwatch: Missing command; see 'leakwatch playbook --help'\n"
    assert run(["playbook", "show", "no_such_tree"]) == 2
    assert "there is no playbook 'no_such_tree'; there are growth_that_is_no_leak, " in capsys.readouterr().err
    facts = tmp_path / "facts.yaml"
    facts.write_text("cpu: 1\nshape: up\n")
    assert run(["playbook", "run", "memory_leak", "--facts", str(facts)]) == 2
    assert [line.split(": ")[1] for line in capsys.readouterr().err.splitlines()] == [f"{facts}:1", f"{facts}:2"]
    many = tmp_path / "many.csv"
    many.write_text("timestamp,container,anon_bytes\n1,a,1\n1,b,2\n2,a,1\n2,b,2\n")
    assert run(["playbook", "run", "memory_leak", "--trace", str(many)]) == 1
    assert "holds 2 containers; name one with --container: a, b" in capsys.readouterr().err
    assert run(["playbook", "run", "memory_leak", "--trace", str(many), "--container", "c"]) == 1
    assert "holds no container 'c'; it holds a, b" in capsys.readouterr().err
    assert run(["playbook", "run", "memory_leak", "--trace", str(many), "--container", "b"]) == 0
    capsys.readouterr()
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "memory_leak.yaml").write_text(OWN.replace("likely", "sure") + "more: 1\n")
    assert run(["analyze", TRACE, "--playbooks", str(bad)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and [line.split(": ")[1] for line in err.splitlines()] == [
        f"{bad}/memory_leak.yaml:4",
        f"{bad}/memory_leak.yaml:5",
    ]
