"""Condensation: synthetic rows, optimized so that networks learn from them as from all rows.

Importing this package loads torch.
"""

from distillkit.condensation.bilevel._distiller import BilevelDistiller
from distillkit.condensation.distribution._distiller import DistributionMatchingDistiller
from distillkit.condensation.gradient._distiller import GradientMatchingDistiller
from distillkit.condensation.kernel._distiller import KernelDistiller
from distillkit.condensation.trajectory._distiller import TrajectoryMatchingDistiller

__all__ = [
    "BilevelDistiller",
    "DistributionMatchingDistiller",
    "GradientMatchingDistiller",
    "KernelDistiller",
    "TrajectoryMatchingDistiller",
]
