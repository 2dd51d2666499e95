"""What the stamps of log lines leave open: the year, the zone, and when the kernel's clock began."""

import os
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from leakwatch.sample.log_files.find import STANDARD_INPUT

KERNEL_MESSAGES = "/dev/kmsg"

_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
_SYSLOG_STAMP = re.compile(rb"^(?:<[0-9]{1,3}>)?(" + b"|".join(_MONTHS) + rb") [ 0-9][0-9] [0-9]{2}:[0-9]{2}:", re.M)


@dataclass(frozen=True, slots=True)
class Dating:
    """What is known beside the lines themselves; None is not known.

    Attributes:
        year: of the first stamp without one (syslog's).
        zone: of stamps without one.
        boot: Unix seconds when the machine booted, for stamps that count from there (the kernel's).
    """

    year: int | None = None
    zone: tzinfo | None = None
    boot: float | None = None


def dated(source: str, head: bytes, given: Dating) -> Dating:
    """``given``, and what it leaves open as this machine and the source's ``head`` (its first chunk) tell it.

    The year follows from when the file was last written: a first stamp in a later month than that is of the year
    before. Of /dev/kmsg the boot is this machine's.
    """
    zone = given.zone or local_zone()
    boot = given.boot
    if boot is None and source == KERNEL_MESSAGES:
        boot = time.time() - time.clock_gettime(time.CLOCK_MONOTONIC)
    return Dating(given.year or _first_year(source, head, zone), zone, boot)


def local_zone() -> tzinfo:
    """This machine's zone with its summer time: TZ where it names one, else /etc/localtime, else UTC."""
    name = os.environ.get("TZ", "").removeprefix(":")
    try:
        if name:
            return ZoneInfo(name)
        with open("/etc/localtime", "rb") as file:
            return ZoneInfo.from_file(file, key="localtime")
    except (OSError, ValueError, KeyError):  # a name that no database holds, as a rule such as CET-1CEST
        return UTC


def _first_year(source: str, head: bytes, zone: tzinfo) -> int:
    try:
        seconds = time.time() if source == STANDARD_INPUT else os.stat(source).st_mtime
    except (OSError, ValueError):
        seconds = time.time()
    written = datetime.fromtimestamp(seconds, zone)
    stamp = _SYSLOG_STAMP.search(head)
    begins_before = stamp is not None and _MONTHS.index(stamp[1]) + 1 > written.month
    return written.year - 1 if begins_before else written.year
