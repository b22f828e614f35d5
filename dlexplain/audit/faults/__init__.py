"""Planted faults: models and explainers with a known fault, by which the audit itself is examined."""
