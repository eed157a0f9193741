"""Reproduces, verifies, compares, merges and publishes stored results."""
