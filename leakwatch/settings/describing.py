"""Settings written back: each with where it came from, and no secret among them."""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from leakwatch.settings.reading import Loaded
from leakwatch.settings.schema import PLACES, SETTINGS, TARGET, Kind, Many, Path, Scalar, Section, dotted
from leakwatch.settings.values import KubernetesPlace, PrometheusPlace, Settings, TargetSettings

DEFAULT = "default"
READABLE_BY_OTHERS = stat.S_IRGRP | stat.S_IROTH


@dataclass(frozen=True, slots=True)
class Described:
    """One setting: its name with dots, its value as it would be written, and where it came from."""

    name: str
    value: str
    origin: str


_ANY_NODE = Described("this_node", "false", DEFAULT)
"""Goes without saying."""


def describe(loaded: Loaded) -> Iterator[Described]:
    """Every setting that has a value, in the order of the schema; optional sections that are off are left out."""
    yield from _walk(SETTINGS, loaded.settings, (), loaded.origins)


def _walk(kind: Kind, value: Any, path: Path, origins: Mapping[Path, str]) -> Iterator[Described]:
    if isinstance(kind, Scalar):
        yield Described(dotted(path), kind.show(value), origins.get(path, DEFAULT))
    elif isinstance(kind, Many):
        for number, item in enumerate(value):
            yield from _walk(kind.of, item, (*path, number), origins)
        if not value:
            yield Described(dotted(path), "[]", DEFAULT)
    else:
        for key, part in kind.keys.items():
            of = _field(kind, value, key, part)
            if of is not None or (*path, key) in origins:
                yield from _walk(part, of, (*path, key), origins)


def _field(section: Section, value: Any, key: str, part: Kind) -> Any:
    """What a key holds; the keys of a place belong to the target's one place."""
    if section is TARGET and key in PLACES:
        whole = {"kubernetes": KubernetesPlace, "prometheus": PrometheusPlace}.get(key)
        if whole is not None:
            return value.place if isinstance(value.place, whole) else None
        return getattr(value.place, key, None)
    return getattr(value, part.field or key)


def secret_files(settings: Settings) -> tuple[str, ...]:
    """The files that hold secrets, as the settings name them."""
    slack = settings.tell.slack
    named = [] if slack is None else [slack.webhook_url_file, slack.bot_token_file]
    named += [webhook.secret_file for webhook in settings.tell.webhook]
    return tuple(name for name in named if name is not None)


def warnings(settings: Settings) -> Iterator[str]:
    """What is no mistake and should be mended all the same: secret files that are not there, or open to others."""
    for name in secret_files(settings):
        try:
            mode = os.stat(name).st_mode
        except OSError as error:
            yield f"{name}: {error.strerror}; put the secret there"
            continue
        if mode & READABLE_BY_OTHERS:
            yield f"{name}: a secret that others can read (mode {stat.S_IMODE(mode):04o}); chmod 0400 it"


def where(target: TargetSettings) -> str:
    """A target's place in one phrase: ``cgroup /sys/fs/cgroup/x``, ``kubernetes namespace=ml selector=app=x``."""
    for key in PLACES:
        part = TARGET.keys[key]
        value = _field(TARGET, target, key, part)
        if value is None:
            continue
        if isinstance(part, Scalar):
            return f"{key} {part.show(value)}"
        rows = _walk(part, value, (), {})
        return f"{key} " + " ".join(f"{row.name}={row.value}" for row in rows if row != _ANY_NODE)
    raise ValueError("a target without a place")
