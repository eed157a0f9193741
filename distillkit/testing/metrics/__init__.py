"""Checks of metrics, built-in ones and those of plugins: invariances and graded corruption."""
