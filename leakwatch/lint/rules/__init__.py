"""Every rule that there is, a family a file."""

from leakwatch.lint.rule import Rule
from leakwatch.lint.rules import (
    allocator,
    batching,
    bounds,
    documents,
    environment,
    flags,
    images,
    limits,
    models,
    monitoring,
    probes,
    prometheus,
    rollout,
    stopping,
    versions,
)

FAMILIES: tuple[tuple[str, tuple[Rule, ...]], ...] = (
    ("Memory limits", limits.RULES),
    ("What a limit means", bounds.RULES),
    ("Probes", probes.RULES),
    ("Stopping and restarting", stopping.RULES),
    ("Model versions", versions.RULES),
    ("Models on disk", models.RULES),
    ("Batching", batching.RULES),
    ("Flags of TF Serving", flags.RULES),
    ("Environment", environment.RULES),
    ("Allocator", allocator.RULES),
    ("Monitoring", monitoring.RULES),
    ("Rollout and scaling", rollout.RULES),
    ("Images", images.RULES),
    ("Prometheus rules", prometheus.RULES),
    ("The file itself", documents.RULES),
)
"""In the order of the documentation."""

RULES: tuple[Rule, ...] = tuple(rule for _, rules in FAMILIES for rule in rules)
