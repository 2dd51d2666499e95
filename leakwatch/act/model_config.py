"""Takes one model out of a TF Serving model config, and leaves every other byte as it is. Pure.

The file is a text protobuf, and protobuf's own parser says what it means, in every form that it takes
(``config { ... }`` repeated, ``config: [{ ... }, { ... }]``, ``<`` for ``{``, commas or none). Writing it anew would
lose comments, so the model's place is found and cut out, and the parser confirms that it has gone and nothing else.
https://protobuf.dev/reference/protobuf/textformat-spec/
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from leakwatch.serving_messages import message_class

_TOKEN = re.compile(
    rb"(?P<skip>\s+|#[^\n]*)"
    rb"|(?P<string>\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*')"
    rb"|(?P<open>[{<])|(?P<close>[}>])|(?P<begin>\[)|(?P<end>\])|(?P<part>[,;])|(?P<colon>:)"
    rb"|(?P<word>[^\s,;#\"'{}<>\[\]:]+)",
    re.DOTALL,
)
_MODELS = (b"model_config_list", b"config")


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: bytes
    start: int
    end: int


def parsed(content: bytes, *, whole: bool = True) -> Any:
    """The config as a ModelServerConfig message.

    Args:
        whole: refuse fields that are not known here; else they are passed over.

    Raises:
        ValueError: it is no model config in text form.
    """
    from google.protobuf import text_format

    message = message_class("ModelServerConfig")()
    try:
        text_format.Parse(content.decode(), message, allow_unknown_field=not whole)
    except (text_format.ParseError, ValueError, RecursionError) as error:
        raise ValueError(f"it is no model config in text form: {str(error) or 'nested too deep'}") from error
    return message


def less_model(config: Any, model: str) -> Any:
    """A copy of the message without the model.

    Raises:
        ValueError: none, or more than one, is called so.
    """
    names = [one.name for one in config.model_config_list.config]
    if names.count(model) != 1:
        found = ", ".join(map(repr, names[:10])) or "none"
        raise ValueError(f"{names.count(model)} models are called {model!r}; found: {found}")
    fewer = type(config)()
    fewer.CopyFrom(config)
    del fewer.model_config_list.config[names.index(model)]
    return fewer


def without_model(content: bytes, model: str) -> bytes:
    """The text without the model.

    Raises:
        ValueError: there is no such model, more than one, or the text is none that can be edited safely.
    """
    config = parsed(content, whole=False)
    wanted = less_model(config, model)
    number = [one.name for one in config.model_config_list.config].index(model)
    spans = list(_places(list(_tokens(content))))
    if len(spans) != len(config.model_config_list.config):
        raise ValueError("its models are written in a way that is not understood here")
    edited = content
    for start, end in sorted(spans[number], reverse=True):
        edited = edited[:start] + edited[end:]
    if parsed(edited, whole=False) != wanted:
        raise ValueError("the model cannot be taken out of it without changing something else")
    return edited


def models_in(content: bytes) -> tuple[str, ...]:
    """The names of its models. Raises ValueError where it cannot be read."""
    return tuple(one.name for one in parsed(content, whole=False).model_config_list.config)


def is_less_one_model(content: bytes, original: bytes) -> bool:
    """Whether a config is the other one without one of its models, as our edit leaves it."""
    try:
        now, before = parsed(content, whole=False), parsed(original, whole=False)
        names = [one.name for one in before.model_config_list.config]
        return any(names.count(name) == 1 and now == less_model(before, name) for name in names)
    except ValueError:
        return False


def _places(tokens: list[_Token]) -> Iterator[tuple[tuple[int, int], ...]]:
    """For each model in turn the pieces to cut: itself, and the comma that would be left over."""
    inside: list[
        tuple[str, bytes, int]
    ] = []  # what is open: a message or a list, its field, and the token it begins at
    field, begins = b"", 0
    for i, token in enumerate(tokens):
        in_list = bool(inside) and inside[-1][0] == "begin"
        if token.kind == "word" and not in_list:
            field, begins = token.text, i
        elif token.kind == "begin":
            inside.append(("begin", field, begins))
        elif token.kind == "open":
            inside.append(("open", inside[-1][1], i) if in_list else ("open", field, begins))
        elif token.kind in ("close", "end") and inside:
            path = tuple(name for kind, name, _ in inside if kind == "open")
            _, _, first = inside.pop()
            if token.kind == "close" and path == _MODELS:
                comma = _comma(tokens, first, i, bool(inside) and inside[-1][0] == "begin")
                yield ((tokens[first].start, token.end), *comma)


def _comma(tokens: list[_Token], first: int, last: int, in_list: bool) -> Iterator[tuple[int, int]]:
    """The one after it; of the last in a list the one before it."""
    after, before = tokens[last + 1 : last + 2], tokens[max(first - 1, 0) : first]
    for token in after if after and after[0].kind == "part" else before if in_list else ():
        if token.kind == "part":
            yield token.start, token.end


def _tokens(content: bytes) -> Iterator[_Token]:
    at = 0
    while at < len(content):
        match = _TOKEN.match(content, at)
        if match is None or match.lastgroup is None:
            raise ValueError(f"it cannot be read from byte {at} on")
        if match.lastgroup != "skip":
            yield _Token(match.lastgroup, match.group(), at, match.end())
        at = match.end()
