"""The numbers of a message as label and value, for fields side by side. Pure."""

from leakwatch.tell import units
from leakwatch.tell.incident import IncidentState, News
from leakwatch.tell.sentences import metric_name


def facts_of(state: IncidentState, news: News, now: float) -> tuple[tuple[str, str], ...]:
    """What is known, the most wanted first; at most ten, which is what a Slack section holds."""
    verdict, found = news.verdict, []
    if state.leak and verdict is not None:
        trend, forecast, each = verdict.trend, verdict.forecast, verdict.bytes_per_request
        if trend is not None:
            low_to_high = units.size_range(trend.low * 3600, trend.high * 3600, trend.slope_per_second * 3600, "/h")
            found.append(("Growth", f"{units.rate(trend.slope_per_second)} ({low_to_high})"))
        if forecast is not None:
            left = units.duration_range(forecast.low, forecast.high)
            found.append(("Time to limit", f"{units.duration(forecast.seconds_to_limit)} ({left})"))
        if each is not None:
            found.append(("Per request", f"{units.size(each.estimate)} stay behind"))
        if verdict.onset is not None:
            found.append(("Growing since", units.moment(verdict.onset)))
        if verdict.metric is not None:
            found.append(("Judged on", f"{metric_name(verdict.metric)} memory, {str(verdict.shape).replace('_', ' ')}"))
    name = units.visible(state.target)
    if units.shortened(name) != name:
        found.append(("Target", name))
    if news.limit_bytes:
        found.append(("Limit", units.size(news.limit_bytes)))
    if state.conditions:
        found.append(("Conditions", ", ".join(units.visible(name) for name in state.conditions)))
    if state.acts:
        found.append(("Actions", units.count(state.acts, "action") + " taken"))
    if state.opened_at is not None and now - state.opened_at >= 1:
        found.append(("Open for", units.duration(now - state.opened_at)))
    return tuple(found[:10])
