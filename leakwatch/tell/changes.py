"""What is new in an incident since it was last told, as sentences. Pure."""

from leakwatch.tell import units
from leakwatch.tell.incident import IncidentState, News

_SHOWN_LINES = 6


def changes_of(state: IncidentState, seen: IncidentState, news: News) -> tuple[tuple[str, ...], bool]:
    """What is worth an update, as sentences, lines that wait among them; and whether the time left has halved.

    ``state`` is the incident as it was told last, ``seen`` as it is now.
    """
    verdict, said, halved = news.verdict, [], False
    if seen.leak and verdict is not None:
        trend, forecast = verdict.trend, verdict.forecast
        if trend is not None and state.told_low is not None and state.told_high is not None:
            slope = trend.slope_per_second
            if not state.told_low <= slope <= state.told_high:
                faster = "faster" if slope > state.told_high else "slower"
                before = units.size_range(state.told_low * 3600, state.told_high * 3600, slope * 3600, "/h")
                said.append(f"It grows {faster} than told: {units.rate(slope)}, before {before}.")
        if forecast is not None and state.told_left is not None and forecast.seconds_to_limit <= state.told_left / 2:
            halved = True
            left, before = units.duration(max(0.0, forecast.seconds_to_limit)), units.duration(state.told_left)
            said.append(f"The time to the limit has halved: {left} left, last told {before}.")
    return (*said, *waiting_lines(seen)), halved


def waiting_lines(seen: IncidentState) -> tuple[str, ...]:
    """The newest lines that were not told yet; the others as their number."""
    hidden = max(0, len(seen.lines) - _SHOWN_LINES) + seen.withheld
    shown = seen.lines[-_SHOWN_LINES:]
    return (f"{units.count(hidden, 'earlier line')} left out", *shown) if hidden else shown
