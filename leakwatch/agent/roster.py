"""Which targets there are now: one that stands for several pods is watched as each of them, as they come and go.

The cluster, or Prometheus, is asked once a minute in a thread of its own. A pod is taken in when two looks in a row saw
it, and let go when two missed it, so that a rollout changes little. One pod alone keeps the target's own name, and with
it its past; of several each is named TARGET/POD.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Self

from leakwatch.errors import SourceError
from leakwatch.sample.several_pods import PodPlace, at_pod, has_pages_of_pods, may_be_several, places_of
from leakwatch.settings import KubernetesPlace, PrometheusPlace, Settings, TargetSettings
from leakwatch.tell.units import visible

LOOK_EVERY_SECONDS = 60.0
FIRST_LOOK_SECONDS = 15.0
"""How long the first look may take until a target is watched as it stands in the settings."""

MOST_PODS = 50
"""Of one target; each has threads and connections of its own, and asks on every beat."""

log = logging.getLogger(__name__)


class Roster:
    """The settings' targets, with pods in place of those that stand for several.

    Args:
        find: the pods of a place, as `leakwatch.sample.several_pods.places_of`.
        every_seconds: between two looks.
    """

    def __init__(
        self,
        settings: Settings,
        find: Callable[[PodPlace], Sequence[PodPlace]] = places_of,
        every_seconds: float = LOOK_EVERY_SECONDS,
    ) -> None:
        self._settings, self._find, self._every_seconds = settings, find, every_seconds
        self._wide = [target for target in settings.targets if may_be_several(target.place)]
        self._last: dict[str, frozenset[PodPlace]] = {}
        self._watched: dict[str, frozenset[PodPlace]] = {}
        self._said: dict[str, str] = {}
        self._taken: tuple[TargetSettings, ...] | None = None
        self._looked, self._closed = threading.Event(), threading.Event()
        if self._wide:
            threading.Thread(target=self._work, name="leakwatch pods", daemon=True).start()
        else:
            self._looked.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()

    @property
    def has_changed(self) -> bool:
        """Whether the targets are others than when `settings` was last asked."""
        return self._taken is not None and self._taken != self._targets()

    def settings(self, stop: threading.Event) -> Settings:
        """The settings as they are to be watched; waits for the first look, unless ``stop`` is set meanwhile."""
        for _ in range(int(FIRST_LOOK_SECONDS / 0.05)):
            if stop.is_set() or self._looked.wait(0.05):
                break
        self._taken = self._targets()
        return replace(self._settings, targets=self._taken)

    def look(self) -> None:
        """Ask once for each target that can stand for several pods; what does not answer stays as it is."""
        for target in self._wide:
            assert isinstance(target.place, KubernetesPlace | PrometheusPlace)
            try:
                seen = frozenset(self._find(target.place))
            except SourceError as error:
                self._say(target.name, f"its pods are not known: {error}")
                continue
            last, watched = self._last.get(target.name, seen), self._watched.get(target.name, frozenset())
            self._watched[target.name] = (seen & last) | (watched & (seen | last))
            self._last[target.name] = seen
            self._say(target.name, _missed(target, len(self._watched[target.name])))

    def _work(self) -> None:
        self.look()
        self._looked.set()
        while not self._closed.wait(self._every_seconds):
            self.look()

    def _targets(self) -> tuple[TargetSettings, ...]:
        return tuple(one for target in self._settings.targets for one in self._of(target))

    def _of(self, target: TargetSettings) -> Sequence[TargetSettings]:
        places = sorted(self._watched.get(target.name, ()), key=lambda place: (str(place.pod), str(place.namespace)))[
            :MOST_PODS
        ]
        if len(places) < 2:
            return (at_pod(target, places[0] if places else None),)
        namesakes = Counter(place.pod for place in places)
        return [
            at_pod(
                target,
                place,
                f"{target.name}/{place.pod if namesakes[place.pod] == 1 else f'{place.namespace}/{place.pod}'}",
            )
            for place in places
        ]

    def _say(self, name: str, what: str) -> None:
        """Once, until it is something else."""
        if what and self._said.get(name) != what:
            log.warning("%s: %s", visible(name), visible(what))
        self._said[name] = what


def _missed(target: TargetSettings, count: int) -> str:
    """What is not watched of a target with so many pods, and what to do about it."""
    missed = []
    if count > MOST_PODS:
        missed.append(f"{count} pods, of which the first {MOST_PODS} are watched; split them by selector or namespace")
    if count > 1 and target.serving is not None and not has_pages_of_pods(target):
        fix = "write {pod_ip} in its address" if isinstance(target.place, KubernetesPlace) else "name one pod"
        missed.append(f"serving names one page for {count} pods, which is read for none of them; {fix}")
    return "; ".join(missed)
