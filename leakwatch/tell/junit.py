"""JUnit XML for soak tests in CI: a trace is a test case, a leak its failure."""

from collections.abc import Sequence
from xml.etree import ElementTree

from detectors.types import Answer, Assessment
from leakwatch.tell.figures import figures
from leakwatch.tell.sentences import next_step, trace_name, verdict_in_words
from leakwatch.tell.units import visible
from leakwatch.trace import Trace


def render(analyses: Sequence[tuple[Trace, Assessment]], *, strict: bool) -> str:
    """One suite, a case a trace, in the order given; what is undecided is skipped, or fails where ``strict``."""
    answers = [assessment.verdict.verdict for _, assessment in analyses]
    undecided = answers.count(Answer.UNDECIDED)
    counts = {
        "tests": str(len(answers)),
        "failures": str(answers.count(Answer.LEAK) + (undecided if strict else 0)),
        "errors": "0",
        "skipped": str(0 if strict else undecided),
    }
    suites = ElementTree.Element("testsuites", {"name": "leakwatch", **counts})
    suite = ElementTree.SubElement(suites, "testsuite", {"name": "leakwatch analyze", **counts})
    for trace, assessment in analyses:
        _case(suite, trace, assessment, strict)
    ElementTree.indent(suites)
    body = ElementTree.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _case(suite: ElementTree.Element, trace: Trace, assessment: Assessment, strict: bool) -> None:
    case = ElementTree.SubElement(suite, "testcase", classname="leakwatch.analyze", name=trace_name(trace))
    words, answer = verdict_in_words(trace, assessment), assessment.verdict.verdict
    details = "\n".join(
        (
            *(
                f"{what}: {value}" + (f" ({remark})" if remark else "")
                for what, value, remark in figures(trace, assessment)
            ),
            *(visible(sentence) for sentence in assessment.verdict.because),
            f"next: {next_step(trace, assessment)}",
        )
    )
    if answer is Answer.LEAK or (answer is Answer.UNDECIDED and strict):
        ElementTree.SubElement(case, "failure", type=str(answer), message=words).text = details
        return
    if answer is Answer.UNDECIDED:
        ElementTree.SubElement(case, "skipped", message=words)
    ElementTree.SubElement(case, "system-out").text = f"{words}\n{details}"
