"""A diagnosis on a terminal: cause, path, steps and remedy, within the width and free of what could break it."""

import re
from dataclasses import replace

import pytest

from leakwatch.tell import diagnosis_screen
from leakwatch.tell.document import diagnosis_as_json
from playbooks.types import Action, Answered, Branch, Confidence, Diagnosis, Remedy, Step

LONG = "because of this, that and many other things that take up more than one line of the screen"
DIAGNOSIS = Diagnosis(
    "It leaks \x1b[2J.",
    Confidence.POSSIBLE,
    (Answered("Does it?", Branch.YES, LONG), Answered("Really?", Branch.UNKNOWN, "\x9bnot [bold]known[/bold]")),
    (Step("Look", "ps | head"), Step("Wait")),
    "own\ntree",
    Remedy(Action.RAISE_LIMIT, "much"),
)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_within_the_width(width: int) -> None:
    """No line is wider than the screen, and no control character passes."""
    text = diagnosis_screen.render(DIAGNOSIS, width=width, colour=False)
    assert max(map(len, text.splitlines())) <= width
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)


def test_all_of_it() -> None:
    """Cause and confidence, each answer with its evidence, the steps in order, and the remedy with its risk."""
    text = diagnosis_screen.render(DIAGNOSIS, width=200, colour=False)
    assert text.splitlines() == [
        "Cause",
        "  • It leaks \\x1b[2J. (possible)",
        "How it was found (playbook own\\ntree)",
        f"  yes     Does it? {LONG}",
        "  unknown Really? \\x9bnot [bold]known[/bold]",
        "What to do",
        "  1. Look: ps | head",
        "  2. Wait",
        "What a machine may do",
        "  ! raise limit; much",
    ]


def test_evidence_is_said_once() -> None:
    """Two questions that rest on the same evidence do not both repeat it."""
    path = tuple(Answered(f"Is it {what}?", Branch.UNKNOWN, "x is not known; record x") for what in ("a", "b"))
    text = diagnosis_screen.render(replace(DIAGNOSIS, path=path), width=200, colour=False)
    assert "  unknown Is it a? x is not known; record x\n  unknown Is it b? (as above)\n" in text


def test_as_json() -> None:
    """The JSON form is pure ASCII and holds confidence and remedy."""
    text = diagnosis_as_json(DIAGNOSIS)
    assert text.isascii() and '"action": "raise_limit"' in text and '"confidence": "possible"' in text
