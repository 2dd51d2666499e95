"""The forms of ``leakwatch logs -o``: what each prints for events as they come, and for incidents in the end."""

from collections.abc import Sequence

from detectors.types import Incident, OomEvent
from leakwatch.tell.event_lines import as_line, event_as_dict, incident_as_dict
from leakwatch.tell.event_table import EventLook, event_row, head

OUTPUTS = ("table", "json")
_PIPE_WIDTH = 160
"""How wide the table of incidents is where there is no screen."""


def heading(look: EventLook) -> str:
    """What stands above the events."""
    return "" if look.output == "json" else head(look) + "\n"


def events_as_text(source: str, events: Sequence[OomEvent], look: EventLook) -> str:
    """A line for each event of one source."""
    if look.output == "json":
        return "".join(as_line(event_as_dict(source, event)) for event in events)
    return "".join(event_row(source, event, look) + "\n" for event in events)


def incidents_as_text(incidents: Sequence[tuple[str, Incident]], look: EventLook) -> str:
    """A line for each (source, incident)."""
    if look.output == "json":
        return "".join(as_line(incident_as_dict(*one)) for one in incidents)
    from leakwatch.tell import incident_table  # rich takes 60 ms, which a stream of events does not need

    return incident_table.render(incidents, width=look.width or _PIPE_WIDTH, colour=look.colour)
