"""What carriers put before a message."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from detectors.oom_lines import Scanner

NOON = datetime(2020, 3, 5, 12, 0, 1, 500_000, tzinfo=UTC).timestamp()
MESSAGE = "kworker/u8:2 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=-998"

PREFIXES = {
    "none": ("", None),
    "uptime": ("[  100.500000] ", 100.5),
    "uptime and caller": ("[  100.500000][ T3106] ", 100.5),
    "priority": ("<4>[  100.500000] ", 100.5),
    "kmsg": ("4,1234,100500000,-;", 100.5),
    "dmesg -T": ("[Thu Mar  5 12:00:01 2020] ", NOON - 0.5),
    "dmesg -T, French": ("[jeu. 5 mars 12:00:01 2020] ", NOON - 0.5),
    "dmesg -T, Russian": ("[Чт мар  5 12:00:01 2020] ", NOON - 0.5),
    "dmesg -T, Chinese": ("[四 3月  5 12:00:01 2020] ", NOON - 0.5),
    "syslog": ("Mar  5 12:00:01 node-1 kernel: [  100.500000] ", NOON - 0.5),
    "syslog, Spanish": ("mar 05 12:00:01 node-1 kernel: ", NOON - 0.5),
    "ISO syslog": ("2020-03-05T12:00:01.500000+00:00 node-1 kernel: [  100.5] ", NOON),
    "ISO syslog with offset": ("2020-03-05T14:00:01.500000+02:00 node-1 kernel: ", NOON),
    "ISO syslog west of Greenwich": ("2020-03-05T06:30:01.500000-05:30 node-1 kernel: ", NOON),
    "CRI": ("2020-03-05T12:00:01.500000000Z stderr F ", NOON),
    "mail": ("> > [  100.500000] ", 100.5),
    "comment": ("#  [  100.500000] ", 100.5),
}


@pytest.mark.parametrize("name", PREFIXES)
def test_the_command_and_the_time_are_read_behind_every_prefix(name: str) -> None:
    """A command name may hold slashes and colons, so the prefix must be told from it."""
    prefix, at = PREFIXES[name]
    scanner = Scanner(year=2020, boot=0.0)
    (event,) = scanner.feed(f"{prefix}{MESSAGE}\n".encode()) + scanner.finish()
    assert event.fields["process"] == "kworker/u8:2"
    assert event.at == (None if at is None else pytest.approx(at))


@pytest.mark.parametrize("comm", ["(sd-pam)", "Web Content", "[celeryd: a]", "python3.11", "a: b", "kworker/0:1H-ev"])
def test_any_command_name_is_kept_as_printed(comm: str) -> None:
    """Fifteen bytes of anything: blanks, brackets and colons too."""
    for text in (
        f"[ 1.5] {comm} invoked oom-killer: gfp_mask=0xd0, order=0",
        f"[ 1.5] {comm}: page allocation failure: order:2, mode:0x1",
        f"[ 1.5] Out of memory: Killed process 7 ({comm}) total-vm:1kB, anon-rss:1kB",
    ):
        scanner = Scanner()
        (event,) = scanner.feed(text.encode() + b"\n") + scanner.finish()
        assert event.fields["process"] == comm


def test_json_envelopes_are_opened() -> None:
    """journald's export and Docker's json-file hold the message and the time."""
    journal = (
        b'{"__REALTIME_TIMESTAMP":"1583409601500000","_TRANSPORT":"kernel","MESSAGE":"' + MESSAGE.encode() + b'"}\n'
    )
    array = (
        b'{"__REALTIME_TIMESTAMP":"1583409601500000","MESSAGE":['
        + b",".join(b"%d" % byte for byte in MESSAGE.encode())
        + b"]}\n"
    )
    unit = (
        b'{"__REALTIME_TIMESTAMP":"1583409601500000","SYSLOG_IDENTIFIER":"systemd","_PID":"1",'
        b'"MESSAGE":"a.service: Main process exited, code=killed, status=9/KILL"}\n'
    )
    docker = b'{"log":"' + MESSAGE.encode() + b'\\n","stream":"stderr","time":"2020-03-05T12:00:01.5Z"}\n'
    scanner = Scanner()
    events = scanner.feed(journal + array + unit + docker) + scanner.finish()
    assert [event.kind for event in events] == [
        "kernel_oom_invoked",
        "kernel_oom_invoked",
        "process_killed_137",
        "kernel_oom_invoked",
    ]
    assert [event.at for event in events] == [NOON] * 4
    assert events[2].fields["unit"] == "a.service"


def test_year_and_zone_are_the_callers() -> None:
    """Without a year a syslog line has no time; the year goes up where December is followed by January."""
    text = b"".join(f"{day} kernel: {MESSAGE}\n".encode() for day in ("Dec 31 23:59:59 h", "Jan  1 00:00:01 h"))
    bare = Scanner()
    assert [event.at for event in bare.feed(text) + bare.finish()] == [None, None]
    scanner = Scanner(year=2019, zone=timezone(timedelta(hours=2)))
    last, first = (event.at for event in scanner.feed(text) + scanner.finish())
    assert last == datetime(2019, 12, 31, 21, 59, 59, tzinfo=UTC).timestamp()
    assert first == last + 2


@pytest.mark.parametrize("time", ["Feb 30 12:00:00", "Mar  5 25:00:00", "Xyz  5 12:00:00"])
def test_what_is_no_time_is_none(time: str) -> None:
    """A date that does not exist loses the time, not the event."""
    scanner = Scanner(year=2020)
    (event,) = scanner.feed(f"{time} h kernel: {MESSAGE}\n".encode()) + scanner.finish()
    assert event.at is None
