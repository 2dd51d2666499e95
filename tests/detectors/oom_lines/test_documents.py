"""Pod status and docker inspect in all their forms."""

import json
from collections.abc import Callable

import pytest

from detectors.oom_lines import Scanner
from detectors.types import OomEvent

ID = "65183c1877aaec2e8427bc95609cc52677a454b56fcb24340dbd22917c23b10f"
UID = "860629c4-fd5e-11e7-880c-6c626d3ed96f"
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "serving-0",
        "namespace": "ml",
        "ownerReferences": [{"kind": "ReplicaSet", "name": "serving", "uid": "00000000-1111-2222-3333-444444444444"}],
        "uid": UID,
    },
    "status": {
        "containerStatuses": [
            {"containerID": "containerd://" + "1" * 64, "name": "sidecar", "ready": True, "restartCount": 0},
            {
                "containerID": "containerd://" + "2" * 64,
                "lastState": {
                    "terminated": {"containerID": f"containerd://{ID}", "exitCode": 137, "reason": "OOMKilled"}
                },
                "name": "serving",
                "restartCount": 4,
            },
        ],
    },
}
YAML = f"""apiVersion: v1
kind: Pod
metadata:
  name: serving-0
  namespace: ml
  ownerReferences:
  - kind: ReplicaSet
    name: serving
    uid: 00000000-1111-2222-3333-444444444444
  uid: {UID}
status:
  containerStatuses:
  - containerID: containerd://{"1" * 64}
    name: sidecar
    restartCount: 0
  - containerID: containerd://{"2" * 64}
    lastState:
      terminated:
        containerID: containerd://{ID}
        exitCode: 137
        reason: OOMKilled
    name: serving
    restartCount: 4
"""
DESCRIBE = f"""Name:         serving-0
Namespace:    ml
Containers:
  sidecar:
    Container ID:  containerd://{"1" * 64}
    Image:         busybox
    Restart Count:  0
  serving:
    Container ID:  containerd://{ID}
    Image:         tensorflow/serving
    State:          Running
      Started:      Mon, 18 Jan 2021 18:31:57 +0800
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
      Started:      Mon, 18 Jan 2021 18:29:20 +0800
    Ready:          True
    Restart Count:  4
    Limits:
      cpu:     1
      memory:  1Gi
"""
COMMON = {
    "reason": "OOMKilled",
    "exit_code": 137,
    "container": "serving",
    "container_id": ID,
    "restart_count": 4,
    "pod": "serving-0",
}


def scan(text: str) -> list[OomEvent]:
    scanner = Scanner()
    return scanner.feed(text.encode()) + scanner.finish()


@pytest.mark.parametrize(
    ("text", "uid"),
    [
        (json.dumps(POD), UID),
        (json.dumps(POD, indent=4), UID),
        (json.dumps({"kind": "List", "items": [POD]}, indent=2), UID),
        (YAML, UID),
        ("".join(f"> {line}\n" for line in YAML.splitlines()), UID),
        (DESCRIBE, None),
    ],
    ids=["compact JSON", "JSON", "JSON list", "YAML", "quoted YAML", "describe"],
)
def test_every_form_tells_the_same(text: str, uid: str | None) -> None:
    """The container that was killed, not its sidecar; its pod, not the pod's owner; one event, not one more for 137."""
    (event,) = scan(text)
    assert event.kind == "k8s_status_oomkilled"
    assert {name: event.fields.get(name) for name in COMMON} == COMMON
    assert event.fields.get("pod_uid") == uid
    assert not event.proves_oom


def test_an_end_by_137_for_another_reason_is_told_as_that() -> None:
    """A grace period that ran out is 137 as well: not an OOM."""
    (event,) = scan(DESCRIBE.replace("OOMKilled", "Error"))
    assert event.kind == "process_killed_137"
    assert event.fields["exit_code"] == 137
    assert event.fields["reason"] == "Error"
    assert scan(DESCRIBE.replace("OOMKilled", "Completed").replace("137", "0")) == []


@pytest.mark.parametrize("code", [0, 1, 2])
def test_oomkilled_with_another_status_is_still_told(code: int) -> None:
    """The main process may outlive the child that was killed, and end in its own way."""
    (event,) = scan(DESCRIBE.replace("137", str(code)))
    assert (event.kind, event.fields["exit_code"]) == ("k8s_status_oomkilled", code)


@pytest.mark.parametrize("indent", [None, 2])
def test_docker_inspect(indent: int | None) -> None:
    """The flag, with the exit code beside it and the container's id around it."""
    state = [{"Id": ID, "State": {"Status": "exited", "OOMKilled": True, "ExitCode": 137}, "Name": "/serving"}]
    (event,) = [event for event in scan(json.dumps(state, indent=indent)) if event.kind == "docker_oom_event"]
    assert event.fields["exit_code"] == 137
    assert event.fields["container_id"] == ID


def test_a_document_cut_short_still_tells_what_is_there() -> None:
    """Excerpts in reports begin and end anywhere."""
    lines = DESCRIBE.splitlines(keepends=True)
    for first in range(13):
        for last in range(14, len(lines) + 1):
            (event,) = scan("".join(lines[first:last]))
            assert event.fields["reason"] == "OOMKilled"


def test_neighbours_in_a_list_are_kept_apart() -> None:
    """A container that stands behind the one that was killed lends it nothing."""
    listed = """status:
  containerStatuses:
  - lastState:
      terminated:
        reason: OOMKilled
  - name: sidecar
    containerID: containerd://1111111111111111
    restartCount: 9
  - name: other
    lastState:
      terminated:
        reason: OOMKilled
    restartCount: 2
"""
    first, second = scan(listed)
    assert {"container", "restart_count", "container_id"}.isdisjoint(first.fields)
    assert (second.fields["container"], second.fields["restart_count"]) == ("other", 2)
    assert "container_id" not in second.fields


NODE_EVENT = """apiVersion: v1
kind: Event
message: 'Memory cgroup out of memory: Killed process 12 (java) total-vm:9kB, anon-rss:8kB, file-rss:0kB'
reason: OOMKilling
"""
STATUS = """    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
    Ready:          True
    Restart Count:  4
"""


def test_the_reason_beside_the_message_makes_it_node_problem_detectors() -> None:
    """The kernel's line in an event's message is told as that event, whatever their order."""
    turned = NODE_EVENT.replace("reason: OOMKilling\n", "").replace("kind: Event", "reason: OOMKilling")
    for text in (NODE_EVENT, turned):
        scanner = Scanner()
        events = scanner.feed(text.encode()) + scanner.finish()
        assert [(event.kind, event.fields["pid"]) for event in events] == [("kubelet_oom_event", 12)]


@pytest.mark.parametrize(
    "carry",
    [
        lambda text: "".join(f"2024-05-01T10:11:12.1234567Z {line}\n" for line in text.splitlines()),
        lambda text: "".join(f"2024-05-01T10:11:12.123456789Z stdout F {line}\n" for line in text.splitlines()),
        lambda text: "".join(f"web_1  | {line}\n" for line in text.splitlines()),
        lambda text: "".join(f"\x1b[31m{line}\x1b[0m\n" for line in text.splitlines()),
        lambda text: "".join(json.dumps({"log": f"{line}\n", "stream": "stdout"}) + "\n" for line in text.splitlines()),
        lambda text: json.dumps({"level": "error", "msg": text}) + "\n",
        lambda text: json.dumps({"output": text}) + "\n",
        lambda text: '    "' + text.replace("\n", "\\n") + '",\n',
        lambda text: 'level=error msg="' + text.replace("\n", "\\n") + '"\n',
    ],
    ids=["ci", "cri", "compose", "colours", "docker", "json", "json-key", "string", "logfmt"],
)
def test_a_status_is_read_in_whatever_carries_it(carry: Callable[[str], str]) -> None:
    """Output of kubectl in a log of its own: each line behind a time or a name, or all lines within one."""
    scanner = Scanner()
    events = scanner.feed(carry(STATUS).encode()) + scanner.finish()
    assert [event.kind for event in events] == ["k8s_status_oomkilled"]
    assert (events[0].fields["exit_code"], events[0].fields["restart_count"]) == (137, 4)
