"""Secrets taken out of environments, command lines and log lines before they are kept or sent.

A value is a secret by the name beside it, or by its own look: a URL with a password, a bearer token, a JSON web token,
a private key. What is masked stays recognisable by its name, so that a reader sees that it was there.
"""

import re
from collections.abc import Iterable, Mapping

MASK = "***"

_WORDS = r"key|token|secret|passw(?:or)?d|passphrase|pwd|credential|auth|cookie|dsn|signature|salt|private|session"
_NAME = re.compile(rf"(?:{_WORDS})", re.IGNORECASE)
_HARMLESS_NAME = re.compile(
    r"(?:PATH|FILE|DIR|AUTHOR|KEYBOARD|MONKEY|_ID|TIMEOUT|SECONDS)$|^SSH_AUTH_SOCK$", re.IGNORECASE
)
"""Names that say where a secret is, and those that only sound like one."""

_URL_PASSWORD = re.compile(r"(?<=://)[^\s/@:]*:[^\s/@]+@")
_LOOKS = re.compile(
    r"(?<![\w-])eyJ[\w-]{8,}\.[\w-]+\.?[\w-]*"  # a JSON web token
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"  # an AWS access key
    r"|\b(?:ghp|gho|ghs|github_pat|xox[abprs]|sk|glpat|hf)[-_][\w-]{16,}"  # tokens that carry their maker's mark
    r"|-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)"
)
_BEARER = re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE)
_NAME_LENGTH = 64
_PAIR = re.compile(
    rf"(?P<name>(?:{_WORDS})[\w.-]{{0,{_NAME_LENGTH}}})(?P<between>[\"']?\s{{0,16}}[=:]\s{{0,16}}[\"']?)[^\s\"'&,;\0]+",
    re.IGNORECASE,
)
"""From the telling word on, so that a long run of letters costs no more than its length: all patterns here are linear,
since whoever can write a log line can choose the text."""

_NAME_BEFORE = re.compile(r"[\w.-]*\Z")


def masked_text(text: str) -> str:
    """Any text: log lines, messages."""
    text = _LOOKS.sub(MASK, _URL_PASSWORD.sub(f"{MASK}@", text))
    return _PAIR.sub(_masked_pair, _BEARER.sub(rf"\1 {MASK}", text))


def masked_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables, each with its value or a mask."""
    return {name: MASK if value and is_secret(name) else masked_text(value) for name, value in environment.items()}


def masked_arguments(arguments: Iterable[str]) -> tuple[str, ...]:
    """A command line: ``--token=x`` and ``--token x``."""
    masked: list[str] = []
    hide_next = False
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if hide_next and not argument.startswith("-"):
            masked.append(MASK)
        elif equals and value and is_secret(name) and not any(map(str.isspace, name)):
            masked.append(f"{name}={MASK}")
        else:
            masked.append(masked_text(argument))
        hide_next = argument.startswith("-") and not equals and is_secret(argument)
    return tuple(masked)


def is_secret(name: str) -> bool:
    """Whether a variable or flag of that name holds a secret."""
    return bool(_NAME.search(name)) and not _HARMLESS_NAME.search(name)


def _masked_pair(match: re.Match[str]) -> str:
    start = match.start()
    before = _NAME_BEFORE.search(match.string[max(start - _NAME_LENGTH, 0) : start])
    name = (before[0] if before else "") + match["name"]
    return f"{match['name']}{match['between']}{MASK}" if is_secret(name) else match[0]
