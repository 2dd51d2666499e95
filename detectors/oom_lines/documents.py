"""Pod JSON, YAML and ``kubectl describe`` text, and ``docker inspect``: what stands around a line, told by indentation.

All of them indent what belongs together, so one reader serves them all, cut short or not: a line's siblings are the
lines of its depth around it, its parent is the nearest line above that is less deep.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from detectors.oom_lines.envelopes import unwrap
from detectors.oom_lines.fields import Value
from detectors.oom_lines.markup import plain
from detectors.oom_lines.matching import Pattern

LINES_BEFORE, LINES_AFTER = 400, 40
_LONGEST_ENTRY = 400
"""Characters of a line that are read; what is kept of the lines around a state is no more either."""
_ENTRY = Pattern(
    r"^(?P<lead>[ \t]*(?:- +)*)\"?(?P<key>[A-Za-z0-9][A-Za-z0-9 _./-]{0,80})\"?[ \t]*:(?:[ \t]+(?P<value>[^\n]*)|$)"
)
_BRACES = frozenset(("{", "}", "},", "[", "]", "],", "[{", "}]"))
_MARKS = Pattern(r"^(?:[ \t]{0,3}(?:>|\||#|//))+")
_CARRIER = Pattern(
    r"^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:]{8}(?:[.,][0-9]{1,9})?(?:Z|[+-][0-9]{2}:?[0-9]{2})?[ \t]"
    r"(?:std(?:out|err) [FP] )?|[A-Za-z0-9_.-]{1,64} {1,8}\| |\[(?:pod|container)/[^\]\n]{1,300}\] )"
)
"""What stands before a line of output in a log of it: a time and one blank, a container's name."""
_REMARKS = ("  ", " #", " //", " <-", " \N{LEFTWARDS ARROW}")
_ID = Pattern(r"^(?:[a-z-]+://)?(?P<id>[0-9a-f]{12,64})$")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line ``key: value``: its depth in columns, and whether it opens an item of a list."""

    depth: int
    opens: bool
    key: str
    value: str


@lru_cache(maxsize=4096)  # the lines around one state are those around the next
def entry(line: str) -> Entry | None:
    """Read one line; None where it is no ``key: value`` nor a brace. Keys come without case, blanks and underscores."""
    bare = line.strip()
    if bare in _BRACES:
        return Entry(len(line.expandtabs(8)) - len(line.expandtabs(8).lstrip()), False, "", "")
    found = _ENTRY.match(line.encode("utf-8", "replace"))
    if found is None:
        return None
    part = {name: value.decode("utf-8", "replace") for name, value in found.groups.items()}
    lead = part["lead"].expandtabs(8)
    key = part["key"].replace(" ", "").replace("_", "").lower()
    return Entry(len(lead), "-" in lead, key, _bare(part.get("value", "")))


def _bare(value: str) -> str:
    """A value without its quotes and what someone wrote behind it: ``OOMKilled    <- here``."""
    value = value.strip()
    for remark in _REMARKS:
        value = value.partition(remark)[0]
    return value.rstrip().rstrip(",").strip("\"'{[")


def unquoted(line: bytes) -> str:
    """A line, its end cut where it is long, without mail quoting or comment marks; its indentation kept."""
    return _unquoted(line[:_LONGEST_ENTRY])


@lru_cache(maxsize=4096)
def _unquoted(line: bytes) -> str:
    if line.startswith(b'{"') and (envelope := unwrap(line)) is not None and envelope.message is not None:
        line = envelope.message.rstrip(b"\r\n")
    line = plain(line)
    carried = _CARRIER.match(line[:400])
    line = line[0 if carried is None else carried.end :]
    found = _MARKS.match(line[:100])
    return line[0 if found is None else found.end :].decode("utf-8", "replace")


def around(lines: Sequence[str], index: int) -> dict[str, Value]:
    """The fields that the document tells about the container whose state stands in ``lines[index]``.

    Returns:
        Of exit_code, reason, container, container_id, restart_count, limit, pod and pod_uid those that were found.
    """
    entries = [entry(line[:_LONGEST_ENTRY]) for line in lines]
    told: dict[str, Value] = {}
    position: int | None = index
    level = 0
    while position is not None and entries[position] is not None:
        siblings = _siblings(entries, position)
        here = {entries[at].key: entries[at].value for at in sorted(siblings, key=lambda at: -abs(at - index))}  # type: ignore[union-attr]
        if level == 0:
            _number(told, "exit_code", here.get("exitcode"))
            if reason := here.get("reason"):
                told["reason"] = reason
        _container(told, here)
        limits = next((at for at in siblings if entries[at].key == "limits"), None)  # type: ignore[union-attr]
        if limits is not None and (memory := _child(entries, limits, "memory")):
            told.setdefault("limit", memory)
        metadata = next((at for at in siblings if entries[at].key == "metadata"), None)  # type: ignore[union-attr]
        if metadata is not None:
            for key, name in (("name", "pod"), ("uid", "pod_uid")):
                if value := _child(entries, metadata, key):
                    told.setdefault(name, value)
        elif "namespace" in here and here.get("name"):
            told.setdefault("pod", here["name"])
        position = _parent(entries, min(siblings))
        level += 1
        if position is not None and level and not entries[position].value and "containerid" in here:  # type: ignore[union-attr]
            name = lines[position].strip().rstrip(":").strip("\"'")
            if "image" in here and "name" not in here:  # describe: the container's name is the heading
                told.setdefault("container", name)
    return told


def _container(told: dict[str, Value], here: Mapping[str, str]) -> None:
    if "restartcount" in here:
        _number(told, "restart_count", here["restartcount"])
        if here.get("name"):
            told.setdefault("container", here["name"])
    for key in ("containerid", "id"):
        found = _ID.match(here.get(key, "").encode("utf-8", "replace"))
        if found is not None:
            told.setdefault("container_id", found.groups["id"].decode())


def _number(told: dict[str, Value], name: str, value: str | None) -> None:
    if value is not None and value.isascii() and value.isdigit() and len(value) < 10:
        told.setdefault(name, int(value))


def _siblings(entries: Sequence[Entry | None], index: int) -> list[int]:
    """Indices of the entries of the same parent as ``entries[index]``, it included."""
    own = entries[index]
    assert own is not None
    found = [index]
    if not own.opens:
        for at in range(index - 1, max(-1, index - LINES_BEFORE), -1):
            other = entries[at]
            if other is None:
                continue
            if other.depth < own.depth:
                break
            if other.depth == own.depth:
                found.append(at)
                if other.opens:
                    break
    for at in range(index + 1, min(len(entries), index + LINES_AFTER)):
        other = entries[at]
        if other is None:
            continue
        if other.depth < own.depth or (other.depth == own.depth and other.opens):
            break
        if other.depth == own.depth:
            found.append(at)
    return found


def _parent(entries: Sequence[Entry | None], first: int) -> int | None:
    own = entries[first]
    assert own is not None
    limit = own.depth - 1 if own.opens else own.depth
    for at in range(first - 1, max(-1, first - LINES_BEFORE), -1):
        other = entries[at]
        if other is not None and other.depth < limit:
            return at
    return None


def _child(entries: Sequence[Entry | None], parent: int, key: str) -> str | None:
    """The value of a direct child."""
    own = entries[parent]
    assert own is not None
    for _at, other in _below(entries, parent, own.depth):
        if other.key == key:
            return other.value or None
    return None


def _below(entries: Sequence[Entry | None], parent: int, depth: int) -> Iterator[tuple[int, Entry]]:
    child_depth: int | None = None
    for at in range(parent + 1, min(len(entries), parent + LINES_BEFORE)):
        other = entries[at]
        if other is None:
            continue
        if other.depth <= depth:
            return
        child_depth = child_depth or other.depth
        if other.depth == child_depth and not other.opens:
            yield at, other
