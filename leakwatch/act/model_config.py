"""Takes one model out of a TF Serving model config, and leaves every other byte as it is. Pure.

The file is a text protobuf (``model_config_list { config { name: "..." ... } }``); a round trip through
a parser would lose comments and order, so the block's place is found and cut out.
https://protobuf.dev/reference/protobuf/textformat-spec/
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    rb"(?P<skip>[\s,;]+|#[^\n]*)"
    rb"|(?P<string>\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*')"
    rb"|(?P<open>[{<])|(?P<close>[}>])|(?P<list>[\[\]])|(?P<colon>:)"
    rb"|(?P<word>[^\s,;#\"'{}<>\[\]:]+)",
    re.DOTALL,
)
_ESCAPES = {b"n": b"\n", b"t": b"\t", b"r": b"\r"}


@dataclass(frozen=True, slots=True)
class _Block:
    """One ``config`` block: where it begins and ends, and the model's name."""

    start: int
    end: int
    name: str


def without_model(content: bytes, model: str) -> bytes:
    """The config without the model's block.

    Raises:
        ValueError: there is no such block, more than one, or the text is none that can be edited safely.
    """
    blocks = list(_blocks(content))
    own = [block for block in blocks if block.name == model]
    if len(own) != 1:
        names = ", ".join(repr(block.name) for block in blocks[:10]) or "none"
        raise ValueError(f"{len(own)} blocks are called {model!r}; found: {names}")
    return content[: own[0].start] + content[own[0].end :]


def _blocks(content: bytes) -> Iterator[_Block]:
    """The blocks at model_config_list / config; fields may be written with or without a colon before the brace."""
    path: list[bytes] = []
    field, field_at, block_at, name, lists = b"", 0, 0, b"", 0
    wants_name = False
    for kind, text, start, end in _tokens(content):
        if kind == "word":
            wants_name = False
            field, field_at = text, start
        elif kind == "open":
            if path == [b"model_config_list"] and field == b"config":
                if lists:
                    raise ValueError("its models are written as a list; write one config { } for each")
                block_at, name = field_at, b""
            path.append(field)
            field = b""
        elif kind == "close":
            if not path:
                raise ValueError("a brace closes that was never opened")
            if path == [b"model_config_list", b"config"]:
                yield _Block(block_at, end, name.decode(errors="replace"))
            path.pop()
        elif kind == "colon":
            wants_name = path == [b"model_config_list", b"config"] and field == b"name"
        elif kind == "string" and wants_name:
            name += _unquoted(text)  # strings side by side are one
        elif kind == "list":
            lists += 1 if text == b"[" else -1
    if path or lists:
        raise ValueError("a brace is opened and never closed")


def _tokens(content: bytes) -> Iterator[tuple[str, bytes, int, int]]:
    at = 0
    while at < len(content):
        match = _TOKEN.match(content, at)
        if match is None or match.lastgroup is None:
            raise ValueError(f"it cannot be read from byte {at} on")
        if match.lastgroup != "skip":
            yield match.lastgroup, match.group(), at, match.end()
        at = match.end()


def _unquoted(text: bytes) -> bytes:
    return re.sub(rb"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), text[1:-1], flags=re.DOTALL)
