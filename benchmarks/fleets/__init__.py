"""Simulated fleets: groups of replicas with known leaks, and data sets of any size."""
