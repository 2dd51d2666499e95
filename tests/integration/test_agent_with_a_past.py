"""An agent that starts late beside a Prometheus server with five days behind it judges at once."""

import re
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from leakwatch.sample.history import History

DEADLINE_SECONDS = 120.0


def page(lines: list[str]) -> dict[tuple[str, str], float]:
    """The metrics page by name and container (and verdict); empty until there is one."""
    address = next((match[0] for line in lines if (match := re.search(r"http://127\.0\.0\.1:\d+/metrics", line))), None)
    if address is None:
        return {}
    with urllib.request.urlopen(address, timeout=DEADLINE_SECONDS) as answer:
        text = answer.read().decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {
        (f"{sample.name} {sample.labels.get('verdict', '')}".strip(), sample.labels.get("container", "")): sample.value
        for sample in samples
    }


def grows(told: dict[tuple[str, str], float], container: str) -> bool:
    """Whether the agent thinks so: at either of its two levels."""
    return any(told.get((f"leakwatch_verdict {level}", container)) == 1.0 for level in ("suspected", "leak"))


def test_the_first_verdict_rests_on_five_days(prometheus_server: Any, tmp_path: Path) -> None:
    """A leak of days is seen within the first cycles, with its slope, and the healthy container is not spoken of; the
    past is kept, in the order of time, so that the next agent need not ask."""
    config = tmp_path / "agent.yaml"
    targets = "".join(
        f"- {{name: {name}, prometheus: {{url: '{prometheus_server.url}', container: {name}}}}}\n"
        for name in ("serving", "healthy")
    )
    config.write_text(
        f"sample_every: 250ms\njudge_every: 500ms\nlisten: 127.0.0.1:0\nstate_dir: {tmp_path}/state\n"
        f"targets:\n{targets}"
    )
    began, lines = time.time(), list[str]()
    command = [sys.executable, "-m", "leakwatch", "agent", "--config", str(config)]
    with subprocess.Popen(command, text=True, stderr=subprocess.PIPE) as agent:
        try:
            assert agent.stderr is not None
            threading.Thread(target=lambda stream=agent.stderr: lines.extend(stream), daemon=True).start()
            deadline = time.monotonic() + DEADLINE_SECONDS
            while not grows(told := page(lines), "serving"):
                assert agent.poll() is None, lines
                assert time.monotonic() < deadline, (lines, told)
                time.sleep(0.1)
        finally:
            agent.terminate()
    slope = told["leakwatch_slope_bytes_per_second", "serving"]
    assert slope == pytest.approx(prometheus_server.leak_bytes_per_second, rel=0.1)
    assert not grows(told, "healthy")
    history = History(tmp_path / "state" / "history.sqlite", time.time())
    kept = [sample.time_seconds for sample in history.samples("serving", 0.0, began)]
    history.close()
    assert len(kept) > 500 and kept == sorted(kept)
    assert kept[0] < began - 4 * 86_400
