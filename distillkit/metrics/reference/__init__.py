"""The training rows that distilled rows are compared with, and the floors of that comparison."""

from distillkit.metrics.reference._floor_sets import class_counts, random_sets
from distillkit.metrics.reference._floors import Floors, floors
from distillkit.metrics.reference._parts import Part
from distillkit.metrics.reference._reference import Reference
from distillkit.metrics.reference._sharing import content_key, shares_reference

__all__ = ["Floors", "Part", "Reference", "class_counts", "content_key", "floors", "random_sets", "shares_reference"]
