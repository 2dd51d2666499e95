"""When a line was written: the forms of time that logs begin with, to Unix seconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from detectors.oom_lines.matching import Match

# The months of the locales whose names begin otherwise than in English, by their first letters (CLDR, abbreviated and
# wide forms); a name is looked up by its longest listed beginning. Numbers need no table.
_MONTHS: Mapping[str, int] = {
    name: month
    for month, names in enumerate(
        (
            "jan янв janv ene gen sty oca led ian",
            "feb фев fév févr lut şub úno",
            "mar мар mär mrz mars maa bře már",
            "apr апр avr avril abr kwi nis dub ápr huh",
            "may май мая mai maj mei mag maio kvě máj tou",
            "jun июн juin giu cze haz čer jún kes",
            "jul июл juil lug lip tem črc heinä",
            "aug авг août aou ago sie ağu srp elo",
            "sep сен set wrz eyl zář syys szept",
            "oct окт okt out ott paź eki říj loka",
            "nov ноя lis kas marras",
            "dec дек déc dez dic gru ara pro joulu",
        ),
        start=1,
    )
    for name in names.split()
}


@dataclass(slots=True)
class Clock:
    """What a log leaves unsaid about its times, and the caller knows.

    Attributes:
        year: of the first line whose date has none; it goes up by one where the months start over. None: such lines
            have no time.
        zone: of lines without an offset; None means UTC.
        boot: Unix seconds at which the kernel's clock was 0; None: a bare ``[ 123.4]`` is no time.
    """

    year: int | None = None
    zone: tzinfo | None = None
    boot: float | None = None
    month: int = 0

    def unix_seconds(self, found: Match) -> float | None:
        """Unix seconds from a prefix pattern's groups (prefixes.py); None where they are no time or lack a part."""
        part = {name: value.decode("utf-8", "replace") for name, value in found.groups.items()}
        try:
            if "uptime" in part:
                return None if self.boot is None else self.boot + float(part["uptime"])
            if "uptime_us" in part:
                return None if self.boot is None else self.boot + int(part["uptime_us"]) / 1e6
            if "day" not in part:
                return None
            month = int(part["month"]) if part["month"].isdigit() else _month(part["month"])
            year = int(part["year"]) if "year" in part else self._undated_year(month)
            if month is None or year is None:
                return None
            seconds = float(part.get("second", "0").replace(",", "."))
            moment = datetime(
                year, month, int(part["day"]), int(part["hour"]), int(part["minute"]), tzinfo=self._zone(part)
            )
            return moment.timestamp() + seconds
        except (ValueError, OverflowError):
            return None

    def _undated_year(self, month: int | None) -> int | None:
        if self.year is not None and month is not None:
            if self.month - month > 6:
                self.year += 1
            self.month = month
        return self.year

    def _zone(self, part: Mapping[str, str]) -> tzinfo:
        offset = part.get("offset", "")
        if offset in ("Z", "z", "UTC", "GMT"):
            return UTC
        if offset:
            digits = offset[1:].replace(":", "").ljust(4, "0")
            minutes = int(digits[:2]) * 60 + int(digits[2:4])
            return timezone(timedelta(minutes=-minutes if offset[0] in "-−" else minutes))
        return self.zone or UTC


def _month(name: str) -> int | None:
    """Month 1..12 of a name in any of the known languages; None for another word."""
    name = name.lower().rstrip(".")
    for length in range(min(len(name), 6), 2, -1):
        if (month := _MONTHS.get(name[:length])) is not None:
            return month
    return None


def from_iso(text: str) -> float | None:
    """Unix seconds of an ISO 8601 time with an offset (nanoseconds are cut); None for anything else."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo is not None else None
