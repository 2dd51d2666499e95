from dataclasses import replace

import pytest

from detectors.types import Incident
from leakwatch.agent.belonging import Identity, belongs, ids_in

ID = "0123456789abcdef" * 4
UID = "6b8f1a2c-1d2e-4f3a-9b8c-0a1b2c3d4e5f"
NOTHING = Incident(1, "container", "a", None, None, None, None, None, None, None, True, (), (), ())


@pytest.mark.parametrize(
    ("incident", "identity", "own"),
    [
        (replace(NOTHING, pid=7), Identity(pid=7), True),
        (replace(NOTHING, pid=8), Identity(pid=7), False),
        (replace(NOTHING, cgroup="/a/b"), Identity(cgroup="/sys/fs/cgroup/memory/a/b"), True),
        (replace(NOTHING, cgroup="/a/b"), Identity(cgroup="/a/b"), True),
        (replace(NOTHING, cgroup="/"), Identity(cgroup="/a/b"), False),
        (replace(NOTHING, cgroup="/a/c"), Identity(cgroup="/a/b"), False),
        (replace(NOTHING, container_id=ID), Identity(ids=frozenset({ID[:12]})), True),
        (replace(NOTHING, pod_uid=UID), Identity(ids=ids_in(f"/kubepods-pod{UID.replace('-', '_')}.slice")), True),
        (replace(NOTHING, container_id="f" * 64), Identity(ids=frozenset({ID})), False),
        (NOTHING, Identity(pid=7, cgroup="/a", ids=frozenset({ID})), False),
    ],
)
def test_a_line_of_the_kernel_belongs_by_what_it_names(incident: Incident, identity: Identity, own: bool):
    """Process, cgroup, container or pod; a line that names none of a target's is somebody else's."""
    assert belongs(incident, (Identity(), identity), own_log=False) is own


def test_a_targets_own_log_is_its_own_unless_it_names_another():
    """A server's log tells of the server; one that a node's containers share names whom it means."""
    ours = (Identity(ids=frozenset({ID})),)
    assert belongs(NOTHING, ours, own_log=True)
    assert not belongs(replace(NOTHING, container_id="f" * 64), ours, own_log=True)
    assert belongs(replace(NOTHING, container_id="f" * 64), (Identity(pid=1),), own_log=True)
