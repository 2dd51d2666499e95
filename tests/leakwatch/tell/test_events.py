"""Memory events and incidents as text: whatever a log held, it does no harm and breaks no line."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.types import Incident, OomEvent
from leakwatch.tell import incident_table
from leakwatch.tell.event_lines import as_line, event_as_dict, incident_as_dict
from leakwatch.tell.event_table import EventLook, event_row, head

WHOLE = st.none() | st.integers(-1, 2**63)
TIME = st.none() | st.floats()
NAME = st.text(st.characters(codec=None), max_size=40)
FIELDS = st.sampled_from(
    [
        "process",
        "pid",
        "container",
        "anon_rss_kb",
        "limit_kb",
        "exit_code",
        "tensor_shape",
        "source",
        "at",
        "container_id",
    ]
)
VALUE = NAME | st.integers() | st.floats() | st.lists(NAME, max_size=3)

EVENTS = st.builds(
    OomEvent,
    kind=st.just("kernel_oom_kill"),
    line=st.integers(1, 10**9),
    lines=st.integers(1, 5),
    at=TIME,
    text=NAME,
    fields=st.dictionaries(FIELDS, VALUE),
    incident=WHOLE,
    proves_oom=st.booleans(),
)
INCIDENTS = st.builds(
    Incident,
    number=st.integers(1, 99),
    scope=st.sampled_from(["container", "child", "node", "gpu", "process"]),
    victim=st.none() | NAME,
    pid=WHOLE,
    cgroup=st.none() | NAME,
    pod_uid=st.none() | NAME,
    container_id=st.none() | NAME,
    limit_bytes=WHOLE,
    usage_bytes=WHOLE,
    at=TIME,
    proves_oom=st.booleans(),
    processes=st.lists(st.tuples(NAME, st.integers(), st.integers()), max_size=2).map(tuple),
    because=st.lists(NAME, max_size=2).map(tuple),
    lines=st.lists(st.integers(1, 99), max_size=3).map(tuple),
)


def strict(text: str) -> Any:
    """Parsed as JSON without NaN, after the round trip through UTF-8 that every reader makes."""

    def refuse(name: str) -> None:
        raise AssertionError(name)

    assert text.isascii() and text.count("\n") == 1 and text.endswith("\n")
    parsed = json.loads(text, parse_constant=refuse)
    json.dumps(parsed, ensure_ascii=False).encode()
    return parsed


@given(source=NAME, event=EVENTS)
@settings(max_examples=60)
def test_an_event_is_one_line_of_json_and_its_fields_hide_nothing(source: str, event: OomEvent) -> None:
    """Strict JSON, pure ASCII; a field that bears the name of a fixed key does not take its place."""
    parsed = strict(as_line(event_as_dict(source, event)))
    assert (parsed["line"], parsed["kind"], parsed["incident"]) == (event.line, event.kind, event.incident)
    assert isinstance(parsed["source"], str)


@given(source=NAME, incident=INCIDENTS)
@settings(max_examples=40)
def test_an_incident_is_one_line_of_json_and_a_row_that_obeys_nobody(source: str, incident: Incident) -> None:
    """Strict JSON; and a table without a control character or colour that nobody asked for."""
    assert strict(as_line(incident_as_dict(source, incident)))["scope"] == incident.scope
    table = incident_table.render([(source, incident)], width=120, colour=False)
    assert all(line.isprintable() for line in table.split("\n"))


@given(source=NAME, event=EVENTS, width=st.none() | st.integers(40, 200))
@settings(max_examples=60)
def test_a_row_is_one_printable_line_that_fits(source: str, event: OomEvent, width: int | None) -> None:
    """No escape, no line end, no more columns than the screen has."""
    look = EventLook("table", width, colour=False, sources=(source, "other"))
    for row in (head(look), event_row(source, event, look)):
        assert row.isprintable()
        assert width is None or len(row) <= width


def test_what_is_proven_stands_out() -> None:
    """In colour, where there is colour."""
    event = OomEvent("kernel_oom_kill", 1, 1, None, "x", {"process": "p"}, 1, True)
    assert event_row("-", event, EventLook("table", 80, colour=True)).startswith("\x1b[1m\x1b[31m")
    assert not event_row("-", event, EventLook("table", 80, colour=False)).startswith("\x1b")
