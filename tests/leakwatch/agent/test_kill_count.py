from hypothesis import given
from hypothesis import strategies as st

from leakwatch.agent.kill_count import KERNEL_KILL, KillCount
from leakwatch.trace import Sample

T0 = 1_790_000_000.0


def sample(at: float, kills: float, life: str = "a") -> Sample:
    return Sample(T0 + at, {"oom_kills_total": kills}, life)


def test_a_counter_that_rises_tells_of_as_many_kills():
    """What the counter held at the first look is not ours; each rise after it is."""
    count = KillCount()
    assert [count.of_sample(sample(i, kills), "cgroup") for i, kills in enumerate((5, 5, 6, 6, 8))] == [0, 0, 1, 0, 2]
    assert count.counts == {KERNEL_KILL: 3}


def test_a_kill_that_counter_and_log_both_tell_is_one():
    """In either order; a second kill five minutes later is a second one."""
    count = KillCount()
    count.of_sample(sample(0, 0), "cgroup")
    assert count.of_sample(sample(10, 1), "cgroup") == 1
    assert not count.of_log(T0 + 12, KERNEL_KILL)
    assert count.of_log(T0 + 310, KERNEL_KILL)
    assert count.of_sample(sample(315, 2), "cgroup") == 0
    assert count.counts == {KERNEL_KILL: 2}


def test_a_new_cgroups_counter_begins_at_nothing():
    """A container that is made anew has a counter of its own; what it holds at its first look happened in its life."""
    count = KillCount()
    count.of_sample(sample(0, 1, "a"), "cgroup")
    assert count.of_sample(sample(5, 1, "b"), "cgroup") == 1
    assert count.of_sample(sample(10, 0, "c"), "cgroup") == 0


def test_a_counter_that_goes_on_across_lives_counts_once():
    """Docker and Kubernetes count over lives, and the cgroup of a container outlives its process."""
    count = KillCount()
    for source, kills, life, told in (("docker", 0, "a", 0), ("docker", 1, "b", 1), ("docker", 1, "c", 0)):
        assert count.of_sample(sample(0, kills, life), source) == told


def test_what_happened_while_the_agent_was_away_is_counted_once():
    """The note of the old agent lets the new one see the rise between them, and the log's line of the same kill."""
    first = KillCount()
    first.of_sample(sample(0, 0), "cgroup")
    second = KillCount.from_note(first.as_note())
    assert second.of_sample(sample(60, 1), "cgroup") == 1
    third = KillCount.from_note(second.as_note())
    assert not third.of_log(T0 + 58, KERNEL_KILL)
    assert third.of_sample(sample(65, 1), "cgroup") == 0
    assert third.counts == {KERNEL_KILL: 1}


@given(st.text() | st.just('{"counts": {"a": "x"}}') | st.just("[1]") | st.just('{"counter": 3}') | st.none())
def test_a_note_that_cannot_be_read_is_no_note(note: str | None):
    """Whatever stands in the file, the count begins at nothing and the agent with it."""
    assert KillCount.from_note(note).counts == {}


witnesses = st.lists(st.tuples(st.booleans(), st.floats(0, 1000)), max_size=30)


@given(witnesses)
def test_two_witnesses_never_count_more_than_either_tells_together(told: list[tuple[bool, float]]):
    """The count lies between the larger of the two witnesses' and their sum."""
    count, logs, counter = KillCount(), 0, 0
    count.of_sample(sample(0, 0), "cgroup")
    for is_log, at in sorted(told, key=lambda one: one[1]):
        if is_log:
            logs += 1
            count.of_log(T0 + at, KERNEL_KILL)
        else:
            counter += 1
            count.of_sample(sample(at, counter), "cgroup")
    assert max(logs, counter) <= sum(count.counts.values()) <= logs + counter
