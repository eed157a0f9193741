"""Adversarial random forests: a density in the leaves of trees, and what can be computed of it."""
