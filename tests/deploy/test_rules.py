"""Prometheus rules and the dashboard: checked by Prometheus' own tool, on metrics that the agent really exports."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from leakwatch.act.decision import What
from leakwatch.sample.poller import Outcome

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
RULES = yaml.safe_load((PROMETHEUS / "rules.yaml").read_text())["groups"]
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "leakwatch.json").read_text())
EXPORTED = frozenset(
    {"leakwatch_verdict", "leakwatch_slope_bytes_per_second", "leakwatch_time_to_limit_seconds"}
    | {"leakwatch_bytes_per_request", "leakwatch_memory_bytes", "leakwatch_oom_events_total", "leakwatch_actions_total"}
    | {"leakwatch_notifications_total", "leakwatch_samples_total", "leakwatch_build_info"}
    | {f"leakwatch_sample_duration_seconds_{part}" for part in ("bucket", "sum", "count")}
)
"""The names that the agent promises."""


def expressions() -> list[str]:
    """Of all panels and annotations of the dashboard, with its variables filled in."""
    found = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    found += [annotation["expr"] for annotation in DASHBOARD["annotations"]["list"]]
    return [expression.replace("$target", ".+") for expression in found]


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("promtool") is None:
        pytest.skip("needs promtool (Debian: prometheus)")
    return subprocess.run(["promtool", *arguments], capture_output=True, text=True)


def test_rules_do_what_their_cases_say() -> None:
    """Each alert fires when it should and not otherwise, with `container` and with `exported_container`."""
    for arguments in (
        ("check", "rules", str(PROMETHEUS / "rules.yaml")),
        ("test", "rules", str(PROMETHEUS / "rules_test.yaml")),
    ):
        run = promtool(*arguments)
        assert run.returncode == 0, run.stdout + run.stderr


def test_the_scrape_is_understood_by_prometheus(tmp_path: Path) -> None:
    """The part for prometheus.yml is a whole configuration by itself; Debian's build has no Kubernetes discovery."""
    config = yaml.safe_load((PROMETHEUS / "scrape.yaml").read_text())
    assert config["scrape_configs"][0].pop("kubernetes_sd_configs") == [{"role": "pod"}]
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
    run = promtool("check", "config", "--syntax-only", str(tmp_path / "prometheus.yml"))
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_dashboard_asks_what_prometheus_understands(tmp_path: Path) -> None:
    """Every expression of the dashboard parses."""
    rules = [{"record": f"panel:{number}", "expr": expression} for number, expression in enumerate(expressions())]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    run = promtool("check", "rules", str(tmp_path / "rules.yaml"))
    assert run.returncode == 0, run.stdout + run.stderr


def test_only_metrics_that_exist_are_asked_for() -> None:
    """Rules and dashboard name what the agent exports, or what a recording rule makes of it."""
    rules = [rule for group in RULES for rule in group["rules"]]
    recorded = {rule["record"] for rule in rules if "record" in rule}
    for expression in [*(rule["expr"] for rule in rules), *expressions()]:
        for name in re.findall(r"\bleakwatch[_:][a-z0-9_:]+", expression):
            assert name in EXPORTED | recorded, f"{name} in {expression}"


def test_only_outcomes_that_exist_are_asked_for() -> None:
    """The words of the label `outcome` are those that the code counts, metric by metric."""
    telling = (ROOT / "leakwatch" / "tell" / "telling.py").read_text()
    known = {
        "samples": {str(one) for one in Outcome},
        "actions": {str(one) for one in What} - {"decided", "begun", "evidence"} | {"dry_run"},
        "notifications": set(re.findall(r'_count\(channel, "(\w+)"\)|\["all", "(\w+)"\]', telling)),
    }
    known["notifications"] = {word for pair in known["notifications"] for word in pair if word}
    rules = [rule["expr"] for group in RULES for rule in group["rules"]]
    asked = 0
    for expression in (*rules, *expressions()):
        for metric, words in re.findall(r'leakwatch[_:](\w+?)[_:]\w*\{[^}]*outcome[!=~]+"([^"]+)"', expression):
            asked += 1
            assert set(words.split("|")) <= known[metric], expression
    assert asked >= 6


def test_every_alert_has_a_case_and_a_runbook() -> None:
    """An alert that no case fires is untested, and one without a page leaves the reader alone."""
    alerts = [rule for group in RULES for rule in group["rules"] if "alert" in rule]
    cases = (PROMETHEUS / "rules_test.yaml").read_text()
    headings = re.findall(r"^## (\w+)$", (ROOT / "docs" / "runbooks.md").read_text(), re.MULTILINE)
    assert [alert["alert"] for alert in alerts] == headings
    for alert in alerts:
        assert f"alertname: {alert['alert']}" in cases
        assert alert["annotations"]["runbook"] == f"docs/runbooks.md#{alert['alert'].lower()}"


def test_scrapes_keep_the_agents_labels() -> None:
    """Both ways of scraping honour the agent's own label `container`."""
    (job,) = yaml.safe_load((PROMETHEUS / "scrape.yaml").read_text())["scrape_configs"]
    monitor = yaml.safe_load((PROMETHEUS / "pod_monitor.yaml").read_text())
    assert job["honor_labels"] is True
    assert all(endpoint["honorLabels"] for endpoint in monitor["spec"]["podMetricsEndpoints"])
