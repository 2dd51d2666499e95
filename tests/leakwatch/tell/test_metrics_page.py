import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from leakwatch.tell.metrics_page import DURATION_BUCKETS, PageState, PageTarget, as_text

NASTY = 'a"b\\c\n<script>é'
STATE = PageState(
    (
        PageTarget(
            NASTY, "suspected", 12.5, 3600.0, {"": 80.0, "m\n": 70.0}, {"anon": 2.0**30, "limit": 2.0**33},
            {"kernel_oom_kill": 3},
        ),
        PageTarget("quiet"),
    ),
    {(NASTY, "restart", "done"): 1},
    {("slack", "delivered"): 2},
    {("cgroup", "ok"): 9, ("tf_serving", "failed"): 1},
    tuple(range(len(DURATION_BUCKETS) + 1)),
    12.25,
)  # fmt: skip


def lines(state: PageState) -> dict[tuple[str, frozenset], float]:
    families = text_string_to_metric_families(as_text(state).decode())
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


def test_every_name_of_the_contract_is_there():
    """Names and labels as dashboards and rules ask for them; names of containers come back as they are."""
    found = lines(STATE)

    def value(name: str, **labels: str) -> float:
        return found[name, frozenset(labels.items())]

    assert [value("leakwatch_verdict", container=NASTY, verdict=word) for word in ("leak", "suspected")] == [0.0, 1.0]
    assert value("leakwatch_slope_bytes_per_second", container=NASTY) == 12.5
    assert value("leakwatch_time_to_limit_seconds", container=NASTY) == 3600.0
    assert value("leakwatch_bytes_per_request", container=NASTY, model="m\n") == 70.0
    assert value("leakwatch_memory_bytes", container=NASTY, kind="anon") == 2.0**30
    assert value("leakwatch_oom_events_total", container=NASTY, kind="kernel_oom_kill") == 3.0
    assert value("leakwatch_actions_total", container=NASTY, action="restart", outcome="done") == 1.0
    assert value("leakwatch_notifications_total", channel="slack", outcome="delivered") == 2.0
    assert value("leakwatch_samples_total", source="cgroup", outcome="ok") == 9.0
    assert value("leakwatch_sample_duration_seconds_bucket", le="+Inf") == sum(STATE.durations)
    assert any(name == "leakwatch_build_info" for name, _ in found)


@pytest.mark.parametrize("state", [STATE, PageState()])
def test_promtool_has_nothing_to_say(state: PageState):
    """The page passes ``promtool check metrics``, full and empty."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("needs promtool")
    done = subprocess.run([promtool, "check", "metrics"], input=as_text(state), capture_output=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@settings(max_examples=30)
@given(st.text(st.characters(exclude_categories=("Cs",))), st.floats(allow_nan=False))
def test_any_name_and_number_make_a_page_that_reads_back(name: str, value: float):
    """No container or model can break the page for the others."""
    state = PageState((PageTarget(name, "leak", value, None, {name: value}),))
    assert lines(state)["leakwatch_bytes_per_request", frozenset({"container": name, "model": name}.items())] == value
