"""docs/metrics.md names every metric, label and outcome that the agent has, and none besides."""

import re
from pathlib import Path

from leakwatch.act.decision import What
from leakwatch.sample.poller import Outcome
from leakwatch.tell.metrics_page import DURATION_BUCKETS, VERDICTS, PageState, PageTarget, as_text

DOCUMENT = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
TARGET = PageTarget("c", "leak", 1.0, 1.0, {"m": 1.0}, {"anon": 1.0}, {"kernel_oom_kill": 1})
PAGE = as_text(
    PageState(
        (TARGET,),
        {("c", "restart", "done"): 1},
        {("slack", "delivered"): 1},
        {("cgroup", "ok"): 1},
        (1,) * (len(DURATION_BUCKETS) + 1),
    )
).decode()


def test_every_metric_is_documented_with_type_and_labels() -> None:
    """One row a family, as the page writes it."""
    types = dict(re.findall(r"^# TYPE (\S+) (\w+)$", PAGE, re.MULTILINE))
    rows = re.findall(r"^\| `(leakwatch_\w+)` \| (\w+) \| (.*?) \|", DOCUMENT, re.MULTILINE)
    assert {name: kind for name, kind, _ in rows} == types
    for name, kind, labels in rows:
        lines = re.findall(rf"^{name}(?:_count)?(?:\{{(.*)\}})? ", PAGE, re.MULTILINE)
        assert lines, name
        wanted = set(re.findall(r"(\w+)=\"", lines[0])) if kind != "histogram" else set()
        assert set(re.findall(r"`(\w+)`", labels)) == wanted, name


def words_of(label: str, metric: str) -> set[str]:
    """The values that the document gives."""
    (row,) = re.findall(rf"^\| `{label}` \| `{metric}` \| (.*) \|$", DOCUMENT, re.MULTILINE)
    return set(re.findall(r"`(\w+)`", row))


def test_every_word_of_a_label_is_documented() -> None:
    """Verdicts and outcomes, as the code has them."""
    assert words_of("verdict", "leakwatch_verdict") == set(VERDICTS)
    assert words_of("outcome", "leakwatch_samples_total") == {str(one) for one in Outcome}
    counted = {str(one) for one in What} - {"decided", "begun", "evidence"} | {"dry_run"}
    assert words_of("outcome", "leakwatch_actions_total") == counted
