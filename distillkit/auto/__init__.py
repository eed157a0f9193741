"""The choice of a method by measurement: one call that returns the best small set for some data."""

from distillkit.auto._auto_distiller import AutoDistiller
from distillkit.auto._auto_report import AutoReport
from distillkit.auto._candidate_report import CandidateReport
from distillkit.auto._distill import distill
from distillkit.auto._rung import Rung
from distillkit.auto._splits import Split
from distillkit.auto._trial import Trial

__all__ = ["AutoDistiller", "AutoReport", "CandidateReport", "Rung", "Split", "Trial", "distill"]
