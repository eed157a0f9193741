"""The estimator contract: the base class of distillers, and what methods receive and return."""

from distillkit.base._distiller import BaseDistiller, iterative_constraints
from distillkit.base._outcome import Outcome
from distillkit.base._training_rows import Group, Run, TrainingRows
from distillkit.base._weighted import WeightedDistiller

__all__ = ["BaseDistiller", "Group", "Outcome", "Run", "TrainingRows", "WeightedDistiller", "iterative_constraints"]
