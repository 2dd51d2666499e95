"""Markup that others put around a text, taken off: colours, HTML, escapes of quotes."""

from html import unescape

from detectors.oom_lines.matching import Pattern

_COLOUR = Pattern(r"(?:\x1b|#033)\[[0-9;]*[mK]")
_TAG = Pattern(
    r"</?(?:a|b|blockquote|br|code|div|em|font|i|kbd|li|p|pre|samp|span|strong|t[dhrt]|table|tbody|[ou]l)"
    r"(?:\s[^<>\n]{0,200})?/?>"
)
_ENTITIES = (b"&quot;", b"&#39;", b"&#34;", b"&#x27;", b"&#x22;", b"&lt;", b"&gt;", b"&nbsp;")


def plain(text: bytes) -> bytes:
    """What a terminal or a page would show."""
    if b"\x1b" in text or b"#033[" in text:
        text = _COLOUR.without(text)
    if b"<" in text and b">" in text:
        text = _TAG.without(text)
    if b"&" in text and any(entity in text for entity in _ENTITIES):
        text = unescape(text.decode("latin-1")).encode("latin-1", "replace").replace(b"\xa0", b" ")
    return text.replace(b'\\"', b'"')
