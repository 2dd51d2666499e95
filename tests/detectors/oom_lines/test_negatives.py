"""Lines that speak of memory events without being any."""

import json
from pathlib import Path

import pytest

from detectors.oom_lines import Scanner

CORPUS = Path(__file__).parents[3].parent / "shared" / "corpus" / "oom_lines.dev.jsonl"


@pytest.mark.parametrize(
    "text",
    [
        'pr_err("%s: Killed process %d (%s) total-vm:%lukB, anon-rss:%lukB\\n",',
        "grep -i 'killed process' /var/log/kern.log",
        "dmesg -T | grep 'invoked oom-killer:'",
        r'Regex::new(r"oom-kill:.*task_memcg=/([^,]+)").unwrap();',
        'if state.Terminated.Reason == "OOMKilled" {',
        'kube_pod_container_status_last_terminated_reason{reason="OOMKilled"} 1',
        "If pods show `OOMKilled`, raise the limit.",
        "A container with exit code 137 was killed; exit code 137 means SIGKILL.",
        "earlyoom[1460]: mem avail:    56 of 15881 MiB ( 0.35%), swap free: 2555 of 4095 MiB",
        "systemd-oomd[93234]: Considered 97 cgroups for killing, top candidates were:",
        "The node was low on resource: ephemeral-storage. Container c was using 16372Ki, which exceeds its"
        " request of 0.",
        "rpc error: code = ResourceExhausted desc = grpc: received message larger than max (4194305 vs. 4194304)",
        "google.api_core.exceptions.ResourceExhausted: 429 RESOURCE_EXHAUSTED: Quota exceeded",
        "} catch (java.lang.OutOfMemoryError e) {",
        "-XX:+HeapDumpOnOutOfMemoryError -XX:OnOutOfMemoryError=/bin/kill",
        "except MemoryError:",
        "    raises MemoryError: if the array is too large",
        "terminate called after throwing an instance of 'std::runtime_error'",
        "Successfully reserved resources to load servable {name: s2d version: 1}",
        "Loading servable: {name: iris version: 3} failed: OUT_OF_RANGE: Read less bytes than requested",
        "[  139.201362] swap: usage 0kB, limit 9007199254740988kB, failcnt 0",
        "[  139.201362] memory+swap: usage 0kB, limit 9007199254740988kB, failcnt 0",
        "0/3 nodes are available: 3 Insufficient memory.",
        "HTTP 137 bytes, status=200 port=8137",
        "# A container that was killed \u2014 exit code 137 (OOM)",
        "Docker exit code 137: OOMKilled, or SIGKILL?",
        "- Exit code 137 (128 + 9 = SIGKILL)",
        "tags: exit code 137, OOM, SIGKILL",
        'Look for "Exited (137)" in the list.',
        "### 4. OOMKilled (Exit Code 137)",
        "docker inspect tells OOMKilled: true in the state of the container",
        "| `oom-kill:constraint=CONSTRAINT_NONE` | the node is full |",
    ],
)
def test_words_about_events_are_no_events(text: str) -> None:
    """Source code, searches, metrics, docs and daemons' chatter hold the same words."""
    scanner = Scanner()
    assert scanner.feed(text.encode() + b"\n") + scanner.finish() == []


def test_no_ordinary_line_of_the_corpus_is_an_event() -> None:
    """At most three in a thousand ordinary and hard negatives are taken for an event."""
    if not CORPUS.exists():
        pytest.skip("needs ../shared: oom_lines.dev.jsonl")
    rows = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
    wanted = [
        row for row in rows if row["label"] == "none" and not row.get("literal_positive") and not row.get("ambiguous")
    ]
    alarms = []
    for row in wanted:
        scanner = Scanner()
        if scanner.feed(row["text"].encode("utf-8", "surrogateescape") + b"\n") + scanner.finish():
            alarms.append(row["text"])
    assert len(alarms) <= 0.003 * len(wanted), alarms


def test_the_kinds_of_the_corpus_are_found() -> None:
    """At least 97 of 100 labelled lines are reported as their kind."""
    if not CORPUS.exists():
        pytest.skip("needs ../shared: oom_lines.dev.jsonl")
    rows = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
    wanted = [row for row in rows if row["label"] != "none" and not row.get("ambiguous")]
    missed = []
    for row in wanted:
        scanner = Scanner()
        events = scanner.feed(row["text"].encode("utf-8", "surrogateescape") + b"\n") + scanner.finish()
        if row["label"] not in {event.kind for event in events}:
            missed.append(row["text"])
    assert len(missed) <= 0.03 * len(wanted), missed


@pytest.mark.parametrize(
    "text",
    [
        '    "process exited with code 137": "error",',
        'if strings.Contains(err.Error(), "exit code: 137") {',
        "grep -Eqi 'CUDA out|CUDA error: out of memory|ChildFailedError' log",
        "if (status == CUDA_ERROR_OUT_OF_MEMORY) {",
        "  /java.lang.OutOfMemoryError: unable to create new native thread/ && next;",
        "* [Python exited with code 137](#python-exited-with-code-137)",
        "# The container takes 10 s to stop, exits with code 137",
        "Symptom: Pod killed with exit code 137",
        '{"target": "main.Execute","action":"oom","Flags":{"userId":"1.3.0.1"}}',
        "Look for messages such as `Task exited with return code Negsignal.SIGKILL`",
    ],
)
def test_sources_and_documents_that_name_an_event_are_none(text: str) -> None:
    """Keys of a table, alternatives of a pattern, headings and links: nothing of it has happened."""
    scanner = Scanner()
    assert scanner.feed(text.encode() + b"\n") + scanner.finish() == []
