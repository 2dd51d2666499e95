"""Shell scripts: ``docker run`` with a container, and bare command lines of ``tensorflow_model_server``."""

import os
import re
from collections.abc import Iterator, Sequence

from leakwatch.lint.compose import environment_of, volumes_of
from leakwatch.lint.quantity import docker_bytes
from leakwatch.lint.servers import read_command, server_of, unwrapped
from leakwatch.lint.source_text import SourceText
from leakwatch.lint.subjects import Amount, Container, Mount, Platform, Port, Workload
from leakwatch.lint.words import Word, commands
from leakwatch.lint.yaml_tree import MISSING, Form, Node

_SHEBANG = re.compile(r"#!\s*\S*/(?:env\s+)?(?:ba|da|a|z|k)?sh\b")
_COMMAND = re.compile(
    r"^\s*(?:(?:sudo|exec|nohup)\s+|@|ExecStart=)*(?:\S*/)?(?:docker|podman|tensorflow_model_server)\b", re.MULTILINE
)
_SERVED = re.compile(r"tensorflow_model_server|(?:docker|podman)\s+(?:container\s+)?run")
_SWITCHES = frozenset(
    [
        "-d",
        "--detach",
        "-i",
        "--interactive",
        "-t",
        "--tty",
        "--rm",
        "--init",
        "--privileged",
        "--read-only",
        "-P",
        "--publish-all",
        "--no-healthcheck",
        "--oom-kill-disable",
        "--disable-content-trust",
        "--sig-proxy",
        "-q",
        "--quiet",
    ]
)
_LETTERS = re.compile(r"-[ditPq]+")


def is_script(text: str, name: str) -> bool:
    """Whether a file is a shell script that starts a server: by its first line, its name, or how a line begins.

    How a line begins tells only where a name has no ending (a Makefile), or a systemd unit's: documents quote commands.
    """
    if not _SERVED.search(text):
        return False
    ending = os.path.splitext(name)[1]
    is_named = ending in (".sh", ".bash") or ending in ("", ".service") and _COMMAND.search(text) is not None
    return bool(_SHEBANG.match(text)) or is_named


def objects_of(source: SourceText) -> Iterator[Workload | Container]:
    """Every container that the script runs, and every bare server, each with a workload of its own."""
    for words in commands(source.text, source.first_line, source.editable):
        texts = [word.text for word in words]
        run = next((i for i in range(1, len(texts)) if texts[i] == "run" and _runs_docker(texts[:i])), None)
        workload = Workload(source, Platform.SCRIPT, "script", "")
        if run is not None:
            container = _docker_run(words[run + 1 :], words[0].line, workload)
        elif any(text.rpartition("/")[2] == "tensorflow_model_server" for text in texts):
            container = _bare(words, workload)
        else:
            continue
        if container is not None:
            yield workload
            yield container


def _runs_docker(before: Sequence[str]) -> bool:
    return any(text.rpartition("/")[2] in ("docker", "podman", "nerdctl") for text in before[-3:])


def _at(line: int, text: str = "") -> Node:
    return Node(Form.SCALAR, line, line, line, 0, True, "'", text)


def _bare(words: tuple[Word, ...], workload: Workload) -> Container:
    start = next(i for i, word in enumerate(words) if word.text.rpartition("/")[2] == "tensorflow_model_server")
    served = words[start:]
    server = server_of("", served)
    flags, values = read_command(server, served, {}, True)
    line = served[0].line
    return Container(workload.source, workload, "", _at(line), MISSING, {}, served, True, server, flags, values)


def _docker_run(words: tuple[Word, ...], line: int, workload: Workload) -> Container | None:
    options: dict[str, list[Word]] = {}
    at = 0
    while at < len(words) and words[at].text.startswith("-"):
        name, equals, value = words[at].text.partition("=")
        if name in _SWITCHES or _LETTERS.fullmatch(name):
            options.setdefault(name, []).append(words[at])
        elif re.match(r"-[evpm][^-=]", words[at].text):  # its value is glued to a short option
            options.setdefault(name[:2], []).append(Word(words[at].text[2:], words[at].line))
        elif equals:
            options.setdefault(name, []).append(Word(value, words[at].line))
        elif at + 1 < len(words):
            options.setdefault(name, []).append(words[at + 1])
            at += 1
        at += 1
    if at >= len(words):
        return None

    def given(*names: str) -> list[Word]:
        return [word for name in names for word in options.get(name, ())]

    image, arguments = words[at], words[at + 1 :]
    entrypoint = tuple(given("--entrypoint"))
    command = unwrapped((*entrypoint, *arguments))
    server = server_of(image.text, command)
    environment = environment_of(_items(given("-e", "--env")))
    plain = {name: node.text for name, node in environment.items()}
    overrides = bool(entrypoint) or bool(command) and command[0].text.endswith("tensorflow_model_server")
    flags, values = read_command(server, command, plain, overrides)
    node = _at(line)
    names = given("--name")
    return Container(
        workload.source,
        workload,
        names[-1].text if names else "",
        node,
        _at(image.line, image.text),
        environment,
        command,
        overrides,
        server,
        flags,
        values,
        _amount(given("-m", "--memory")),
        _amount(given("--memory-reservation")),
        None,
        _amount(given("--memory-swap")),
        node,
        (*volumes_of(_items(given("-v", "--volume")), workload.source.folder), *_mounts(given("--mount"))),
        tuple(_ports(given("-p", "--publish"))),
    )


def _mounts(words: Sequence[Word]) -> Iterator[Mount]:
    """``--mount type=bind,source=S,target=T,readonly``."""
    for word in words:
        given = dict(part.partition("=")[::2] for part in word.text.split(","))
        target = given.get("target") or given.get("destination") or given.get("dst") or ""
        read_only = "readonly" in given or "ro" in given
        yield Mount(target, read_only, _at(word.line, word.text), host_path=given.get("source") or given.get("src"))


def _items(words: Sequence[Word]) -> Node:
    nodes = tuple(_at(word.line, word.text) for word in words)
    return Node(Form.LIST, items=nodes)


def _amount(words: Sequence[Word]) -> Amount | None:
    if not words:
        return None
    text = words[-1].text
    value = float("inf") if text == "-1" else docker_bytes(text)
    return None if not value else Amount(value, _at(words[-1].line, text))


def _ports(words: Sequence[Word]) -> Iterator[Port]:
    for word in words:
        target = word.text.partition("/")[0].rpartition(":")[2]
        if target.isdigit():
            yield Port(int(target), "", _at(word.line, word.text))
