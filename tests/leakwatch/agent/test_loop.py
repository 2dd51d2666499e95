import logging
import resource
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from leakwatch.act.decision import Case, Decision, Happening, Ruling
from leakwatch.agent.hand import Hand
from leakwatch.errors import SourceError
from leakwatch.tell.metrics_page import as_text

Make = Callable[..., "Bench"]  # noqa: F821 - in conftest.py


def test_a_leak_is_told_in_one_incident(bench: Make):
    """From quiet to leak: one message that opens the incident, and the page says leak with a slope and a time left."""
    one = bench()
    one.beats(30)
    one.sources["serving"].growth_per_second = 3e4
    one.until(lambda: one.said())
    one.beats(30)
    assert [stage for stage, _ in one.said()].count("opened") == 1
    assert one.said()[0][1].startswith("LEAK serving: anon grows")
    (target,) = one.agent.page.targets
    assert target.verdict == "leak" and target.seconds_to_limit is not None and target.slope_bytes_per_second


class Asked:
    """Who would act, and keeps what it is asked."""

    def __init__(self) -> None:
        self.cases: list[Case] = []

    def consider(self, case: Case) -> Decision:
        self.cases.append(case)
        return Decision(case, Ruling.NOTHING, (), 0.0)

    def happenings(self) -> tuple[Happening, ...]:
        return ()

    def draining(self) -> frozenset[str]:
        return frozenset()

    def close(self) -> None:
        pass


def test_the_first_case_of_an_incident_bears_its_key(bench: Make):
    """What was tried is remembered by incident: were the first case without its key, a reload that did not help would
    be made again."""
    one, asked = bench(), Asked()
    one.end()
    one.hand, decisions = Hand(lambda: asked), list[Decision]()
    one.decided = decisions.append
    one.begin()
    one.beats(30)
    one.sources["serving"].growth_per_second = 3e4
    one.until(lambda: len(asked.cases) > 3)
    one.hand.close()
    key = one.telling.incident("serving").key
    assert key is not None and key.startswith("serving@")
    assert {case.incident for case in asked.cases} == {key}
    assert decisions and {decision.case.incident for decision in decisions} == {key}


def test_a_quiet_target_is_silent(bench: Make):
    """Memory that stays where it is says nothing on any channel."""
    one = bench()
    one.beats(150)
    assert one.said() == [] and one.agent.page.targets[0].verdict in ("no_leak", "undecided")


def test_a_kill_is_counted_across_a_restart_of_the_agent(bench: Make):
    """One kill under the first agent, one while none ran: the second one's page has two, each told once."""
    one = bench()
    source = one.sources["serving"]
    one.beats(5)
    source.values["oom_kills_total"], source.life = 1.0, "a"
    one.until(lambda: one.agent.page.targets[0].oom_events)
    one.until(lambda: one.said())
    one.end()
    source.values["oom_kills_total"] = 2.0
    one.begin()
    one.beats(5)
    assert one.agent.page.targets[0].oom_events == {"kernel_oom_kill": 2}
    assert b'leakwatch_oom_events_total{container="serving",kind="kernel_oom_kill"} 2.0' in as_text(one.agent.page)


def test_an_incident_goes_on_after_a_restart_of_the_agent(bench: Make):
    """The new agent knows the leak from the history and does not open the incident a second time."""
    one = bench()
    one.sources["serving"].growth_per_second = 3e4
    one.until(lambda: one.said())
    one.end()
    one.begin()
    one.beats(40)
    assert one.agent.page.targets[0].verdict == "leak"
    assert [stage for stage, _ in one.said()].count("opened") == 1


def test_an_incident_of_what_is_gone_for_good_is_resolved(bench: Make):
    """A container that was removed leaves no incident open; that it was away for a moment ends none."""
    one = bench()
    source = one.sources["serving"]
    source.growth_per_second = 3e4
    one.until(lambda: one.said())
    gone = SourceError("docker", "there is no container serving", "start it", gone=True)
    source.error = gone
    one.until(lambda: one.agent.looks.outcomes["cgroup", "gone"])
    source.error = None
    one.beats(20)
    assert "resolved" not in [stage for stage, _ in one.said()]
    source.error = gone
    one.until(lambda: "resolved" in [stage for stage, _ in one.said()])
    for _ in range(20):
        one.agent.cycle()
    stage, title = one.said()[-1]
    assert stage == "resolved" and "there is no container serving" in title and "anon grew" in title
    assert [stage for stage, _ in one.said()].count("resolved") == 1


def test_an_incident_of_a_target_that_is_no_longer_watched_is_resolved(bench: Make):
    """A pod that went away with its target, or one that was taken out of the settings, ends its incident; at once it
    does not, since a cluster that does not answer for a minute makes every pod look so."""
    one = bench("pod", "serving")
    one.sources["pod"].growth_per_second = 3e4
    one.until(lambda: one.said())
    one.end()
    del one.sources["pod"]
    one.settings = replace(one.settings, targets=one.settings.targets[1:])
    one.begin()
    one.beats(5)
    assert [stage for stage, _ in one.said()][-1] != "resolved"
    for _ in range(25):  # where pods come and go, the list of targets changes again and again
        one.end()
        one.begin()
        one.beats(5)
    assert one.said()[-1][0] == "resolved"
    assert (
        one.said()[-1][1].startswith("RESOLVED pod: open for ") and "no longer among the targets" in one.said()[-1][1]
    )


def test_a_source_that_hangs_delays_no_other(bench: Make):
    """While one target's source does not answer, the other one's samples come, and the agent is well."""
    one = bench("hung", "well")
    one.beats(5)
    one.sources["hung"].open.clear()
    one.beats(3)
    before = len(one.times("well")), len(one.times("hung"))
    one.beats(30)
    assert len(one.times("well")) >= before[0] + 29 and len(one.times("hung")) <= before[1] + 1
    one.agent.cycle()
    assert not one.agent.misses_beats()


def test_a_source_that_fails_is_counted_and_told_once(bench: Make, caplog: pytest.LogCaptureFixture):
    """Ten failures of one wording are one line of the log, and an outcome of their own on the page."""
    one = bench()
    one.beats(2)
    one.sources["serving"].error = SourceError("cgroup", "may not be read\x1b[2J", "run as root")
    with caplog.at_level(logging.WARNING):
        one.until(lambda: one.agent.looks.outcomes["cgroup", "failed"] >= 5)
    assert [record.getMessage() for record in caplog.records] == [
        "serving: cgroup: may not be read\\x1b[2J; run as root"
    ]


def test_a_clock_that_is_set_back_costs_nothing(bench: Make):
    """An hour back in the middle of a leak: the past moves with it, the leak is held, no second incident opens."""
    one = bench()
    one.sources["serving"].growth_per_second = 3e4
    one.until(lambda: one.said())
    one.clock.set_by -= 3600.0
    one.beats(40)
    assert one.agent.page.targets[0].verdict == "leak"
    assert [stage for stage, _ in one.said()].count("opened") == 1
    assert np.all(np.diff(one.times()) > 0) and one.times()[-1] <= one.clock.now()


def test_a_clock_that_is_set_forward_makes_no_slope(bench: Make):
    """A day forward is no day of watching: the past moves along, and the spacing of the samples stays."""
    one = bench()
    one.beats(30)
    one.clock.set_by += 86_400.0
    one.beats(30)
    assert np.diff(one.times()).max() < 7200.0
    assert one.said() == []


def test_a_suspended_machine_is_a_gap(bench: Make):
    """Eight hours of sleep stay eight hours in the past, and are no restart, no leak and no missed beat."""
    one = bench()
    one.beats(60)
    one.clock.slept += 8 * 3600.0
    one.agent.cycle()
    one.beats(60)
    assert 8 * 3600.0 < np.diff(one.times()).max() < 9 * 3600.0
    assert one.said() == [] and one.agent.watched[0].state.restarts == []
    one.agent.cycle()
    assert not one.agent.misses_beats()


@pytest.fixture
def file_limit() -> Iterator[Callable[[int], None]]:
    """Sets how large any file may become, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_told_once_and_got_over(
    bench: Make, file_limit: Callable[[int], None], caplog: pytest.LogCaptureFixture, tmp_path: Path
):
    """The watch goes on in memory; with room again everything is on the disk, without a gap."""
    one = bench()
    one.beats(20)
    with caplog.at_level(logging.WARNING, logger="leakwatch.agent"):
        file_limit(4096)
        one.until(lambda: one.agent.history.trouble)
        one.beats(50)
        file_limit(resource.RLIM_INFINITY)
        one.until(lambda: not one.agent.history.trouble)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2 and "make room" in said[0] and "on the disk again" in said[1]
    before = len(one.times())
    one.end()
    one.begin()
    assert before <= len(one.times()) <= before + 10 and before >= 70


def test_the_agent_is_not_well_when_three_beats_are_missed(bench: Make):
    """What /healthz asks: a loop that stands still is seen to."""
    one = bench()
    one.agent.cycle()
    assert not one.agent.misses_beats()
    one.clock.slept += 30.0
    assert one.agent.misses_beats()
