"""Gradient matching."""
