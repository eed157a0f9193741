"""Distilled sets: the result of a distillation, its file, its prefixes and its certificate."""

from distillkit.distilled._distilled_set import DistilledSet
from distillkit.utils._preprocessing import Preprocessing

__all__ = ["DistilledSet", "Preprocessing"]
