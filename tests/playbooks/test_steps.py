"""What the trees tell a person to type is right: flags, configuration, queries and kubectl's own command lines."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from leakwatch.lint.text_protobuf import known_fields, parse
from leakwatch.lint.tf_flags import FLAGS
from playbooks.load import built_in, built_in_names
from playbooks.types import Finding

FINDINGS = [
    (name, node_name, node)
    for name in built_in_names()
    for node_name, node in built_in(name).nodes.items()
    if isinstance(node, Finding)
]
COMMANDS = sorted({step.command for _, _, node in FINDINGS for step in node.steps if step.command is not None})
SENTENCES = sorted({text for _, _, node in FINDINGS for text in (node.cause, *(step.do for step in node.steps))})

OTHER_FLAGS = {"max-old-space-size"}  # of Node.js
BATCHING = known_fields("BatchingParameters")
PROGRAMS = re.compile(
    r"(?:cat|curl|df|dmesg|docker|du|find|grep|journalctl|kubectl|leakwatch|ls|nvidia-smi|ps|saved_model_cli|ss|systemctl"
    r"|tensorflow_model_server|tr) "
)


def begins_with_a_program(command: str) -> bool:
    return PROGRAMS.match(command) is not None


SHELL = [command for command in COMMANDS if begins_with_a_program(command)]


@pytest.mark.parametrize("command", [one for one in COMMANDS if one.startswith("--")])
def test_flags_are_flags_of_the_server(command: str) -> None:
    """A flag that is proposed by itself is one of TF Serving's (or Node.js's)."""
    names = re.findall(r"--([\w-]+)", command)
    assert names and set(names) <= set(FLAGS) | OTHER_FLAGS


@pytest.mark.parametrize("sentence", [one for one in SENTENCES if "--" in one])
def test_flags_in_sentences(sentence: str) -> None:
    """A flag that a sentence names is one of TF Serving's, or one of leakwatch's, Triton's or Node.js's own."""
    others = OTHER_FLAGS | {"model-control-mode"}
    assert set(re.findall(r"--([\w-]+)", sentence)) <= set(FLAGS) | others


@pytest.mark.parametrize("command", [one for one in COMMANDS if re.match(r"\w+(?: \{|:) ", one)])
def test_configuration_is_what_the_server_reads(command: str) -> None:
    """Model and batching configuration is accepted by protobuf over the messages that the server reads."""
    first = command.split()[0].rstrip(":")
    if first == "model_config_list":
        refused = parse(command, "ModelServerConfig")
    elif first == "model_version_policy":
        refused = parse(command, "ModelConfig")
    elif first in BATCHING:
        refused = parse(command, "BatchingParameters")
    else:
        assert first in ("emptyDir", "startupProbe"), "of which file is it?"
        return
    assert refused is None


@pytest.mark.parametrize("command", [one for one in COMMANDS if "allowed_batch_sizes" in one])
def test_the_last_batch_size_is_the_largest_batch(command: str) -> None:
    """The server refuses allowed sizes whose last is not max_batch_size."""
    sizes = [int(size) for size in re.findall(r"allowed_batch_sizes: (\d+)", command)]
    largest = re.search(r"max_batch_size \{ value: (\d+) \}", command)
    assert largest is not None and sizes == sorted(sizes) and sizes[-1] == int(largest[1])


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool")
def test_queries_are_prometheus(tmp_path: Path) -> None:
    """Every query is one that Prometheus can read."""
    queries = [one for one in COMMANDS if re.match(r"(histogram_quantile|container_|rate|sum)", one)]
    assert len(queries) >= 3
    rules = "".join(f"  - {{record: r{i}, expr: '{query}'}}\n" for i, query in enumerate(queries))
    path = tmp_path / "rules.yaml"
    path.write_text(f"groups:\n- name: g\n  rules:\n{rules}")
    check = subprocess.run(["promtool", "check", "rules", str(path)], capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stderr


@pytest.mark.parametrize("command", SHELL)
def test_the_shell_can_read_it(command: str) -> None:
    """A command line has its quotes, pipes and brackets in order."""
    check = subprocess.run(["bash", "-n", "-c", command], capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stderr


def test_every_command_is_of_a_known_kind() -> None:
    """What is neither a program, a flag, a variable, a file, configuration nor a query would be checked by nobody."""
    known = re.compile(r"--|-XX:|[A-Z_]+=|assets\.extra/|\w+(?: \{|:) |histogram_quantile\(|container_memory_rss")
    assert [one for one in COMMANDS if not begins_with_a_program(one) and not known.match(one)] == []


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl")
def test_kubectl_knows_what_is_typed(tmp_path: Path) -> None:
    """kubectl refuses none of its command lines for a command or flag that it does not have; no server is asked."""
    parts = [part.strip() for command in SHELL for part in re.split(r"[;|]", _without_quoted(command))]
    lines = sorted({part for part in parts if part.startswith("kubectl ")})
    assert len(lines) > 20
    for line in lines:
        words = [_QUOTED.get(word, word) for word in shlex.split(line)]
        run = subprocess.run(
            [words[0], "--server=http://127.0.0.1:1", *words[1:]],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]},
        )
        assert "unknown" not in run.stderr.lower() and "see 'kubectl" not in run.stderr.lower(), (line, run.stderr)


_QUOTED: dict[str, str] = {}


def _without_quoted(command: str) -> str:
    """The command with each quoted text as one word, so that it can be cut at pipes and semicolons."""

    def put_away(match: re.Match[str]) -> str:
        word = f"QUOTED{len(_QUOTED)}"
        _QUOTED[word] = match[0][1:-1]
        return word

    return re.sub(r"'[^']*'", put_away, command)


@pytest.mark.parametrize("command", [one for one in SHELL if "leakwatch " in one])
def test_our_own_command_lines(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What a tree says to type at leakwatch is a command that it has, with flags that it has."""
    from leakwatch.cli import run

    for part in (part.strip() for part in command.split(";")):
        if part.startswith("leakwatch "):
            run(shlex.split(part.removeprefix("leakwatch ")))
            assert "o such option" not in capsys.readouterr().err
