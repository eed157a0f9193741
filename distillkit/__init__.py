"""Distil training sets and models into small ones, and compare the methods on a leaderboard.

Public names are imported on first use. ``import distillkit`` alone is therefore fast and does not
import torch, faiss or POT.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from distillkit.exceptions import MissingPackageError
from distillkit.utils._versions import __version__

if TYPE_CHECKING:
    from distillkit.advice import Recommendation as Recommendation
    from distillkit.advice import recommend as recommend
    from distillkit.auto import AutoDistiller as AutoDistiller
    from distillkit.auto import AutoReport as AutoReport
    from distillkit.auto import distill as distill
    from distillkit.base import BaseDistiller as BaseDistiller
    from distillkit.bench.evaluation import evaluate as evaluate
    from distillkit.bench.interface import Leaderboard as Leaderboard
    from distillkit.bench.interface import compare as compare
    from distillkit.bench.interface import list_datasets as list_datasets
    from distillkit.bench.interface import list_evaluators as list_evaluators
    from distillkit.bench.interface import list_methods as list_methods
    from distillkit.bench.interface import list_metrics as list_metrics
    from distillkit.bench.interface import load_results as load_results
    from distillkit.bench.interface import run_suite as run_suite
    from distillkit.budget import Budget as Budget
    from distillkit.condensation import BilevelDistiller as BilevelDistiller
    from distillkit.condensation import DistributionMatchingDistiller as DistributionMatchingDistiller
    from distillkit.condensation import GradientMatchingDistiller as GradientMatchingDistiller
    from distillkit.condensation import KernelDistiller as KernelDistiller
    from distillkit.condensation import TrajectoryMatchingDistiller as TrajectoryMatchingDistiller
    from distillkit.coresets import ClassMeans as ClassMeans
    from distillkit.coresets import CraigCoreset as CraigCoreset
    from distillkit.coresets import EL2NCoreset as EL2NCoreset
    from distillkit.coresets import FacilityLocationCoreset as FacilityLocationCoreset
    from distillkit.coresets import ForgettingCoreset as ForgettingCoreset
    from distillkit.coresets import GradMatchCoreset as GradMatchCoreset
    from distillkit.coresets import GraNdCoreset as GraNdCoreset
    from distillkit.coresets import HerdingCoreset as HerdingCoreset
    from distillkit.coresets import InfluenceCoreset as InfluenceCoreset
    from distillkit.coresets import KCenterCoreset as KCenterCoreset
    from distillkit.coresets import KMeansCoreset as KMeansCoreset
    from distillkit.coresets import LeverageCoreset as LeverageCoreset
    from distillkit.coresets import LightweightCoreset as LightweightCoreset
    from distillkit.coresets import RandomSubset as RandomSubset
    from distillkit.coresets import SensitivityCoreset as SensitivityCoreset
    from distillkit.coresets import StreamingCoreset as StreamingCoreset
    from distillkit.coresets import UncertaintyCoreset as UncertaintyCoreset
    from distillkit.coresets import WholeSet as WholeSet
    from distillkit.distilled import DistilledSet as DistilledSet
    from distillkit.distilled import Preprocessing as Preprocessing
    from distillkit.export import to_onnx as to_onnx
    from distillkit.hookspecs import hookimpl as hookimpl
    from distillkit.knowledge import SoftLabels as SoftLabels
    from distillkit.knowledge import TeacherStudentDistiller as TeacherStudentDistiller
    from distillkit.pipeline import Distilled as Distilled
    from distillkit.pipeline import Pipeline as Pipeline
    from distillkit.pipeline import make_pipeline as make_pipeline
    from distillkit.plotting import plot_history as plot_history
    from distillkit.plotting import plot_rows as plot_rows
    from distillkit.reports import SetReport as SetReport
    from distillkit.reports import report as report
    from distillkit.synthesis import CopulaSynthesizer as CopulaSynthesizer
    from distillkit.synthesis import ForestSynthesizer as ForestSynthesizer
    from distillkit.synthesis import GANSynthesizer as GANSynthesizer
    from distillkit.synthesis import InterpolationSynthesizer as InterpolationSynthesizer
    from distillkit.synthesis import MixtureSynthesizer as MixtureSynthesizer
    from distillkit.synthesis import SurrogateSynthesizer as SurrogateSynthesizer
    from distillkit.synthesis import TreeSynthesizer as TreeSynthesizer

_HOMES = {
    "AutoDistiller": "auto",
    "AutoReport": "auto",
    "BaseDistiller": "base",
    "BilevelDistiller": "condensation",
    "Budget": "budget",
    "ClassMeans": "coresets",
    "CopulaSynthesizer": "synthesis",
    "CraigCoreset": "coresets",
    "Distilled": "pipeline",
    "DistilledSet": "distilled",
    "DistributionMatchingDistiller": "condensation",
    "EL2NCoreset": "coresets",
    "FacilityLocationCoreset": "coresets",
    "ForgettingCoreset": "coresets",
    "ForestSynthesizer": "synthesis",
    "GANSynthesizer": "synthesis",
    "GraNdCoreset": "coresets",
    "GradMatchCoreset": "coresets",
    "GradientMatchingDistiller": "condensation",
    "HerdingCoreset": "coresets",
    "InfluenceCoreset": "coresets",
    "InterpolationSynthesizer": "synthesis",
    "KCenterCoreset": "coresets",
    "KMeansCoreset": "coresets",
    "KernelDistiller": "condensation",
    "Leaderboard": "bench.interface",
    "LeverageCoreset": "coresets",
    "LightweightCoreset": "coresets",
    "MixtureSynthesizer": "synthesis",
    "Pipeline": "pipeline",
    "Preprocessing": "distilled",
    "RandomSubset": "coresets",
    "Recommendation": "advice",
    "SensitivityCoreset": "coresets",
    "SetReport": "reports",
    "SoftLabels": "knowledge",
    "StreamingCoreset": "coresets",
    "SurrogateSynthesizer": "synthesis",
    "TeacherStudentDistiller": "knowledge",
    "TrajectoryMatchingDistiller": "condensation",
    "TreeSynthesizer": "synthesis",
    "UncertaintyCoreset": "coresets",
    "WholeSet": "coresets",
    "compare": "bench.interface",
    "distill": "auto",
    "evaluate": "bench.evaluation",
    "hookimpl": "hookspecs",
    "list_datasets": "bench.interface",
    "list_evaluators": "bench.interface",
    "list_methods": "bench.interface",
    "list_metrics": "bench.interface",
    "load_results": "bench.interface",
    "make_pipeline": "pipeline",
    "plot_history": "plotting",
    "plot_rows": "plotting",
    "recommend": "advice",
    "report": "reports",
    "run_suite": "bench.interface",
    "to_onnx": "export",
}

__all__ = ["__version__", *sorted(_HOMES)]  # noqa: PLE0604 (all are strings)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'distillkit' has no attribute {name!r}")
    try:
        value = getattr(importlib.import_module(f"distillkit.{_HOMES[name]}"), name)
    except ModuleNotFoundError as exc:
        package = (exc.name or "").partition(".")[0]
        if package in ("", "distillkit"):
            raise
        raise MissingPackageError(f"distillkit.{name}", [package]) from exc
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
