"""Looks once at everything that watching would need, and tells what is missing."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from leakwatch.errors import LeakwatchError
from leakwatch.examination import Check, Examination, SourceSight, TargetSight
from leakwatch.ports import Source
from leakwatch.sample.rights import (
    folder_can_be_written,
    log_can_be_read,
    model_can_be_reloaded,
    process_can_be_seen,
    rights_here,
)
from leakwatch.sample.several_pods import at_pod, has_pages_of_pods, places_of
from leakwatch.sample.sources import sources_of
from leakwatch.settings import KubernetesPlace, PrometheusPlace, TargetSettings

LOOK_SECONDS = 15.0
"""Longer than any source waits for an answer."""

T = TypeVar("T")


def examine(targets: Sequence[TargetSettings], now_seconds: float, state_dir: str | None = None) -> Examination:
    """What can be seen from here of each target; never raises for what it finds, and never hangs."""
    here = rights_here() if state_dir is None else (*rights_here(), folder_can_be_written(state_dir))
    return Examination(here, tuple(_examined(target, now_seconds) for target in targets))


def _examined(target: TargetSettings, now_seconds: float) -> TargetSight:
    sights, pid = [], None
    try:
        target = within(LOOK_SECONDS, partial(_at_a_pod, target)) or target
        sources = sources_of(target)
    except LeakwatchError as error:  # an address that is none
        sights.append(SourceSight("settings", 0.0, error=str(error)))
        sources = ()
    for source in sources:
        sight = within(LOOK_SECONDS, partial(_look, source, now_seconds))
        sights.append(sight or SourceSight(source.name, LOOK_SECONDS, error=f"no answer within {LOOK_SECONDS:g} s"))
        if pid is None and sight is not None and sight.error is None:
            pid = getattr(source, "pid", None)
    checks = [*_memory_checks(target, sights), *(log_can_be_read(path) for path in target.logs)]
    checks += process_can_be_seen(pid) if pid is not None else ()
    checks += model_can_be_reloaded(target.serving) if target.serving is not None else ()
    return TargetSight(target.name, _place(target), tuple(sights), tuple(checks))


def _at_a_pod(target: TargetSettings) -> TargetSettings:
    """With the page of the first pod, where each has one of its own."""
    if not has_pages_of_pods(target) or not isinstance(target.place, KubernetesPlace):
        return target
    try:
        found = places_of(target.place)
    except LeakwatchError:
        found = ()  # the source of the memory will say the same
    return at_pod(target, found[0] if found else None)


def _look(source: Source, now_seconds: float) -> SourceSight:
    began = time.monotonic()
    try:
        sample = source.read(now_seconds)
    except LeakwatchError as error:
        return SourceSight(source.name, time.monotonic() - began, error=str(error).removeprefix(f"{source.name}: "))
    took = time.monotonic() - began
    return SourceSight(source.name, took, dict(sample.values), source.blind_to)


def _memory_checks(target: TargetSettings, sights: Sequence[SourceSight]) -> Iterator[Check]:
    """What every verdict rests on: anonymous memory, a limit, the request count, a past."""
    seen = {name: value for sight in sights for name, value in (sight.values or {}).items()}
    if not sights or sights[0].values is None:
        return
    if "anon_bytes" in seen:
        yield Check("anonymous memory", True, "told apart from page cache")
    else:
        fix = "watch the cgroup or the process from a sidecar (shareProcessNamespace: true)"
        yield Check("anonymous memory", False, "not seen: a leak and page cache look alike", fix)
    if seen.get("limit_bytes"):
        yield Check("limit", True, "seen, so a time to the limit can be told")
    else:
        fix = "resources: {limits: {memory: ...}} in the manifest, or limit: 8GiB in the settings"
        yield Check("limit", False, "none is seen: no time to the limit can be told", fix)
    if target.serving is None:
        fix = 'serving: {kind: tf_serving, metrics_url: "http://127.0.0.1:8501/monitoring/prometheus/metrics"}'
        yield Check("requests", False, "the model server's page is not named: growth with load looks like a leak", fix)
    if isinstance(target.place, PrometheusPlace):
        yield Check("past", True, "the server has it: a verdict needs no waiting")


def _place(target: TargetSettings) -> str:
    """As the settings would say it."""
    words = type(target.place).__name__.removesuffix("Place").lower()
    fields = target.place.__slots__
    given = {name: value for name in fields if (value := getattr(target.place, name)) is not None and name != "url"}
    return f"{words} " + " ".join(f"{name}={value}" if len(given) > 1 else str(value) for name, value in given.items())


def within(seconds: float, ask: Callable[[], T]) -> T | None:
    """The answer, or None where it did not come in time; what hangs is left behind in its daemon thread."""
    answers: list[T] = []
    thread = threading.Thread(target=lambda: answers.append(ask()), daemon=True)
    thread.start()
    thread.join(seconds)
    return answers[0] if answers else None
