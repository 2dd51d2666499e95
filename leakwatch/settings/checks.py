"""What each value alone cannot show: settings that do not go together, found beside other mistakes."""

from collections.abc import Iterator, Mapping
from typing import Any

from leakwatch.settings.schema import PLACES, Path
from leakwatch.settings.values import POD_IP, Backend, ServingKind

COMMAND_LENGTH = 15
"""The kernel keeps so many characters of a command name (TASK_COMM_LEN less its end, include/linux/sched.h)."""


def impossible(read: Mapping[Path, Any]) -> Iterator[tuple[Path, str]]:
    """Each contradiction among the single values that could be read: the setting it is told at, and what is wrong."""
    sample_every, judge_every = read.get(("sample_every",)), read.get(("judge_every",))
    if sample_every is not None and judge_every is not None and judge_every < sample_every:
        yield ("judge_every",), "is shorter than sample_every; there is nothing new to judge between two samples"
    names: dict[str, int] = {}
    places: dict[tuple[tuple[Path, Any], ...], int] = {}
    for number, target in _targets(read).items():
        name = target.get(("name",))
        if name is not None and names.setdefault(name, number) != number:
            yield ("targets", number, "name"), f"is the name of targets[{names[name]}] already; give each its own"
        place = tuple((path, _one_form(path, value)) for path, value in target.items() if path[0] in PLACES)
        if place and places.setdefault(place, number) != number:
            yield ("targets", number), f"watches the same place as targets[{places[place]}]; keep one of them"
        if POD_IP in target.get(("serving", "metrics_url"), "") and ("kubernetes", "selector") not in target:
            what = f"{POD_IP} stands for the pods of a kubernetes selector, and there is none; write the address"
            yield ("targets", number, "serving"), what
        served = target.get(("serving", "kind")) is ServingKind.TF_SERVING
        if read.get(("act", "backend")) is Backend.TF_SERVING and not served:
            yield ("act", "backend"), f"tf_serving cannot act on targets[{number}], which has no TF Serving page"


def _targets(read: Mapping[Path, Any]) -> dict[int, dict[Path, Any]]:
    """By the number of the target, its values by their path in it."""
    found: dict[int, dict[Path, Any]] = {}
    for path, value in read.items():
        if path[0] == "targets" and isinstance(path[1], int):
            found.setdefault(path[1], {})[path[2:]] = value
    return found


def _one_form(path: Path, value: Any) -> Any:
    """Two places that are the same, spelt the same."""
    return value[:COMMAND_LENGTH] if path == ("process",) else value
