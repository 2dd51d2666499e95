"""Containers watched for weeks: what the live detector is measured on.

Frozen before the detector was tuned; a change here makes the figures of benchmarks/RESULTS.md those of another mix.
"""

from benchmarks.live_mix.container import HARD, MILD, Leaking, Mix, Watched, healthy, leaking

__all__ = ["HARD", "MILD", "Leaking", "Mix", "Watched", "healthy", "leaking"]
