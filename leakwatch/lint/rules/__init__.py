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
    model_config,
    models,
    monitoring,
    probes,
    prometheus,
    prometheus_metrics,
    rollout,
    scaling,
    scraping,
    stopping,
    versions,
)

FAMILIES: tuple[tuple[str, tuple[Rule, ...]], ...] = (
    ("Memory limits", limits.RULES),
    ("What a limit means", bounds.RULES),
    ("Probes", probes.RULES),
    ("Stopping and restarting", stopping.RULES),
    ("Model versions", versions.RULES),
    ("Model configuration", model_config.RULES),
    ("Models on disk", models.RULES),
    ("Batching", batching.RULES),
    ("Flags of TF Serving", flags.RULES),
    ("Environment", environment.RULES),
    ("Allocator", allocator.RULES),
    ("Monitoring", monitoring.RULES),
    ("Scraping", scraping.RULES),
    ("Rollout", rollout.RULES),
    ("Scaling", scaling.RULES),
    ("Images", images.RULES),
    ("Prometheus rules", prometheus.RULES),
    ("TF Serving's metrics in rules", prometheus_metrics.RULES),
    ("The file itself", documents.RULES),
)
"""In the order of the documentation."""

RULES: tuple[Rule, ...] = tuple(rule for _, rules in FAMILIES for rule in rules)
