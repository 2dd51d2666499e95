"""What was accepted is kept until it was said, and is not said twice."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakwatch.ports import Notification, Stage
from leakwatch.tell import outbox as module
from leakwatch.tell.incident import IncidentState
from leakwatch.tell.notice import as_document, from_document
from leakwatch.tell.outbox import Outbox

NOW = 1_790_000_000.0
Make = Callable[..., Notification]


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    """An empty one in a file."""
    made = Outbox(tmp_path / "outbox.sqlite", NOW)
    yield made
    made.close()


def test_it_survives_a_kill(tmp_path: Path, outbox: Outbox, notification: Make) -> None:
    """A process that ends without a word leaves every message, with its picture, and the incident, to the next one."""
    outbox.add(notification(), ("slack", "webhook"), IncidentState("serving", number=1), NOW)
    after = Outbox(tmp_path / "outbox.sqlite", NOW)  # the first is not closed
    entry = after.first("slack", NOW)
    assert entry is not None and entry.notification == notification()
    assert after.waiting() == {"slack": 1, "webhook": 1}
    assert after.incidents() == (IncidentState("serving", number=1),)
    after.close()


def test_a_channel_gets_each_message_once(outbox: Outbox, notification: Make) -> None:
    """What waits or was delivered is not accepted again, nor what is older; another stage of one number is."""
    outbox.add(notification(2), ("slack",), None, NOW)
    outbox.add(notification(2), ("slack",), None, NOW)
    assert outbox.waiting() == {"slack": 1}
    entry = outbox.first("slack", NOW)
    assert entry is not None
    outbox.delivered("slack", entry, {"ts": "1.2"}, NOW)
    for n in (notification(2), notification(1)):
        outbox.add(n, ("slack",), None, NOW)
        assert outbox.waiting() == {}
    outbox.add(notification(2, Stage.ACTED), ("slack",), None, NOW)
    assert outbox.waiting() == {"slack": 1}


def test_a_thread_is_remembered_for_its_channel(tmp_path: Path, outbox: Outbox, notification: Make) -> None:
    """The next message of the incident finds where the last one went, also after a restart."""
    outbox.add(notification(), ("slack", "webhook"), None, NOW)
    entry = outbox.first("slack", NOW)
    assert entry is not None
    outbox.delivered("slack", entry, {"ts": "1.2", "channel": "C1"}, NOW)
    after = Outbox(tmp_path / "outbox.sqlite", NOW)
    told = after.told("slack", notification().key)
    assert told is not None and told.thread == {"ts": "1.2", "channel": "C1"}
    assert after.told("webhook", notification().key) is None
    assert [one.notification.number for one in after.told_open("slack")] == [1]
    after.close()


def test_it_is_bounded_and_updates_go_first(outbox: Outbox, notification: Make) -> None:
    """A channel that is down for weeks costs a fixed number of entries, and keeps the openings and the ends."""
    outbox.add(notification(1), ("slack",), None, NOW)
    dropped = [outbox.add(notification(2 + i, Stage.UPDATED), ("slack",), None, NOW) for i in range(300)]
    assert sum(dropped) == 301 - module.MOST_ENTRIES
    assert outbox.waiting() == {"slack": module.MOST_ENTRIES}
    entry = outbox.first("slack", NOW)
    assert entry is not None and entry.notification.stage is Stage.OPENED


def test_old_news_is_no_news(outbox: Outbox, notification: Make) -> None:
    """An update is worth hours, an opening or an end some days."""
    for stage, worth in ((Stage.UPDATED, 6 * 3600), (Stage.OPENED, 3 * 86_400), (Stage.RESOLVED, 3 * 86_400)):
        entry = module.Entry(1, notification(1, stage), 1)
        assert not entry.is_expired(NOW + worth)
        assert entry.is_expired(NOW + worth + 1)
        assert not entry.is_expired(NOW - 86_400)
        assert not module.Entry(1, notification(1, stage), 0).is_expired(NOW + 1e9)


def test_a_file_that_is_no_database_is_put_aside(tmp_path: Path, notification: Make) -> None:
    """A torn file costs what was in it and says so, and telling goes on on disk."""
    path = tmp_path / "outbox.sqlite"
    path.write_bytes(b"no database at all" * 100)
    outbox = Outbox(path, NOW)
    assert outbox.trouble is not None and "outbox.broken" in outbox.trouble
    outbox.add(notification(), ("slack",), None, NOW)
    outbox.close()
    after = Outbox(path, NOW)
    assert after.waiting() == {"slack": 1}
    after.close()
    assert (tmp_path / "outbox.broken").exists()


def test_a_folder_that_cannot_be_written_is_gone_on_without(tmp_path: Path, notification: Make) -> None:
    """Where no file can be made, messages are kept in memory and the trouble is told."""
    outbox = Outbox(tmp_path / "not there" / "outbox.sqlite", NOW)
    outbox.add(notification(), ("slack",), None, NOW)
    assert outbox.waiting() == {"slack": 1}
    assert outbox.trouble is not None and "kept in memory" in outbox.trouble
    outbox.close()


def test_a_full_disk_loses_nothing_and_is_left_again(tmp_path: Path, outbox: Outbox, notification: Make) -> None:
    """While the disk is full all goes on in memory, with what was on disk; when there is room it is written."""
    outbox.add(notification(1), ("slack",), None, NOW)
    limit_pages(outbox, full=True)
    for i in range(2, 6):
        outbox.add(notification(i, chart_png=b"x" * 200_000), ("slack",), None, NOW)
    assert outbox.waiting() == {"slack": 5}
    assert outbox.trouble is not None and "full" in outbox.trouble
    outbox.keep(IncidentState("serving"), NOW + 61)  # the disk has room again: a minute later it is tried
    assert outbox.trouble is None
    after = Outbox(tmp_path / "outbox.sqlite", NOW)
    assert after.waiting() == {"slack": 5}
    after.close()


def limit_pages(outbox: Outbox, *, full: bool) -> None:
    """SQLite's own way of a full disk: its file may not grow."""
    db: sqlite3.Connection = outbox._spool._db
    db.execute(f"PRAGMA max_page_count = {1 if full else 1_000_000}")


def test_a_channel_that_is_no_longer_there_leaves_nothing(outbox: Outbox, notification: Make) -> None:
    """What was kept for it goes, and threads after a quarter of a year; the rest stays."""
    outbox.add(notification(), ("slack", "gone", "webhook"), None, NOW)
    entry = outbox.first("webhook", NOW)
    assert entry is not None
    outbox.delivered("webhook", entry, {"ts": "1"}, NOW)
    outbox.tidy(("slack", "webhook"), NOW + 86_400)
    assert outbox.waiting() == {"slack": 1}
    assert outbox.told("webhook", notification().key) is not None
    outbox.tidy((), NOW + 100 * 86_400)
    assert outbox.waiting() == {}
    assert outbox.told("webhook", notification().key) is None


def test_an_entry_that_cannot_be_read_holds_up_nobody(outbox: Outbox, notification: Make) -> None:
    """Another version's entry is dropped, and the next one is served."""
    outbox.add(notification(1), ("slack",), None, NOW)
    outbox.add(notification(2), ("slack",), None, NOW)
    outbox._spool._db.execute("UPDATE entry SET document = '{\"later\": 1}' WHERE number = 1")
    assert outbox.first("slack", NOW) is None
    entry = outbox.first("slack", NOW)
    assert entry is not None and entry.notification.number == 2


TEXT = st.text(max_size=30)


@given(st.data())
def test_a_document_is_the_whole_message(notification: Make, data: st.DataObject) -> None:
    """What comes back is what went in, whatever its texts hold."""
    n = notification(
        data.draw(st.integers(1, 10**6)),
        data.draw(st.sampled_from(Stage)),
        key=data.draw(TEXT),
        target=data.draw(TEXT),
        title=data.draw(TEXT),
        sentences=tuple(data.draw(st.lists(TEXT, max_size=4))),
        news=tuple(data.draw(st.lists(TEXT, max_size=4))),
        facts=tuple(data.draw(st.lists(st.tuples(TEXT, TEXT), max_size=4))),
        diagnosis=data.draw(st.sampled_from([None, notification().diagnosis])),
        action=data.draw(st.sampled_from([None, notification().action])),
        outcome=data.draw(st.sampled_from([None, notification().outcome])),
    )
    assert from_document(as_document(n), n.chart_png) == n
