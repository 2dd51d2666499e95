"""Single values as people write them, and as `leakwatch config show` writes them back.

Every reader takes the text of one value and raises ValueError with what is wrong and what to write instead; none of
them repeats a text that may hold a secret.
"""

import re
from collections.abc import Callable
from enum import StrEnum
from urllib.parse import urlsplit

from leakwatch.quantities import DURATION_UNITS, parse_duration, parse_size, shown

SWITCHES = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WHOLE_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LARGEST_COUNT = 1_000_000

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_SECRET_HINT = "is an address where a file's name is expected; write the address into a file and name that file"


def text(value: str) -> str:
    """Any text but none."""
    if not value.strip():
        raise ValueError("is empty; write a name")
    return value


def path(value: str) -> str:
    """A file or folder; its being there is not asked for, it may come later."""
    if "\0" in value or not value.strip():
        raise ValueError("is no path; write for example /var/lib/leakwatch")
    return value


def secret_file(value: str) -> str:
    """A file that holds a secret; a secret itself in its place is refused and not repeated."""
    if "://" in value or value.startswith(("xox", "xapp-")):
        raise ValueError(_SECRET_HINT)
    return path(value)


def switch(value: str) -> bool:
    """True or false."""
    if value.lower() not in SWITCHES:
        raise ValueError(f"{shown(value)} is no switch; write true or false")
    return SWITCHES[value.lower()]


def shown_switch(value: bool) -> str:
    """As YAML writes it."""
    return "true" if value else "false"


def whole(least: int, most: int = LARGEST_COUNT) -> Callable[[str], int]:
    """A reader of whole numbers between two."""

    def read(value: str) -> int:
        if _INTEGER.fullmatch(value.strip()) is None or not least <= int(value) <= most:
            raise ValueError(f"{shown(value)} is not a whole number from {least} to {most}")
        return int(value)

    return read


def duration(least: str, most: str = "366d") -> Callable[[str], float]:
    """A reader of durations between two."""
    low, high = parse_duration(least), parse_duration(most)

    def read(value: str) -> float:
        seconds = parse_duration(value)
        if not low <= seconds <= high:
            raise ValueError(f"{shown(value)} is out of range; write something from {least} to {most}")
        return seconds

    return read


def shown_duration(seconds: float) -> str:
    """In the largest unit that needs no fraction: 90s, 10m, 250ms."""
    milliseconds = round(seconds * 1000)
    if milliseconds == 0:
        return "0s"
    unit = next(unit for unit in ("d", "h", "m", "s", "ms") if milliseconds % round(DURATION_UNITS[unit] * 1000) == 0)
    return f"{milliseconds // round(DURATION_UNITS[unit] * 1000)}{unit}"


def size(value: str) -> int:
    """A size of at least a byte."""
    size_bytes = round(parse_size(value))
    if not 1 <= size_bytes < 2**63:
        raise ValueError(f"{shown(value)} is out of range; write for example 512MiB or 8GiB")
    return size_bytes


def shown_size(size_bytes: int) -> str:
    """In the largest binary unit that needs no fraction: 64MiB, 1000B."""
    units = (("EiB", 2**60), ("PiB", 2**50), ("TiB", 2**40), ("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10), ("B", 1))
    unit, scale = next((unit, scale) for unit, scale in units if size_bytes % scale == 0)
    return f"{size_bytes // scale}{unit}"


def ratio(value: str) -> float:
    """A share: ``0.9`` or ``90%``."""
    number, percent, rest = value.strip().partition("%")
    try:
        share = float(number) / (100.0 if percent else 1.0)
    except ValueError:
        share = -1.0
    if rest or not 0.0 < share <= 1.0:
        raise ValueError(f"{shown(value)} is no share; write for example 90% or 0.9")
    return share


def shown_ratio(share: float) -> str:
    """As percent."""
    return f"{100 * share:g}%"


def address(value: str) -> str:
    """An address of http or https. It may hold a password, so it is never repeated."""
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or not value.isprintable() or " " in value:
        raise ValueError("is no address; write for example http://127.0.0.1:9093")
    return value


def shown_address(value: str) -> str:
    """Without a name and password, and without what follows a question mark."""
    parts = urlsplit(value)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}" + ("?..." if parts.query else "")


def shown_host(value: str) -> str:
    """Scheme and host alone: the path of a webhook is often its secret."""
    parts = urlsplit(value)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}" + ("/..." if parts.path.strip("/") or parts.query else "")


def listen(value: str) -> tuple[str, int] | None:
    """Host and port, port 0 being any free one; ``off`` is None. ``:9464`` listens on every address."""
    if SWITCHES.get(value.lower()) is False:
        return None
    host, colon, port = value.strip().rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    if not colon or not port.isascii() or not port.isdigit() or len(port) > 5 or int(port) > 65535 or " " in host:
        raise ValueError(f"{shown(value)} is no address to listen on; write for example 127.0.0.1:9464, or off")
    return host or "0.0.0.0", int(port)


def host_and_port(value: str) -> str:
    """Where a server without http in its address is: ``127.0.0.1:8500``, ``[::1]:8500``."""
    host, colon, port = value.rpartition(":")
    usable = bool(host and colon) and port.isascii() and port.isdigit() and 0 < int(port[:6]) <= 65535
    if not usable or "/" in host or "@" in host or not host.isprintable() or " " in host:
        raise ValueError(f"{shown(value)} is no host and port; write for example 127.0.0.1:8500")
    return value


def shown_listen(value: tuple[str, int] | None) -> str:
    """As it is written."""
    if value is None:
        return "off"
    host, port = value
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def weekdays(value: str) -> frozenset[int]:
    """``mon-fri``, ``sat,sun``, ``fri-mon`` (over the weekend), ``daily``; 0 is Monday."""
    if value.strip().lower() in ("daily", "all"):
        return frozenset(range(7))
    days: set[int] = set()
    for part in value.lower().split(","):
        first, dash, last = part.partition("-")
        start, end = _weekday(first), _weekday(last if dash else first)
        if start is None or end is None:
            raise ValueError(f"{shown(value)} are no weekdays; write for example mon-fri, or sat,sun")
        days.update((start + step) % 7 for step in range((end - start) % 7 + 1))
    return frozenset(days)


def _weekday(word: str) -> int | None:
    """0 for mon or monday; None where it is no weekday."""
    names = WEEKDAYS if len(word.strip()) == 3 else _WHOLE_WEEKDAYS
    return names.index(word.strip()) if word.strip() in names else None


def shown_weekdays(days: frozenset[int]) -> str:
    """Each by its name."""
    return ",".join(WEEKDAYS[day] for day in sorted(days))


def clock(value: str) -> int:
    """Minutes of the day of ``02:00``; ``24:00`` is its end."""
    match = _CLOCK.fullmatch(value.strip())
    if value.strip() == "24:00":
        return 1440
    if match is None:
        raise ValueError(f'{shown(value)} is no time of day; write for example "02:00"')
    return 60 * int(match[1]) + int(match[2])


def shown_clock(minutes: int) -> str:
    """02:00."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def zone(value: str) -> str:
    """An IANA zone that this machine knows."""
    from zoneinfo import ZoneInfo  # most settings name no zone, and it loads half a MiB

    try:
        ZoneInfo(value)
    except (OSError, ValueError, KeyError):
        raise ValueError(f"{shown(value)} is no time zone; write for example UTC or Europe/Berlin") from None
    return value


def one_of(choices: type[StrEnum]) -> Callable[[str], StrEnum]:
    """A reader of the words of an enumeration."""

    def read(value: str) -> StrEnum:
        try:
            return choices(value)
        except ValueError:
            raise ValueError(f"{shown(value)} is unknown; write one of {', '.join(choices)}") from None

    return read
