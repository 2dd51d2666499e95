"""Conditions beside the leak: told when they begin and when they end, never per sample."""

from detectors.conditions.watch import ConditionWatch

__all__ = ["ConditionWatch"]
