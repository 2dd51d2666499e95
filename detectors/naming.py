"""What an explanation is called: plain words, the same for the same parts, and different for different ones."""

from collections.abc import Sequence

_FRAMES = {"plain": "", "sawtooth": ", under a sawtooth", "restart": ", anew after each restart"}
_LEAKS = {
    "": "",
    "line": "a line",
    "late line": "a line that begins later",
    "accelerating": "a curve that gets steeper",
    "requests": "growth with each request",
}
_HEALTHY = {
    "": "",
    "exponential": "a warm-up that ends",
    "logarithm": "growth that slows",
    "ramp": "a rise that has ended",
    "load": "memory that follows the load",
    "own exponential": "a warm-up of its own in each life",
}
_NUISANCE = {
    "load": "load",
    "cycle": "a cycle",
    "steps": "steps",
    "states": "two states",
    "model loads": "steps at model loads",
}


def explanation_name(frame: str, groups: Sequence[str], healthy: str, leak: str) -> str:
    """The name of an explanation from the names of its frame, nuisance groups, healthy curve and leak curve.

    Raises:
        KeyError: a part that has no words yet.
    """
    lagging = healthy == "load" and "load" in groups
    follows = "memory that follows the load and its lags" if lagging else _HEALTHY[healthy]
    growth = " and ".join(words for words in (_LEAKS[leak], follows) if words) or "a level"
    beside = [_NUISANCE[group] for group in groups if not (lagging and group == "load")]
    return growth + (f", with {' and '.join(beside)}" if beside else "") + _FRAMES[frame]
