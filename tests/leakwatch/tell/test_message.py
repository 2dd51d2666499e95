"""What is said of an incident, and how often."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.types import Level, LiveVerdict
from leakwatch.ports import Action, Notification, Outcome, Severity, Stage
from leakwatch.tell.incident import IncidentState, News, Pace, as_json, from_json
from leakwatch.tell.message import advance, in_parts
from playbooks.types import Action as Remedy

NOW = 1_790_000_000.0
GIB = 2**30
RESTART = Action(Remedy.RESTART, "serving", "3 h are left", dry_run=False, drain_seconds=15, stop_seconds=10)
DONE = Outcome(True, "a new process serves", 14.0)
QUIET = News()

Verdict = Callable[..., LiveVerdict]


def told(
    news: Iterable[tuple[float, News]], pace: Pace | None = None, state: IncidentState | None = None
) -> list[Notification]:
    """The messages of a story: (seconds since the beginning, what happened)."""
    state, said = state or IncidentState("serving"), []
    for after, each in news:
        for part in in_parts(state, each):
            state, notification = advance(state, part, NOW + after, pace)
            said += [notification] if notification is not None else []
    return said


def stages(said: list[Notification]) -> list[str]:
    return [str(n.stage) for n in said]


def test_the_first_line_says_what_which_how_fast_how_long_left_and_what_was_done(live_verdict: Verdict) -> None:
    """Whoever reads one line on a phone knows enough to get up or to sleep on."""
    would = replace(RESTART, dry_run=True)
    (opened,) = told([(0, News(live_verdict(), 16 * GIB, action=would))])
    assert opened.title == (
        "LEAK serving: anon grows 12.1 MiB/h (11.6 to 12.7), 3 h 20 min left to 16 GiB;"
        " nothing done (dry run): would restart"
    )
    assert opened.severity is Severity.CRITICAL
    assert opened.number == 1
    assert ("Growth", "12.1 MiB/h (11.6 to 12.7 MiB/h)") in opened.facts
    assert opened.sentences == ("The floor rises too.",)


def test_a_kill_is_said_first(live_verdict: Verdict) -> None:
    """Whoever is woken by a kill reads it in the first line, also while a leak goes on, and once it waited for its
    cause; after that the line is the leak's again."""
    kill = "the kernel killed a process of it for want of memory"
    quiet = News(live_verdict(Level.QUIET), 16 * GIB)
    (opened,) = told([(0, replace(quiet, alarms=(kill,), deciding=True)), (5, quiet)])
    assert (opened.title, opened.severity) == (f"KILLED serving: {kill}; nothing done", Severity.CRITICAL)
    leak = News(live_verdict(), 16 * GIB)
    _, killed, updated = told(
        [(0, leak), (90, replace(leak, alarms=(f"{kill}.",))), (9000, replace(leak, lines=("x",)))]
    )
    assert killed.title == (
        f"KILLED serving: {kill}; anon grows 12.1 MiB/h (11.6 to 12.7), 3 h 20 min left to 16 GiB; nothing done"
    )
    assert updated.title.startswith("LEAK serving: anon grows")


def test_a_long_name_hides_nothing(live_verdict: Verdict) -> None:
    """The first line of a pod whose name has 300 characters still says how fast and how long; the name is a figure."""
    name = f"production-{'x' * 280}-7d9f8b6c4-x2x9k"
    (opened,) = told([(0, News(live_verdict(), 16 * GIB))], state=IncidentState(name))
    assert "3 h 20 min left to 16 GiB; nothing done" in opened.title[:150] and "-7d9f8b6c4-x2x9k: " in opened.title
    assert ("Target", name) in opened.facts and opened.target == name


def test_no_limit_is_a_normal_case(live_verdict: Verdict) -> None:
    """Without a limit there is no time left to tell, and no night is spoilt for it."""
    (opened,) = told([(0, News(live_verdict(left=None), None))])
    assert "anon grows 12.1 MiB/h (11.6 to 12.7), no limit known; nothing done" in opened.title
    assert opened.severity is Severity.WARNING


def test_an_incident_is_opened_acted_on_and_resolved(live_verdict: Verdict) -> None:
    """The whole story is three messages of one key, numbered, and each says how things stand."""
    said = told([
        (0, News(live_verdict(), 16 * GIB)),
        (60, News(live_verdict(), 16 * GIB)),
        (120, News(live_verdict(), 16 * GIB, action=RESTART, outcome=DONE)),
        (180, News(live_verdict(Level.QUIET), 16 * GIB, held="an action is being verified")),
        (240, News(live_verdict(Level.QUIET), 16 * GIB, verified="A new process serves at 2.1 GiB.")),
        (300, News(live_verdict(Level.QUIET), 16 * GIB)),
    ])  # fmt: skip
    assert stages(said) == ["opened", "acted", "resolved"]
    assert [n.number for n in said] == [1, 2, 3]
    assert len({n.key for n in said}) == 1
    assert said[1].title.endswith("left to 16 GiB; restarted in 14 s")
    assert said[2].title == (
        "RESOLVED serving: open for 4 min; anon grew 12.1 MiB/h (11.6 to 12.7); restarted in 14 s at 14:15Z, verified"
    )
    assert said[2].severity is Severity.INFO
    assert said[2].news[0] == "A new process serves at 2.1 GiB."


@pytest.mark.parametrize(
    ("news", "end"),
    [
        ({}, "anon grew 12.1 MiB/h (11.6 to 12.7); nothing done"),
        ({"held": "cooldown until 14:05Z"}, "anon grew 12.1 MiB/h (11.6 to 12.7); nothing done: cooldown until 14:05Z"),
        (
            {"action": replace(RESTART, dry_run=True)},
            "anon grew 12.1 MiB/h (11.6 to 12.7); nothing done (dry run): would restart",
        ),
        (
            {"action": RESTART, "outcome": DONE},
            "anon grew 12.1 MiB/h (11.6 to 12.7); restarted in 14 s at 14:13Z, not verified",
        ),
        (
            {"action": RESTART, "outcome": Outcome(False, "the engine failed", 2.0)},
            "anon grew 12.1 MiB/h (11.6 to 12.7); could not restart: the engine failed",
        ),
    ],
)
def test_the_end_looks_back(live_verdict: Verdict, news: dict[str, Any], end: str) -> None:
    """How long it was open, how fast it grew, what was done and whether that is known to have helped."""
    quiet = News(live_verdict(Level.QUIET), 16 * GIB)
    *_, resolved = told([(0, News(live_verdict(), 16 * GIB, **news)), (600, quiet), (1200, quiet)])
    assert resolved.title == f"RESOLVED serving: open for 20 min; {end}"


def test_a_kill_is_looked_back_on_as_well(live_verdict: Verdict) -> None:
    """What ended the growth is part of the story; a kill without any leak is all of it."""
    quiet, kill = News(live_verdict(Level.QUIET), 16 * GIB), "the kernel killed it"
    leak, killed = News(live_verdict(), 16 * GIB), replace(quiet, alarms=(kill,))
    *_, resolved = told([(0, leak), (60, killed), (120, quiet), (600, quiet)])
    grew = "anon grew 12.1 MiB/h (11.6 to 12.7)"
    assert resolved.title == f"RESOLVED serving: open for 10 min; {grew}; {kill}; nothing done"
    *_, resolved = told([(0, replace(quiet, alarms=(kill,))), (600, quiet), (1200, quiet)])
    assert resolved.title == f"RESOLVED serving: open for 20 min; {kill}; nothing done"


def test_what_is_gone_is_resolved_once(live_verdict: Verdict) -> None:
    """A pod that is gone for good leaves no incident open, whatever was last true of it; when it is back and leaks
    again, that is the same incident."""
    leak, gone = News(live_verdict(), 16 * GIB), "gone for 15 min (no process is called serving)"
    ended = replace(leak, gone=gone)
    holds = replace(leak, began=(("memory", "Memory is over 90 %."),))
    said = told([(0, holds), (1000, ended), (1060, replace(leak, verdict=live_verdict(Level.QUIET))), (3000, leak)])
    assert stages(said) == ["opened", "resolved", "opened"]
    assert said[1].title == (
        f"RESOLVED serving: open for 17 min; anon grew 12.1 MiB/h (11.6 to 12.7); {gone}; nothing done"
    )
    assert said[1].severity is Severity.INFO and said[2].key == said[0].key


def test_an_incident_that_comes_back_says_what_was_done_before(live_verdict: Verdict) -> None:
    """Whoever is woken again knows that it was restarted already, and when."""
    leak, quiet = News(live_verdict(), 16 * GIB), News(live_verdict(Level.QUIET), 16 * GIB)
    acted = replace(leak, action=RESTART, outcome=DONE)
    story = [(0, leak), (120, acted), (240, replace(quiet, verified="It serves."))]
    said = told([*story, (7200, replace(News(live_verdict(since=NOW + 7000), 16 * GIB), held="cooldown"))])
    assert said[-1].title.endswith(
        "left to 16 GiB; nothing done: cooldown; before that restarted in 14 s at 14:15Z (back for the 2nd time)"
    )
    said = told([*story, (7200, News(live_verdict(since=NOW + 7000), 16 * GIB)), (7260, quiet), (9999, quiet)])
    assert "nothing done; before that restarted in 14 s at 14:15Z" in said[-1].title


def test_a_suspicion_is_never_told(live_verdict: Verdict) -> None:
    """`suspected` never pages."""
    assert not told((60 * i, News(live_verdict(Level.SUSPECTED), 16 * GIB)) for i in range(100))


@pytest.mark.parametrize(
    ("later", "sentence"),
    [
        ({"rate": 13.0}, "It grows faster than told: 13 MiB/h, before 11.6 to 12.7 MiB/h."),
        ({"rate": 9.0}, "It grows slower than told: 9 MiB/h, before 11.6 to 12.7 MiB/h."),
        ({"left": 5900.0}, "The time to the limit has halved: 1 h 38 min left, last told 3 h 20 min."),
    ],
)
def test_an_update_needs_something_new(live_verdict: Verdict, later: dict[str, float], sentence: str) -> None:
    """A slope within its interval and a time that ran on by itself are no news; what left them is, once."""
    same, new = News(live_verdict(rate=12.5, left=7000), 16 * GIB), News(live_verdict(**later), 16 * GIB)
    story = [(0.0, News(live_verdict(), 16 * GIB)), (3600.0, same), (3660.0, new), (3720.0, new)]
    said = told(story)
    assert stages(said) == ["opened", "updated"]
    assert said[1].news == (sentence,)


def test_conditions_restarts_and_kills_are_lines_of_the_open_incident(live_verdict: Verdict) -> None:
    """One target has one incident, whatever else happens to it."""
    leak = News(live_verdict(), 16 * GIB)
    said = told([
        (0, leak),
        (1000, replace(leak, began=(("memory", "Memory is over 90 % of its limit."),), lines=("It was restarted.",))),
        (1200, replace(leak, alarms=("The kernel killed it.",))),
        (9000, replace(leak, ended=(("memory", "Memory is under 90 % of its limit again."),))),
    ])  # fmt: skip
    assert stages(said) == ["opened", "updated", "updated", "updated"]
    assert said[1].news == (f"{clock(1000)}Z Memory is over 90 % of its limit.",
                                 f"{clock(1000)}Z It was restarted.")  # fmt: skip
    assert said[2].news == (f"{clock(1200)}Z The kernel killed it.",)
    assert {n.key for n in said} == {said[0].key}


def clock(after: float) -> str:
    """The time of day of a moment of the story."""
    seconds = int(NOW + after) % 86_400
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def test_a_restart_without_an_incident_is_not_told() -> None:
    """Deploys restart things all day."""
    assert not told([(0, News(lines=("It was restarted.",))), (1000, QUIET)])


def test_a_verified_end_waits_for_the_conditions_and_no_longer(live_verdict: Verdict) -> None:
    """Memory that was too high at the restart is not yet known to be low: the end is told when it is, at once."""
    leak, calm = News(live_verdict(since=NOW - 60), 16 * GIB), News(live_verdict(Level.QUIET), 16 * GIB)
    said = told([
        (0, replace(leak, began=(("memory", "Memory is at 95 %."),))),
        (60, replace(leak, action=RESTART, outcome=DONE)),
        (120, replace(calm, verified="A new process serves.")),
        (150, leak),  # the detector lets go later
        (180, replace(calm, ended=(("memory", "Memory is at 20 %."),))),
    ])  # fmt: skip
    assert stages(said) == ["opened", "acted", "resolved"]
    assert said[2].at_seconds == NOW + 180
    assert said[2].news == ("A new process serves.", f"{clock(180)}Z Memory is at 20 %.")


def test_a_condition_alone_opens_and_resolves(live_verdict: Verdict) -> None:
    """A condition is told when it begins and when it ends, never per look."""
    calm = News(live_verdict(Level.QUIET), 16 * GIB)
    began = replace(calm, began=(("latency", "P95 of resnet is 820 ms, over 500 ms."),))
    ended = replace(calm, ended=(("latency", "P95 of resnet is 90 ms again."),))
    said = told([(0, began), *((60 * i, began) for i in range(1, 60)), (3600, ended), (3700, calm), (3950, calm)])
    assert stages(said) == ["opened", "resolved"]
    assert said[0].title == "WARNING serving: P95 of resnet is 820 ms, over 500 ms; nothing done"
    assert said[0].severity is Severity.WARNING


def test_a_leak_found_behind_a_condition_is_told_as_one(live_verdict: Verdict) -> None:
    """A channel that takes no updates hears of the leak too, in the same incident."""
    said = told([(0, News(began=(("queue", "The queue grows."),))), (60, News(live_verdict(), 16 * GIB))])
    assert stages(said) == ["opened", "opened"]
    assert said[1].key == said[0].key
    assert said[1].title.startswith("LEAK serving: anon grows")


def test_a_useless_restart_escalates_once(live_verdict: Verdict) -> None:
    """A person is asked once for one reason, as loudly as there is."""
    lost = News(live_verdict(), 16 * GIB, escalate="Three restarts in 24 h are used up and it still grows.")
    said = told([(0, News(live_verdict(), 16 * GIB)), (60, lost), (120, lost)])
    assert stages(said) == ["opened", "escalated"]
    assert said[1].title.startswith("ESCALATED serving: Three restarts in 24 h are used up")
    assert said[1].severity is Severity.CRITICAL


def test_a_reason_whose_numbers_run_on_is_the_same_reason(live_verdict: Verdict) -> None:
    """A gate that opens in 28 min, 27 min, ... escalates once; another reason does again, when it is time for it."""
    story = [(60.0 * i, News(live_verdict(), 16 * GIB, escalate=f"It opens in {90 - i} min.")) for i in range(60)]
    assert stages(told(story)) == ["opened", "escalated"]
    story += [(60.0 * i, News(live_verdict(), 16 * GIB, escalate="The lease is lost.")) for i in range(60, 120)]
    assert stages(told(story)) == ["opened", "escalated", "escalated"]


def test_a_second_approval_is_asked_for_after_the_first_was_used(live_verdict: Verdict) -> None:
    """The same plan after an action is another plan."""
    asks = News(live_verdict(), 16 * GIB, action=RESTART, approval="leakwatch act approve serving")
    acts = News(live_verdict(), 16 * GIB, action=RESTART, outcome=DONE)
    said = told([(0, asks), (60, asks), (120, acts), (180, asks), (240, asks)])
    assert stages(said) == ["opened", "acted", "acted"]
    assert [n.approval is not None for n in said] == [True, False, True]


def test_a_failed_action_is_told_with_its_reason(live_verdict: Verdict) -> None:
    """A restart that did not work is not called one."""
    failed = News(live_verdict(), 16 * GIB, action=RESTART, outcome=Outcome(False, "the engine did not answer", 10))
    _, said = told([(0, failed)])
    assert said.title.endswith("could not restart: the engine did not answer")
    assert said.severity is Severity.CRITICAL


def test_an_action_is_told_with_the_leak_that_it_was_for(live_verdict: Verdict) -> None:
    """The restart has ended the growth before the backend says that it is done: the line speaks of the leak."""
    calm = News(live_verdict(Level.QUIET), 16 * GIB)
    said = told([(0, News(live_verdict(), 16 * GIB)), (5, calm), (6, replace(calm, action=RESTART, outcome=DONE))])
    assert stages(said) == ["opened", "acted"]
    assert said[1].title == said[0].title.replace("nothing done", "restarted in 14 s")


def test_an_incident_is_opened_before_it_is_told_what_came_of_it(live_verdict: Verdict) -> None:
    """A restart that takes a tenth of a second, and a helpless agent, leave no incident without its beginning."""
    at_once = News(live_verdict(), 16 * GIB, action=RESTART, outcome=DONE, verified="A new process serves.")
    said = told([(0, at_once), (60, News(live_verdict(Level.QUIET)))])
    assert stages(said) == ["opened", "acted", "resolved"]
    assert said[0].title.endswith("; about to restart")
    assert stages(told([(0, News(live_verdict(), escalate="Help."))])) == ["opened", "escalated"]


def test_what_was_about_to_be_done_when_the_agent_was_killed_is_not_about_to_be_done_any_more(
    live_verdict: Verdict,
) -> None:
    """The next agent found it in the ledger, and will not do it again: the line says so."""
    begun, found = News(live_verdict(), action=RESTART), "restart was begun and counts as done"
    said = told([(0, begun), (60, News(live_verdict(), escalate=found))])
    assert [one.title.rpartition("; ")[2] for one in said] == ["about to restart", "nothing more done"]
    assert found in said[1].title


def test_a_dry_run_says_once_what_would_be_done(live_verdict: Verdict) -> None:
    """The same plan every minute is one message."""
    would = News(live_verdict(), 16 * GIB, action=replace(RESTART, dry_run=True))
    said = told([(0, News(live_verdict(), 16 * GIB)), *((60.0 * i, would) for i in range(1, 60))])
    assert stages(said) == ["opened", "acted"]
    assert said[1].title.endswith("nothing done (dry run): would restart")


def test_an_opening_waits_a_moment_for_what_is_decided(live_verdict: Verdict) -> None:
    """Its first line says what is done, or would be; where nobody decides in time, it is told without."""
    deciding = News(live_verdict(), 16 * GIB, deciding=True)
    would = News(live_verdict(), 16 * GIB, action=replace(RESTART, dry_run=True))
    said = told([(0, deciding), (2, deciding), (4, would), (6, would)])
    assert [n.title.rpartition("; ")[2] for n in said] == ["nothing done (dry run): would restart"]
    assert stages(said) == ["opened"]
    said = told([(float(i), deciding) for i in range(20)])
    assert stages(said) == ["opened"]
    assert said[0].at_seconds == NOW + 10


def test_an_approval_is_asked_for_once_with_its_command(live_verdict: Verdict) -> None:
    """Who may agree is told how."""
    asks = News(live_verdict(), 16 * GIB, action=RESTART, approval="leakwatch act approve serving")
    said = told([(0, News(live_verdict(), 16 * GIB)), (60, asks), (120, asks)])
    assert stages(said) == ["opened", "acted"]
    assert said[1].title.endswith("nothing done: waits for approval to restart")
    assert said[1].approval == "leakwatch act approve serving"


@pytest.mark.parametrize("period_seconds", [60, 300, 900, 1800])
def test_a_flapping_target_is_a_handful_of_messages(live_verdict: Verdict, period_seconds: int) -> None:
    """Thirty comings and goings are one incident that speaks ever more seldom, and counts what it left out."""
    leak, calm = News(live_verdict(), 16 * GIB), News(live_verdict(Level.QUIET), 16 * GIB)
    story = [(period_seconds * i, leak if i % 2 == 0 else calm) for i in range(60)]
    said = told(story)
    assert len(said) <= 10
    assert len({n.key for n in said}) == 1
    assert sum(n.stage is Stage.OPENED for n in said) <= 3


def test_what_had_to_wait_is_counted() -> None:
    """Lines that found no room are told as a number."""
    restart = News(lines=("It was restarted.",))
    began = News(began=(("memory", "Memory is over 90 %."),))
    said = told([(0, began), *((10.0 * i, restart) for i in range(1, 100))])
    assert stages(said) == ["opened", "updated"]
    assert said[1].news[0] == "54 earlier lines left out"
    assert len(said[1].news) == 7


def test_a_leak_that_comes_back_after_its_end_is_told_again(live_verdict: Verdict) -> None:
    """The end of an incident is no excuse for silence: a new one is opened, in the same thread where it is soon."""
    calm = News(live_verdict(Level.QUIET), 16 * GIB)
    soon = News(live_verdict(since=NOW + 4000), 16 * GIB)
    late = News(live_verdict(since=NOW + 90_000), 16 * GIB)
    story = [(0, News(live_verdict(), 16 * GIB)), (600, calm), (1000, calm)]
    first, resolved, again = told([*story, (4000, soon)])
    assert (resolved.stage, again.stage) == (Stage.RESOLVED, Stage.OPENED)
    assert again.key == first.key
    assert again.title.endswith("(back for the 2nd time)")
    first, resolved, again = told([*story, (90_000, late)])
    assert again.stage is Stage.OPENED
    assert again.key != first.key
    assert again.number == 1


def test_a_verified_restart_is_not_undone_by_a_detector_that_lets_go_late(live_verdict: Verdict) -> None:
    """The level that still holds from before the restart opens nothing; if it holds on, it does."""
    leak = News(live_verdict(since=NOW - 100), 16 * GIB)
    story = [(0.0, leak), (60.0, replace(leak, action=RESTART, outcome=DONE)), (120.0, replace(leak, verified="Well."))]
    assert stages(told([*story, (180, leak), (600, leak)])) == ["opened", "acted", "resolved"]
    assert stages(told([*story, (180, leak), (7200, leak)])) == ["opened", "acted", "resolved", "opened"]


def test_a_clock_that_was_set_back_silences_nobody(live_verdict: Verdict) -> None:
    """A day back: updates, the end and a new beginning are told as ever."""
    day = 86_400.0
    leak, calm = News(live_verdict(), 16 * GIB), News(live_verdict(Level.QUIET), 16 * GIB)
    faster = News(live_verdict(rate=50.0), 16 * GIB)
    said = told([(0, leak), (60 - day, faster), (120 - day, calm), (500 - day, calm), (9000 - day, leak)])
    assert stages(said) == ["opened", "updated", "resolved", "opened"]


NEWS = st.sampled_from(["leak", "calm", "suspected", "fast", "act", "fail", "would", "verified", "escalate", "began",
                        "ended", "restart", "kill", "nothing"])  # fmt: skip


@given(st.lists(st.tuples(NEWS, st.floats(0, 20_000)), max_size=80))
def test_no_story_is_told_badly(live_verdict: Verdict, story: list[tuple[str, float]]) -> None:
    """Whatever happens: numbers count up within a key, an incident begins with its opening, nothing follows its end but
    its return, one that an agent restart interrupts goes on as if nothing had been, and no look alone says anything.
    """
    leak = live_verdict()
    forms = {
        "leak": News(leak, 16 * GIB), "calm": News(live_verdict(Level.QUIET)), "nothing": News(),
        "suspected": News(live_verdict(Level.SUSPECTED)), "fast": News(live_verdict(rate=90.0, left=100.0), 16 * GIB),
        "act": News(leak, action=RESTART, outcome=DONE), "would": News(leak, action=replace(RESTART, dry_run=True)),
        "fail": News(leak, action=RESTART, outcome=replace(DONE, done=False)), "verified": News(verified="Well."),
        "escalate": News(leak, escalate="Help."), "began": News(began=(("q", "Queue."),)),
        "ended": News(ended=(("q", "No queue."),)), "restart": News(lines=("Restarted.",)),
        "kill": News(alarms=("Killed.",)),
    }  # fmt: skip
    state, now, said = IncidentState("serving"), NOW, []
    for name, after in story:
        now += after
        state, notification = advance(state, forms[name], now)
        assert from_json(as_json(state)) == state
        if notification is not None:
            said.append(notification)
            assert notification.number == state.number
        repeated, nothing = advance(state, News(), now)
        assert nothing is None
        assert advance(repeated, News(), now) == (repeated, None)
    open_key = None
    for before, n in zip([None, *said], said, strict=False):
        if open_key is None:
            assert n.stage in (Stage.OPENED, Stage.ESCALATED, Stage.ACTED)
        assert n.number == (before.number + 1 if before is not None and before.key == n.key else 1)
        open_key = None if n.stage is Stage.RESOLVED else n.key


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"target": 3}', "nonsense", '{"target": "a"'])
def test_a_state_that_cannot_be_read_says_so(text: str) -> None:
    """One error, which the outbox takes as no incident."""
    with pytest.raises(ValueError, match=r".+"):
        from_json(text)


def test_a_state_of_a_later_version_is_read() -> None:
    """A field that we do not know is left out."""
    assert from_json('{"target": "serving", "number": 3, "mood": "good"}') == IncidentState("serving", number=3)
