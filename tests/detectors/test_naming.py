"""What explanations are called."""

from itertools import product

from detectors.naming import explanation_name

NUISANCE = ((), ("load",), ("cycle",), ("load", "cycle"), ("steps",), ("load", "steps"), ("states",), ("model loads",))
HEALTHY = ("", "exponential", "logarithm", "ramp", "load", "own exponential")
LEAKS = ("", "line", "late line", "accelerating", "requests")
FRAMES = ("plain", "sawtooth", "restart")


def test_different_explanations_have_different_names() -> None:
    """Two kinds under one name would be added up and shown as one."""
    kinds = list(product(FRAMES, NUISANCE, HEALTHY, LEAKS))
    assert len({explanation_name(*kind) for kind in kinds}) == len(kinds)


def test_a_name_is_plain_words() -> None:
    """A person at night reads what it means, not which terms were added."""
    assert explanation_name("plain", (), "", "") == "a level"
    assert explanation_name("plain", ("steps",), "exponential", "line") == "a line and a warm-up that ends, with steps"
    assert explanation_name("restart", (), "", "line") == "a line, anew after each restart"
    assert not any("+" in explanation_name(*kind) for kind in product(FRAMES, NUISANCE, HEALTHY, LEAKS))
