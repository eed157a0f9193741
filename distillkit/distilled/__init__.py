"""The result of a distillation: the small training set, its file, its smaller versions and its certificate."""

from distillkit.distilled._distilled_set import DistilledSet
from distillkit.utils._preprocessing import Preprocessing

__all__ = ["DistilledSet", "Preprocessing"]
