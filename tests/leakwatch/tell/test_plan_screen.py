"""The screen of a plan: golden at two widths, and the snippets in it are what their readers take."""

from collections.abc import Callable

import yaml

from leakwatch.lint.text_protobuf import parse
from leakwatch.proposal import Assumption, Basis, Batching, Cost, Part, Proposal
from leakwatch.tell.plan_screen import batching_file, manifest, render

Golden = Callable[[str, str], None]
GIB, MIB = 2**30, 2**20

PROPOSAL = Proposal(
    (
        Part("level", 2.1 * GIB, "highest anon_bytes in 7 d, the leak taken off", Basis.MEASURED, "trace.csv"),
        Part(
            "growth of the leak", 1.9 * GIB, "11.6 MiB/h (high end of the 95 % interval) x 7 d", Basis.MEASURED, "slope"
        ),
        Part("swap in place", 1.2 * GIB, "1 GiB x 1.2, the new version beside the old one", Basis.SERVER, "policy"),
        Part("allocator headroom", 0.66 * GIB, "20 % of 3.3 GiB", Basis.THUMB, "allocators"),
    ),
    (
        Assumption("CPUs", "4", Basis.THUMB, "a small node's share", "--cpus"),
        Assumption("a leak is borne for", "7 d", Basis.GIVEN, "time between restarts", "--keep-for"),
    ),
    6 * GIB,
    4864 * MIB,
    "the limit less the 1.2 GiB of a swap, which is rare: a server's memory does not fall with its load",
    Batching(32, 1000, 4, 4, (4, 8, 16, 32)),
    Cost(0.005, 21.9, 6.94),
    700_000.0,
    ("it leaks: memory only buys time",),
)


def test_the_screen(golden: Golden) -> None:
    """The sum, what is to be copied, what it costs, and what it rests on."""
    for width in (80, 120):
        golden(f"plan_{width}.txt", render(PROPOSAL, width=width, colour=False))


def test_the_snippets_are_what_their_readers_take() -> None:
    """The manifest is YAML with both sizes in whole units, the batching file is text protobuf."""
    resources = yaml.safe_load(manifest(PROPOSAL))["resources"]
    assert resources == {"requests": {"memory": "4864Mi"}, "limits": {"memory": "6Gi"}}
    assert PROPOSAL.batching is not None
    assert parse(batching_file(PROPOSAL.batching), "BatchingParameters") is None
