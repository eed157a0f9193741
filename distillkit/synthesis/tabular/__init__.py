"""Generators of tables by trees, forests and simple distributions; they need no torch."""
