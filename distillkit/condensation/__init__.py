"""Condensation: rows that are optimised so that networks learn from them what they learn from all. Importing it loads torch."""

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
