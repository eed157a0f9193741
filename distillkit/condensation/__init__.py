"""Condensation: rows that are optimised so that networks learn from them what they learn from all. Importing it loads torch."""

from distillkit.condensation._bilevel import BilevelDistiller
from distillkit.condensation._distribution_matching import DistributionMatchingDistiller
from distillkit.condensation._gradient_matching import GradientMatchingDistiller
from distillkit.condensation._kernel import KernelDistiller
from distillkit.condensation._trajectory_matching import TrajectoryMatchingDistiller

__all__ = [
    "BilevelDistiller",
    "DistributionMatchingDistiller",
    "GradientMatchingDistiller",
    "KernelDistiller",
    "TrajectoryMatchingDistiller",
]
