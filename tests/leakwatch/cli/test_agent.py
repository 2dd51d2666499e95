import os
import subprocess
import sys
from pathlib import Path

CLIENTS = {"kubernetes", "docker", "slack_sdk", "requests", "prometheus_api_client", "prometheus_client"}
HEAVY = CLIENTS | {"scipy", "pyarrow", "rich", "_ssl"}


def test_an_agent_that_watches_imports_nothing_heavy(tmp_path: Path):
    """Beats over a process, a page that is not there and a log load no client, encryption, statistics or screen."""
    config, log = tmp_path / "agent.yaml", tmp_path / "serving.log"
    log.write_text("all is well\n")
    config.write_text(
        f"sample_every: 50ms\njudge_every: 100ms\nlisten: 127.0.0.1:0\nstate_dir: {tmp_path}/state\ntargets:\n"
        f"- name: one\n  pid: {os.getpid()}\n  logs: [{log}]\n"
        "  serving: {kind: tf_serving, metrics_url: 'http://127.0.0.1:9/metrics'}\n"
    )
    code = (
        "import sys; sys.argv = ['leakwatch', 'agent', '--config', sys.argv[1], '--cycles', '10']\n"
        "from leakwatch.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: print(end.code, *sys.modules)"
    )
    command = [sys.executable, "-c", code, str(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    status, *modules = done.stdout.split()
    assert status == "0" and "leakwatch.agent.loop" in modules
    assert not {module.partition(".")[0] for module in modules} & HEAVY
    assert "leakwatch.act.acting" not in modules  # nor what only a leak needs
