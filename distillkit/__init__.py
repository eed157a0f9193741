"""Make a training set, or a model, small without losing what it teaches, and prove which way of doing so is best.

Public names are imported on first use, so that ``import distillkit`` stays instant and loads neither torch nor faiss
nor POT.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from distillkit._version import __version__

if TYPE_CHECKING:
    from distillkit.base import BaseDistiller as BaseDistiller
    from distillkit.bench.judge import evaluate as evaluate
    from distillkit.budget import Budget as Budget
    from distillkit.condensation import BilevelDistiller as BilevelDistiller
    from distillkit.condensation import GradientMatchingDistiller as GradientMatchingDistiller
    from distillkit.condensation import KernelDistiller as KernelDistiller
    from distillkit.coresets import ClassMeans as ClassMeans
    from distillkit.coresets import KCenterCoreset as KCenterCoreset
    from distillkit.coresets import KMeansCoreset as KMeansCoreset
    from distillkit.coresets import RandomSubset as RandomSubset
    from distillkit.coresets import WholeSet as WholeSet
    from distillkit.distilled import DistilledSet as DistilledSet
    from distillkit.distilled import Preprocessing as Preprocessing
    from distillkit.hookspecs import hookimpl as hookimpl
    from distillkit.knowledge import SoftLabels as SoftLabels
    from distillkit.knowledge import TeacherStudentDistiller as TeacherStudentDistiller
    from distillkit.pipeline import Distilled as Distilled
    from distillkit.pipeline import Pipeline as Pipeline
    from distillkit.pipeline import make_pipeline as make_pipeline
    from distillkit.synthesis import GANSynthesizer as GANSynthesizer

_HOMES = {
    "BaseDistiller": "base",
    "BilevelDistiller": "condensation",
    "Budget": "budget",
    "ClassMeans": "coresets",
    "Distilled": "pipeline",
    "DistilledSet": "distilled",
    "GANSynthesizer": "synthesis",
    "GradientMatchingDistiller": "condensation",
    "KCenterCoreset": "coresets",
    "KMeansCoreset": "coresets",
    "KernelDistiller": "condensation",
    "Pipeline": "pipeline",
    "Preprocessing": "distilled",
    "RandomSubset": "coresets",
    "SoftLabels": "knowledge",
    "TeacherStudentDistiller": "knowledge",
    "WholeSet": "coresets",
    "evaluate": "bench.judge",
    "hookimpl": "hookspecs",
    "make_pipeline": "pipeline",
}

__all__ = ["__version__", *sorted(_HOMES)]  # noqa: PLE0604 (all are strings)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'distillkit' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"distillkit.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
