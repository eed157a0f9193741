"""Coresets of rows that arrive in chunks, computed by merge-and-reduce."""
