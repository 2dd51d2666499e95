"""What a claimed group is told to come from: a release, a node, traffic, or none of them."""

from collections.abc import Sequence

import numpy as np

from detectors.types import Shape
from leakwatch.fleet.grouping import claim, group_tasks, judge_group
from leakwatch.fleet.judging import Task, judge, settled
from leakwatch.members import Grid, Group, Judged
from leakwatch.sample.datasets import Chunk
from leakwatch.trace import Target, Trace

START, POINTS = 1_790_000_000.0, 720
TIME = START + 120.0 * np.arange(POINTS)
GRID = Grid(float(TIME[0]), float(TIME[-1]), 144)
SLOPE = 4e3


def replica(number: int, image: str, node: str, slope: float = 0.0, began: int = 0, workload: str = "web") -> Judged:
    random = np.random.default_rng((number, len(image)))
    time = TIME[began:]
    level = 2e9 * random.uniform(0.9, 1.1) + random.normal(0, 1e7, len(time)) + slope * (time - time[0])
    labels = {"namespace": "ml", "workload": workload, "pod": f"{workload}-{number}", "image": image, "node": node}
    trace = Trace(Target("made", labels["pod"]), time, {"anon_bytes": level}, 8e9)
    return judge(labels | {"container": "server"}, trace, Task(Chunk(0, (), None), GRID))


def groups_of(judged: Sequence[Judged]) -> dict[str, Group]:
    tasks = group_tasks(judged, ("workload", "image", "node"), GRID)
    return {group.name: group for group in claim([one for task in tasks for one in judge_group(task)], GRID)}


def test_a_roll_out_is_told() -> None:
    """Pods of the new image are young, and grow from their first moment on; the old image does not."""
    old = [replica(i, "web:v46", f"node{i % 5}") for i in range(6)]
    new = [replica(10 + i, "web:v47", f"node{i % 5}", SLOPE, began=200) for i in range(6)]
    found = groups_of(old + new)
    because = found["web:v47"].because
    assert found["web:v47"].claimed
    assert because[0].startswith("began with the roll-out at 2026-09-21T")
    assert because[1] == "no other image of web rises (1 judged): it came with this image"
    assert not found["web:v46"].claimed


def test_traffic_is_told_from_a_release() -> None:
    """All images of a workload rise alike: it did not come with one of them."""
    found = groups_of(
        [replica(i, f"web:v{46 + i % 2}", f"node{i % 5}", SLOPE) for i in range(12)],
    )
    for image in ("web:v46", "web:v47"):
        assert found[image].claimed
        assert "every other image of web rises alike: what they share is the cause, not this image" in (
            found[image].because
        )
    assert found["ml/web"].because[0] == "all of its 2 images rise: traffic or data, not a release"


def test_a_node_is_told_from_a_release() -> None:
    """Whatever runs on one node rises, and the same images do not rise elsewhere."""
    judged = [
        replica(10 * w + i, f"{w}:v1", f"node{i % 4}", SLOPE if i % 4 == 2 else 0.0, workload=f"web{w}")
        for w in range(4)
        for i in range(8)
    ]
    found = groups_of(judged)
    assert {name for name, group in found.items() if group.claimed} == {"node2"}
    assert found["node2"].because[0].startswith("4 images rise on it together: the node, or what it serves")


def test_a_release_that_fills_a_node_does_not_blame_the_node() -> None:
    """The node runs nothing but the image that leaks everywhere."""
    judged = [replica(i, "web:v47", f"node{i % 2}", SLOPE) for i in range(8)]
    judged += [replica(20 + i, "web:v46", "node9") for i in range(4)]
    found = groups_of(judged)
    assert "it runs nothing but web:v47, which leaks: the release, not the node" in found["node0"].because


def test_one_bad_replica_is_no_group() -> None:
    """It is found alone; its workload, image and node are not claimed."""
    judged = [replica(i, "web:v46", f"node{i % 2}", 10 * SLOPE if i == 3 else 0.0) for i in range(8)]
    assert not any(group.claimed for group in groups_of(judged).values())


def test_those_that_the_server_settled_count_as_still() -> None:
    """Three that rise beside twenty that were not even read are not their workload."""
    judged = [replica(i, "web:v46", "node1", SLOPE) for i in range(3)]
    labels = {"namespace": "ml", "workload": "web", "container": "server", "image": "web:v46"}
    still = [settled(labels | {"pod": f"still-{i}"}) for i in range(20)]
    found = groups_of(judged + still)["ml/web"]
    assert (found.replicas, found.still, found.claimed) == (3, 20, False)
    assert found.shape in Shape
    assert groups_of(judged)["ml/web"].claimed
