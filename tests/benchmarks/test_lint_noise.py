"""Lint says at most one thing about a good manifest, and that thing is judged."""

from benchmarks.lint_noise import JUDGED, MOST_FINDINGS, cases, files, found


def test_good_manifests_are_left_in_peace() -> None:
    """At most one finding in each of many manifests of many manners."""
    assert len(files()) >= 25 and len(cases()) >= 15
    assert {file: rules for file, rules in found().items() if len(rules) > MOST_FINDINGS} == {}


def test_what_is_said_is_judged() -> None:
    """Every finding has a judgement, and every judgement a finding."""
    assert {(file, rule) for file, rules in found().items() for rule in rules} == set(JUDGED)
