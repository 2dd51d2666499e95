from typing import Any
from xml.etree import ElementTree

import pytest

from leakwatch.tell import junit


def suites(*analyses: Any, strict: bool = False) -> ElementTree.Element:
    return ElementTree.fromstring(junit.render(analyses, strict=strict).encode())


def test_a_leak_fails_and_a_healthy_trace_passes(examples: Any) -> None:
    """CI shows the leak as a failure with the verdict as its message, in the order given."""
    root = suites(examples.flat, examples.leak())
    healthy, leaking = root.iter("testcase")
    assert healthy.find("failure") is None and healthy.find("skipped") is None
    failure = leaking.find("failure")
    assert failure is not None
    assert failure.get("message", "").startswith("anon grows 97 MiB/h")
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("2", "1", "0")


@pytest.mark.parametrize(("strict", "element"), [(False, "skipped"), (True, "failure")])
def test_what_is_undecided_is_skipped_unless_strict(examples: Any, strict: bool, element: str) -> None:
    """An undecided soak test does not break the build, unless asked to."""
    root = suites(examples.undecided, strict=strict)
    assert root.find(f".//testcase/{element}") is not None
    assert (root.get("failures"), root.get("skipped")) == (("1", "0") if strict else ("0", "1"))


def test_hostile_names_leave_the_xml_whole(examples: Any) -> None:
    """Names with markup, control characters and broken text are shown and parsed again."""
    (case,) = suites(examples.hostile).iter("testcase")
    assert "[red]x[/red]\\x1b[31m\\n<b>&\"'" in case.get("name", "")


def test_no_traces_are_an_empty_suite() -> None:
    """Where every file failed, the XML still parses."""
    assert suites().get("tests") == "0"
