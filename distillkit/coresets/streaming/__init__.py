"""Coresets of rows that arrive in chunks, by merge-and-reduce."""
