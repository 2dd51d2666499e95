"""What a signature is: one row of the tables in signatures/."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from detectors.oom_lines.fields import Value
from detectors.oom_lines.matching import Pattern


class Proof(Enum):
    """What a line proves about an out-of-memory kill.

    Exit status 137 is any SIGKILL, and a container runtime's ``OOMKilled`` may be carried over from an earlier child:
    only the kernel's own lines, and those that quote them, prove a kill.
    """

    KILL = "the kernel, or a daemon in its stead, killed for want of memory"
    REPORT = "a runtime reports an OOM kill that it read from the cgroup's counters"
    FAILURE = "an allocation failed; nothing was killed"
    NOTHING = "a symptom that has other causes as well"


@dataclass(frozen=True, slots=True)
class Signature:
    """One form of one kind of memory event.

    Attributes:
        kind: of the event; empty where the line is no event of its own but tells about its incident.
        literals: every matching text holds at least one of them.
        pattern: RE2 syntax; a blank stands for any white space or none, so that it survives hard wraps. Named groups
            are fields (fields.py has their types and units); "pid_2" is the field "pid" once more.
        proves: see Proof.
        since: which version first printed this form.
        example: a real line.
        source: where the example stands.
        fixed: fields that the form itself implies.
        gate: what the prefilter looks for; empty where the literals are rare enough in ordinary logs. It asks for less
            than the pattern, so that a part of a line that was wrapped is found as well.
        whole: the match is taken on the message that is left when prefixes are peeled, from its very start.
        cut: the form of a line that was cut short: the next one may hold its rest.
    """

    kind: str
    literals: tuple[str, ...]
    pattern: str
    proves: Proof
    since: str
    example: str
    source: str
    fixed: Mapping[str, Value] = field(default_factory=dict)
    gate: str = ""
    whole: bool = False
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Matcher:
    """A signature made ready to search with."""

    signature: Signature
    pattern: Pattern


def compile_signature(signature: Signature) -> Matcher:
    """Compile a signature; blanks become optional white space.

    Raises:
        re2.error: if the pattern is no RE2 pattern.
    """
    pattern = _stretch_blanks(signature.pattern)
    if signature.whole:
        pattern = rf"^[ \t]*(?:{pattern})"
    return Matcher(signature, Pattern(pattern))


def _stretch_blanks(pattern: str) -> str:
    """Turn each blank outside a character class into white space or none (a blank with + keeps its one)."""
    parts: list[str] = []
    in_class = escaped = False
    for position, character in enumerate(pattern):
        after = pattern[position + 1 : position + 2]
        if character == " " and not in_class and not escaped:
            parts.append(r"\s" if after == "+" else r"\s*")
            continue
        if character == "?" and pattern[position - 1] == " " and not in_class and pattern[position - 2] != "\\":
            continue
        if not escaped:
            in_class = character == "[" or in_class and character != "]"
        escaped = character == "\\" and not escaped
        parts.append(character)
    return "".join(parts)
