"""Which model server a container runs, and what its command line makes of it."""

import re
from collections.abc import Mapping, Sequence

from leakwatch.lint.subjects import Server
from leakwatch.lint.tf_flags import Flag, flags_of, values_of
from leakwatch.lint.words import Word, commands

_IMAGES = (
    (Server.TF_SERVING, re.compile(r"(?:tensorflow|tf)[-_/]?(?:model[-_]?)?serv(?:ing|er)", re.IGNORECASE)),
    (Server.TRITON, re.compile(r"triton(?:server|[-_]inference)", re.IGNORECASE)),
    (Server.TORCHSERVE, re.compile(r"torch[-_]?serve", re.IGNORECASE)),
)
_BINARIES = {
    "tensorflow_model_server": Server.TF_SERVING,
    "tf_serving_entrypoint.sh": Server.TF_SERVING,
    "tritonserver": Server.TRITON,
    "torchserve": Server.TORCHSERVE,
}
_TELLING_FLAGS = ("--model_config_file=", "--model_base_path=", "--monitoring_config_file=", "--rest_api_port=")
_SHELLS = frozenset({"sh", "bash", "ash", "dash"})
_STOCK = re.compile(r"(?:^|/)tensorflow/serving(?=$|[:@])")
STOCK_PORTS = {"port": "8500", "rest_api_port": "8501"}
"""What the entrypoint of the official image passes (tensorflow_serving/tools/docker/Dockerfile)."""


def is_stock(image: str) -> bool:
    """Whether it is the official TF Serving image."""
    return _STOCK.search(image) is not None


def stock_version(image: str) -> tuple[int, int] | None:
    """(2, 19) of ``tensorflow/serving:2.19.1-gpu``; None for another image, or without such a tag."""
    match = re.search(r":(\d+)\.(\d+)", image.rpartition("/")[2])
    return (int(match[1]), int(match[2])) if match and server_of(image, ()) is Server.TF_SERVING else None


def server_of(image: str, words: Sequence[Word]) -> Server | None:
    """The model server of a container, from its command or its image's name; None where it is none of ours."""
    for word in words:
        for binary, server in _BINARIES.items():
            if word.text.rpartition("/")[2] == binary:
                return server
    repository = re.split(r"[:@](?!.*/)", image)[0]
    for server, pattern in _IMAGES:
        if pattern.search(repository):
            return server
    return Server.TF_SERVING if any(word.text.startswith(_TELLING_FLAGS) for word in words) else None


def unwrapped(words: tuple[Word, ...], nodes_are_lines: bool = True) -> tuple[Word, ...]:
    """The words of what is really run: those inside ``sh -c "..."``, and of several commands the server's."""
    texts = [word.text for word in words]
    if len(words) >= 3 and texts[0].rpartition("/")[2] in _SHELLS and re.fullmatch(r"-[a-z]*c", texts[1]):
        script = words[2]
        several = "\n" in script.text.strip()
        inner = list(commands(script.text, script.line + several, several and nodes_are_lines))
        served = [command for command in inner if server_of("", command)]
        return _from_binary((served or inner or [()])[-1])
    return words


def _from_binary(words: tuple[Word, ...]) -> tuple[Word, ...]:
    """Without what stands before the server's name: ``exec``, assignments."""
    for i, word in enumerate(words):
        if word.text.rpartition("/")[2] in _BINARIES:
            return words[i:]
    return words


def read_command(
    server: Server | None, words: tuple[Word, ...], environment: Mapping[str, str], overrides_entrypoint: bool
) -> tuple[tuple[Flag, ...], dict[str, str]]:
    """The flags of TF Serving's command line, and what the server takes from them, the stock entrypoint's included."""
    if server is not Server.TF_SERVING:
        return (), {}
    flags = flags_of(words)
    values = values_of(flags)
    runs_entrypoint = not overrides_entrypoint or any(w.text.endswith("tf_serving_entrypoint.sh") for w in words)
    if runs_entrypoint:
        name, base = environment.get("MODEL_NAME", "model"), environment.get("MODEL_BASE_PATH", "/models")
        values = {**STOCK_PORTS, "model_name": name, "model_base_path": f"{base}/{name}", **values}
    else:
        values.setdefault("port", "8500")
    return flags, values
