"""Secrets in evidence: what looks like one is masked before it is written, in text and in an environment block."""

import re

MASK = b"***"

_NAME = (
    rb"[\w.\-]*(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential|cookie)"
)
_ASSIGNED = re.compile(rb"(?i)(\b" + _NAME + rb"[\w.\-]*[\"']?\s*[=:]\s*)(\"[^\"\n]*\"|'[^'\n]*'|[^\s,;}\x00]+)")
_FLAG = re.compile(rb"(?i)(--?" + _NAME + rb"[\w\-]*[ \x00]+)([^\s\x00]+)")
_HEADER = re.compile(rb"(?i)(\bauthorization\s*[=:]\s*[\"']?(?:bearer|basic|token)?\s*)[^\s\"'\x00]+")
_BEARER = re.compile(rb"(?i)(\bbearer\s+)[\w.~+/\-]{8,}=*")
_IN_URL = re.compile(rb"([a-z][a-z0-9+.\-]*://)[^\s/@:\x00]*:[^\s/@\x00]+@", re.IGNORECASE)
_WELL_KNOWN = re.compile(
    rb"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"  # AWS access keys
    rb"|\bxox[a-z]-[\w\-]{10,}|https://hooks\.slack\.com/[\w/]+"  # Slack
    rb"|\bgh[pousr]_[A-Za-z0-9]{20,}"  # GitHub
    rb"|\beyJ[\w\-]{10,}\.[\w\-]{10,}\.[\w\-]*"  # JSON web tokens
    rb"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)


def masked(content: bytes) -> bytes:
    """The content with passwords, tokens and keys masked; names of variables and flags stay readable.

    It goes by names and by well-known forms: a secret under an innocent name is not recognised.
    """
    content = _WELL_KNOWN.sub(MASK, content)
    content = _IN_URL.sub(rb"\1" + MASK + b"@", content)
    content = _HEADER.sub(rb"\1" + MASK, content)
    content = _BEARER.sub(rb"\1" + MASK, content)
    content = _FLAG.sub(rb"\1" + MASK, content)
    return _ASSIGNED.sub(rb"\1" + MASK, content)
