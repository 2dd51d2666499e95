from dataclasses import replace

from detectors.types import Incident, Level
from leakwatch.agent.belonging import Identity
from leakwatch.agent.kill_count import KERNEL_KILL
from leakwatch.agent.target_state import TargetState
from leakwatch.settings import ConditionSettings, PidPlace, TargetSettings
from leakwatch.trace import Sample

T0 = 1_790_000_000.0
GIB = 2.0**30
KILL = Incident(1, "container", "serving\x1b[31m", 7, None, None, None, 2**30, None, T0 + 50, True, (), ("why",), ())


def state() -> TargetState:
    return TargetState(TargetSettings("serving", PidPlace(7)), ConditionSettings())


def sample(at: float, level: float, life: str = "a", **more: float) -> Sample:
    return Sample(T0 + at, {"anon_bytes": level, "limit_bytes": GIB, **more}, life)


def test_another_life_is_a_restart_and_told_once():
    """The first life is none, the second is one line, its later samples are none."""
    one = state()
    for at, life in ((0, "a"), (5, "a"), (10, "b"), (15, "b")):
        one.observe(sample(at, 1e8, life), "process")
    assert one.restarts == [T0 + 10]
    assert one.take_pending().lines == ("it restarted, nobody said why",)
    assert one.take_pending().lines == ()


def test_a_restart_that_leakwatch_asked_for_is_called_so():
    """Who reads the incident is not sent looking for somebody else; much later it is again nobody's."""
    one = state()
    one.acted_at = T0 + 8
    for at, life in ((0, "a"), (10, "b"), (600, "c")):
        one.observe(sample(at, 1e8, life), "process")
    assert one.take_pending().lines == ("it restarted, as leakwatch asked", "it restarted, nobody said why")


def test_a_counted_kill_is_an_alarm_that_says_how_near_the_limit_it_was():
    """The kernel's counter rises and another life begins: one alarm, one line, and the restart is a kill's."""
    one = state()
    one.observe(sample(0, 0.97 * GIB, "a", oom_kills_total=0.0), "cgroup")
    one.observe(sample(5, 0.1 * GIB, "b", oom_kills_total=1.0), "docker")
    pending = one.take_pending()
    assert pending.alarms == (
        "the kernel killed a process of it for want of memory, last seen at 97 % of its limit of 1 GiB",
    )
    assert pending.lines == ("it restarted, killed for want of memory",)
    assert one.kills.counts == {KERNEL_KILL: 1}


def test_a_kill_that_frees_the_memory_of_a_cgroup_that_lives_on_is_a_restart():
    """A process replaced within one cgroup is a new start, although the cgroup is the same."""
    one = state()
    for at, level, kills in ((0, 0.9, 0.0), (5, 0.2, 1.0), (10, 0.2, 1.0)):
        one.observe(sample(at, level * GIB, "a", oom_kills_total=kills), "cgroup")
    assert one.restarts == [T0 + 5]


def test_the_logs_line_of_a_counted_kill_is_a_line_not_an_alarm():
    """Who comes second adds what it knows; nothing in a name acts on a terminal."""
    one = state()
    one.observe(sample(45, 0.9 * GIB, oom_kills_total=0.0), "cgroup", Identity(pid=7))
    one.observe(sample(51, 0.1 * GIB, oom_kills_total=1.0), "cgroup")
    one.take_pending()
    assert one.observe_incident("/dev/kmsg", KILL, KERNEL_KILL, T0 + 55, own_log=False)
    pending = one.take_pending()
    assert pending.alarms == () and len(pending.lines) == 1
    assert "serving\\x1b[31m (pid 7) was killed" in pending.lines[0]
    one.observe_incident("/dev/kmsg", KILL, KERNEL_KILL, T0 + 60, own_log=False)
    assert one.take_pending().lines == () and one.kills.counts == {KERNEL_KILL: 1}
    assert one.incidents == (KILL,)


def test_somebody_elses_kill_is_not_taken():
    """An incident that names another process in the kernel's log says nothing of this target."""
    one = state()
    one.observe(sample(0, 1e8), "process", Identity(pid=7))
    assert not one.observe_incident("/dev/kmsg", replace(KILL, pid=8), KERNEL_KILL, T0, own_log=False)
    assert one.take_pending().alarms == () and one.kills.counts == {}


def test_numbers_of_two_logs_are_not_mixed_up():
    """Incident 1 of one log and incident 1 of another are two."""
    one = state()
    one.observe(sample(0, 1e8), "process", Identity(pid=7))
    one.observe_incident("/a", KILL, KERNEL_KILL, T0, own_log=True)
    one.observe_incident("/b", replace(KILL, at=T0 + 900), "cuda_oom", T0, own_log=True)
    assert one.kills.counts == {KERNEL_KILL: 1, "cuda_oom": 1}


def test_an_earlier_agents_samples_are_no_news():
    """Restored restarts are known and not told; the first sample after them is compared with the last before."""
    one = state()
    assert one.restore([sample(0, 1e8, "a"), sample(5, 1e8, "b")], None) == 2
    assert one.restarts == [T0 + 5] and one.take_pending().lines == ()
    one.observe(sample(10, 1e8, "c"), "process")
    assert one.restarts == [T0 + 5, T0 + 10] and len(one.take_pending().lines) == 1


def test_a_leak_is_seen_through_a_restart_of_the_agent():
    """Half of the growth before, half after: the verdict is the same as without the break."""
    samples = [sample(60 * i, 1e8 + 1e6 * i) for i in range(600)]
    whole, halves = state(), state()
    for one in samples:
        whole.observe(one, "process")
    halves.restore(samples[:300], None)
    for one in samples[300:]:
        halves.observe(one, "process")
    now = samples[-1].time_seconds
    assert whole.judge(now).level is not Level.QUIET
    assert halves.judge(now).level is whole.judge(now).level


def test_a_condition_is_told_when_it_begins_and_ends():
    """Over 90 % of the limit for a minute, then not: two sentences in all."""
    one = state()
    began, ended = [], []
    for i in range(60):
        one.observe(sample(10 * i, (0.95 if i < 30 else 0.5) * GIB), "cgroup")
        pending = one.take_pending()
        began, ended = began + list(pending.began), ended + list(pending.ended)
    assert [name for name, _ in began] == ["memory"] and [name for name, _ in ended] == ["memory"]
