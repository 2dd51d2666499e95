"""Words of an event that tell of none: a program's source that looks for them, a document that explains them."""

from detectors.oom_lines.matching import Match, Pattern

_BEFORE, _AFTER = 96, 24
_LOOKS_FOR = Pattern(
    r"(?i:contains?|includes?|equals?|startswith|endswith|indexof|search|match(?:es)?|compile|substr(?:ing)?|regex"
    r"|tothrow|toequal|raises|Regex::new)[a-zA-Z]*\(\s*(?:[a-zA-Z0-9_.()&*]{1,40},\s*)?[br]?[\"'/`][^\"'`\n]{0,40}$"
    r"|(?:^|[^a-zA-Z])r[\"'][^\"'\n]{0,40}$|\bgrep [^|\n]{0,60}$"
    r"|(?:printf|printk|print|pr_[a-z]+|log_[a-z]+) ?\((?:[a-zA-Z_ ]+,)?\s*(?:KERN_[A-Z]+ )?[\"'][^\"'\n]{0,40}$"
    r"|\b(?:label|query|pattern|regex|keywords?|question|answer)[\"']?\s*[:=]\s*[\"'`][^\"'`\n]{0,60}$"
    r"|[a-zA-Z]\|$"
)
_LOOKED_FOR = Pattern(r"^[^\"'`\n]{0,4}[\"'`]\)? (?:not )?in [a-z]|^\|[a-zA-Z\\(]")
_LIST_ITEM = Pattern(
    "|".join(
        rf"^\s*{q}[^{q}0-9]*(?:(?:137|9)(?:[^{q}0-9]*[^{q}0-9.])?|[^{q}0-9.]){q}"
        r"(?:,\s*(?://[^\n]*)?|\s*//[^\n]*)$"
        for q in ("'", '"')
    )
)
"""A line that is a string and a comma, without a number nor a full stop: one of a list of words to look for."""
_KEY_BEGINS, _KEY_ENDS = (
    Pattern(r"^\s*(?:///?|#|\*)?\s*[{,]?\s*[\"'][^\"'\n]{0,60}$"),
    Pattern(r"^[^\"'`\n]{0,8}[\"']\s*(?::|[=-]>)\s"),
)
_SUCH_AS = Pattern(r"(?i:\b(?:such as|like|e\.g\.|for|expect(?:s|ed)?|grep)) [\"'`][^\"'`\n]{0,40}$")
_REGEX = Pattern(r"(?:^|[\s(~=])/[a-zA-Z. :]{8,80}/(?:[gi]*\s|[),;])")
_FEW = 2
"""Groups of a match up to which it is no more than the words themselves: a real line tells more."""


def is_mention(text: bytes, found: Match) -> bool:
    """Whether a match only mentions an event: ``if "out of memory" in str(e)``, "pods show `Exit Code: 137`".

    Args:
        text: bytes of the line.
        found: what a signature found in it.
    """
    start, end = found.start, found.end
    start += text[start : start + 1] in (b'"', b"'", b"`", b"/")  # some patterns take the character before along
    before, after = text[max(0, start - _BEFORE) : start], text[end : end + _AFTER]
    asked = any(
        pattern.search(part) is not None
        for pattern, part in ((_LOOKS_FOR, before), (_LOOKED_FOR, after), (_LIST_ITEM, text[: 3 * _BEFORE]))
    )
    regex = _REGEX.search(text[: 3 * _BEFORE])
    if asked or regex is not None and regex.start <= start < regex.end or before.endswith(b"/") and after[:1] == b"/":
        return True
    return len(found.groups) < _FEW and _explained(text, start, before, after)


def _explained(text: bytes, start: int, before: bytes, after: bytes) -> bool:
    if _KEY_BEGINS.search(text[:start]) is not None and _KEY_ENDS.search(after) is not None:
        return True
    return _SUCH_AS.search(before) is not None and after[:1] in (b'"', b"'", b"`")
