"""What stands before a message, put there by those who carried it: peeled off, and its time read."""

from dataclasses import dataclass

from detectors.oom_lines.matching import Choice, Pattern
from detectors.oom_lines.times import Clock

_TIME = r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2}(?:[.,][0-9]{1,9})?)"
_DATE = r"(?P<year>[0-9]{4})[-/.](?P<month>[0-9]{2})[-/.](?P<day>[0-9]{2})"
_OFFSET = r"\s?(?P<offset>Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})"
_WORD = r"[A-Za-z\x80-\xff]{2,24}\.?"

_YEAR = r"[ \t]+(?P<year>[0-9]{4})\][ \t]*"
_QUOTING = Pattern(
    r"^(?:[ \t]|>|\||#+[ \t]|#$|//|\* |\"|'|`|\xe2\x94\x82|\+[ \t]|- |\$ "
    r"|(?:/var/log/[^\s:]{1,100}|[a-z0-9_./-]{1,60}\.(?:log|txt|gz)(?:\.[0-9]{1,3})?):(?:[0-9]{1,7}:)?"  # grep's
    r"|[0-9]{3,7}:)+"
)
_OUTER_FORMS = (
    rf"<[0-9]{{1,3}}>1 {_DATE}T{_TIME}(?:{_OFFSET})? [^\s]{{1,255}} [^\s]{{1,48}} [^\s]{{1,128}} [^\s]{{1,32}}"
    r" (?:-|\[[^\]\n]{0,200}\]) ?",  # syslog, RFC 5424
    rf"[\[(]?{_DATE}[T ]{_TIME}(?:{_OFFSET})?[\])]?(?: [A-Z]{{2,5}}\b)?[:,]?[ \t]*",  # ISO 8601 and its kin
    rf"(?P<month>{_WORD})[ \t]+(?P<day>[0-9]{{1,2}})[ \t]+(?:(?P<year>[0-9]{{4}})[ \t]+)?{_TIME}[ \t]+",  # syslog
    rf"(?P<day>[0-9]{{1,2}})[ \t]+(?P<month>{_WORD})[ \t]+(?:(?P<year>[0-9]{{4}})[ \t]+)?{_TIME}[ \t]+",
    rf"[IWEFD](?P<month>[0-9]{{2}})(?P<day>[0-9]{{2}}) {_TIME}[ \t]+[0-9]+ [^\s\]]{{1,100}}\][ \t]?",  # klog, glog
    r"(?:stdout|stderr) [FP](?::[^\s]{1,32})? ",  # CRI, after its time
)
# What follows one of these is the kernel's own text: "rsyslogd: page allocation failure" has no tag to take off.
_KERNEL_FORMS = (
    rf"\[{_WORD},?[ \t]+(?P<month>{_WORD})[ \t]+(?P<day>[0-9]{{1,2}})[ \t]+{_TIME}{_YEAR}",  # dmesg -T
    rf"\[{_WORD},?[ \t]+(?P<day>[0-9]{{1,2}})\.?[ \t]+(?P<month>{_WORD})[ \t]+{_TIME}[ \t]+"
    rf"(?P<year>[0-9]{{4}})\][ \t]*",
    rf"\[[^\]\n]{{0,16}}?(?P<month>[0-9]{{1,2}})[^0-9\]\n]{{1,5}}"
    rf"(?P<day>[0-9]{{1,2}})[^0-9\]\n]{{1,5}}{_TIME}{_YEAR}",
    r"(?:<[0-9]{1,3}>)?\[ *(?P<uptime>[0-9]{1,10}\.[0-9]{1,9})\][ \t]?(?:\[ *[TC][0-9]+\][ \t]?)?",  # printk
    r"[0-9]{1,4},[0-9]{1,20},(?P<uptime_us>[0-9]{1,19}),[^;\n]{1,64};",  # /dev/kmsg
    r"(?:[A-Za-z0-9_.:/-]{1,64}[ \t]+)?kernel: ?",
    r"<[0-9]{1,3}>",
)
_SENDER_FORMS = (r"(?:[A-Za-z0-9_.-]{1,64}[ \t]+)?[A-Za-z0-9_./@()-]{1,64}(?:\[[0-9]+\])?: ",)
_TAG_FORMS = (
    r"\[[0-9]{1,10}\][ \t]*",
    r"(?:\[(?:[A-Z]{3,8}|[a-z]{4,8})\]|[A-Z]{4,8}:?|[IWEF]|-)[ \t]+",
    r"[IWEF]? ?[a-z0-9_./+-]{1,120}\.(?:cc|h|cpp|cu):[0-9]+\][ \t]*",
    r"[A-Za-z0-9_-]{1,64}[ \t]{1,8}\|[ \t]",  # docker compose
    r"\[(?:pod|container)/[^\]\n]{1,300}\] ",  # kubectl logs --prefix
)
_OUTER, _KERNEL, _SENDER, _TAGS = map(Choice, (_OUTER_FORMS, _KERNEL_FORMS, _SENDER_FORMS, _TAG_FORMS))
_MOST = 8
"""Prefixes upon prefixes: mail quoting, journal, klog, glog and a level are five."""
_LONGEST = 400
"""Bytes in which one prefix must end."""
PREFIXES = (_MOST + 1) * _LONGEST
"""Bytes in which all prefixes of a line end: no more of it need be given."""


@dataclass(frozen=True, slots=True)
class Peeled:
    """Where a line's message begins, and when it was written.

    Attributes:
        message: bytes of prefix.
        at: Unix seconds, or None.
        own: whether the line has a time of its own: then it begins a record and continues none.
    """

    message: int
    at: float | None
    own: bool


def peel(line: bytes, clock: Clock, *, carried: bool = False) -> Peeled:
    """Take the prefixes off. An outer time counts before an inner one, any before none.

    Args:
        line: bytes of it.
        clock: what the line leaves unsaid about its time.
        carried: it came in an envelope that had a time, and may begin with a sender at once.
    """
    position, at, own, kernel, sent = quoting(line), None, carried, False, False
    for _ in range(_MOST):
        head = line[position : position + _LONGEST]
        found = _OUTER.match(head) if not kernel else None
        if found is None and (found := _KERNEL.match(head)) is not None:
            kernel = True
        timed = found is not None
        if found is None and own and not kernel:
            # One sender, after which "fatal error: " is the message's own.
            found = _SENDER.match(head) if not sent else None
            sent = sent or found is not None
            found = found or _TAGS.match(head)
        if found is None or found.end == 0:
            break
        if timed:
            own, sent = True, False
            at = clock.unix_seconds(found) if at is None else at
        position += found.end
    return Peeled(position, at, own)


def quoting(line: bytes) -> int:
    """Bytes of mail quoting, comment marks and indentation at the line's start."""
    found = _QUOTING.match(line[:200])
    return 0 if found is None else found.end
