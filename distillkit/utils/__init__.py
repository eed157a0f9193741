"""Helpers that know no distiller: containers, targets, JSON, seeds, public names and versions."""

from distillkit.utils._public_names import new_instance

__all__ = ["new_instance"]
