"""Each row of the tables keeps its own promises."""

import time

import pytest

from detectors.oom_lines import Scanner
from detectors.oom_lines.fields import _TYPES
from detectors.oom_lines.recognise import NO_EVENT, matcher, prefilter
from detectors.oom_lines.signature import Matcher, Signature
from detectors.oom_lines.signatures import SIGNATURES

KINDS = frozenset(
    [
        "kernel_oom_invoked",
        "kernel_oom_summary",
        "kernel_oom_kill",
        "kernel_oom_reaper",
        "kernel_memcg_stats",
        "kernel_page_alloc_failure",
        "kubelet_oom_event",
        "k8s_status_oomkilled",
        "k8s_evicted",
        "docker_oom_event",
        "containerd_oom",
        "systemd_oom",
        "tf_resource_exhausted",
        "tf_bfc_allocator",
        "tf_serving_load_oom",
        "cpp_bad_alloc",
        "python_memory_error",
        "jvm_oom",
        "cuda_oom",
        "process_killed_137",
        "go_oom",
        "earlyoom",
    ]
)
MEGABYTE = 1 << 20
MATCHERS = [matcher(index) for index in range(len(SIGNATURES))]


def _name(signature: Signature | Matcher) -> str:
    row = signature.signature if isinstance(signature, Matcher) else signature
    return f"{row.kind}-{row.example[:40]}"


@pytest.mark.parametrize("signature", SIGNATURES, ids=_name)
def test_the_example_is_found(signature: Signature) -> None:
    """A row's own example is reported as the row's kind."""
    scanner = Scanner()
    text = signature.example.encode()
    events = scanner.feed(text + b"\n") + scanner.finish()
    kinds = {event.kind for event in events}
    assert signature.kind in kinds if signature.kind else not kinds


@pytest.mark.parametrize("signature", SIGNATURES, ids=_name)
def test_the_prefilter_lets_the_example_through(signature: Signature) -> None:
    """A gate that asks for more than its pattern would lose events silently."""
    text = signature.example.encode()
    assert any(literal.encode() in text for literal in signature.literals)
    assert prefilter().first(text, 0, len(text)) >= 0


@pytest.mark.parametrize("matcher", MATCHERS, ids=_name)
def test_no_pattern_is_slow_on_its_worst_text(matcher: Matcher) -> None:
    """One search in 1 MB made to nearly match takes 100 ms; asserted with tenfold room, for a loaded machine."""
    example = matcher.signature.example.encode()
    half = example[: len(example) // 2]
    literal = matcher.signature.literals[0].encode()
    for text in (
        half * (MEGABYTE // len(half)),
        literal + b" " * MEGABYTE,
        literal + b"1" * MEGABYTE,
        literal + b'"' * MEGABYTE,
        (literal + b"." * 40) * (MEGABYTE // (len(literal) + 40)),
        example + b"(a" * (MEGABYTE // 2),
        example[:-1] + b"a" * MEGABYTE,
        (example + b" ") * (MEGABYTE // (len(example) + 1)),
    ):
        begun = time.process_time()
        matcher.pattern.search(text)
        assert time.process_time() - begun < 1.0


def test_the_tables_name_known_kinds_only_and_all_of_them() -> None:
    """Scripts rely on the list of kinds."""
    assert {signature.kind for signature in SIGNATURES} - {""} == KINDS


def test_every_number_has_a_type() -> None:
    """A group that ends in a unit is a number: no field of kilobytes is text."""
    names = {name.rstrip("0123456789").rstrip("_") for matcher in MATCHERS for name in matcher.pattern.names} - NO_EVENT
    assert {name for name in names if name.endswith(("_kb", "_bytes", "_mib", "_pct", "pid", "uid"))} <= {*_TYPES}
