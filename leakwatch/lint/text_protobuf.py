"""TF Serving's configuration files: text protobuf, parsed by protobuf over the messages that the server reads.

`parse` says what protobuf says; `fields_of` reads names, words and lines of whatever can be read, so that a rule can
point at a line also where the text is refused.
"""

from typing import Any

from leakwatch.lint.configurations import Field, Refusal
from leakwatch.serving_messages import MESSAGES, message_class

DEEPEST = 60
"""Levels of braces; the deepest configuration has six, and protobuf itself gives up at 100."""

_OPENING, _CLOSING = {"{": "}", "<": ">"}, {"}", ">"}

WRAPPED = frozenset(name for name, _, kind, _, _ in MESSAGES["BatchingParameters"] if kind.endswith("Value"))
"""Fields of BatchingParameters that are written ``{ value: N }``."""


def known_fields(message: str) -> tuple[str, ...]:
    """The names of a message's fields."""
    return tuple(name for name, *_ in MESSAGES[message])


def message_of(message: str, field: str) -> str | None:
    """The message that a field of a message holds; None where it holds a word."""
    return next((kind for name, _, kind, *_ in MESSAGES[message] if name == field and kind in MESSAGES), None)


def parse(text: str, message: str, first_line: int = 1) -> Refusal | None:
    """What protobuf has against a text as that message; None where the server would take it."""
    from google.protobuf import text_format

    try:
        text_format.Parse(text, message_class(message)())
    except text_format.ParseError as error:
        said = str(error).partition(" : ")[2] or str(error)
        return Refusal(first_line + (error.GetLine() or 1) - 1, said)
    except (ValueError, RecursionError) as error:
        return Refusal(first_line, str(error) or "nested too deep")
    return None


def from_json(value: Any) -> str | None:
    """The text form of a ModelServerConfig in JSON; None where it is none."""
    from google.protobuf import json_format, text_format

    try:
        parsed = json_format.ParseDict(value, message_class("ModelServerConfig")(), ignore_unknown_fields=False)
    except (json_format.ParseError, TypeError, ValueError, AttributeError):
        return None
    return text_format.MessageToString(parsed)


def fields_of(text: str, first_line: int = 1) -> tuple[Field, Refusal | None]:
    """Names, words and lines of all fields up to where the text stops being text protobuf, and why it stops there."""
    from google.protobuf import text_format

    tokenizer: Any = text_format.Tokenizer(text.splitlines())
    stack: list[tuple[str, int, str, list[Field]]] = [("", first_line, "", [])]
    refusal = None

    def line() -> int:
        return first_line + (tokenizer.ParseError("").GetLine() or 1) - 1

    try:
        while not tokenizer.AtEnd():
            token, here = tokenizer.token, line()
            if token in _CLOSING and len(stack) > 1 and token == stack[-1][2]:
                tokenizer.NextToken()
                _close(stack)
                continue
            if token in (",", ";", "]"):  # between fields, and the end of a list of messages
                tokenizer.NextToken()
                continue
            if token in _OPENING and stack[-1][3] and not stack[-1][3][-1].value:  # the next of a list of messages
                name = stack[-1][3][-1].name
            else:
                name = tokenizer.ConsumeIdentifier()
                tokenizer.TryConsume(":")
            tokenizer.TryConsume("[")
            opening = tokenizer.token
            if opening in _OPENING:
                if len(stack) > DEEPEST:
                    return _closed(stack), Refusal(here, f"nested more than {DEEPEST} levels deep")
                tokenizer.NextToken()
                stack.append((name, here, _OPENING[opening], []))
            else:
                _words(tokenizer, name, here, stack[-1][3])
    except text_format.ParseError as error:
        said = str(error).partition(" : ")[2] or str(error)
        refusal = Refusal(first_line + (error.GetLine() or 1) - 1, said)
    if refusal is None and len(stack) > 1:
        refusal = Refusal(line(), f"{stack[-1][0]!r} is not closed")
    return _closed(stack), refusal


def _words(tokenizer: Any, name: str, here: int, found: list[Field]) -> None:
    """One word, or those of a list, each as a field of its own."""
    from google.protobuf import text_format

    while True:
        token = tokenizer.token
        if token in ("", "{", "}", "<", ">", "]", ":", ","):
            raise tokenizer.ParseError(f"Expected a value of {name!r}, found {token!r}.")
        if token[0] in "\"'":
            word = tokenizer.ConsumeString()
        else:
            word = token
            tokenizer.NextToken()
            if word == "-":
                word += tokenizer.token
                tokenizer.NextToken()
        found.append(Field(name, here, word))
        # A list goes on after a comma; between fields a comma stands before a name and its colon.
        if tokenizer.token != "," or not isinstance(tokenizer, text_format.Tokenizer):
            return
        tokenizer.NextToken()
        if not (tokenizer.token[:1].isdigit() or tokenizer.token[:1] in ("-", '"', "'")):
            return


def _close(stack: list[tuple[str, int, str, list[Field]]]) -> None:
    name, line, _, inside = stack.pop()
    stack[-1][3].append(Field(name, line, None, tuple(inside)))


def _closed(stack: list[tuple[str, int, str, list[Field]]]) -> Field:
    while len(stack) > 1:
        _close(stack)
    name, line, _, inside = stack[0]
    return Field(name, line, None, tuple(inside))
