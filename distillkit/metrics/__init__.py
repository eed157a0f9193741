"""Metrics of predictions, costs, students and the fidelity of distilled rows, with their floors.

Names are imported on first use, so that `distillkit.metrics._specs` can be imported without
scikit-learn.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distillkit.metrics._coreset_error import coreset_error as coreset_error
    from distillkit.metrics._cost import bytes_kept as bytes_kept
    from distillkit.metrics._cost import compression_bytes as compression_bytes
    from distillkit.metrics._cost import compression_rows as compression_rows
    from distillkit.metrics._cost import rows_kept as rows_kept
    from distillkit.metrics._cost import seconds_distil as seconds_distil
    from distillkit.metrics._cost import seconds_train as seconds_train
    from distillkit.metrics._coverage import coverage as coverage
    from distillkit.metrics._coverage import expected_coverage as expected_coverage
    from distillkit.metrics._divergences import js_predictions as js_predictions
    from distillkit.metrics._divergences import js_targets as js_targets
    from distillkit.metrics._divergences import kl_predictions as kl_predictions
    from distillkit.metrics._divergences import kl_targets as kl_targets
    from distillkit.metrics._diversity import label_entropy as label_entropy
    from distillkit.metrics._diversity import variance_ratio as variance_ratio
    from distillkit.metrics._diversity import vendi_ratio as vendi_ratio
    from distillkit.metrics._diversity import vendi_score as vendi_score
    from distillkit.metrics._fidelity import sliced_wasserstein as sliced_wasserstein
    from distillkit.metrics._fidelity import wasserstein as wasserstein
    from distillkit.metrics._frechet import fid as fid
    from distillkit.metrics._inception_score import inception_score as inception_score
    from distillkit.metrics._kernel_distance import kid as kid
    from distillkit.metrics._measured import Measured as Measured
    from distillkit.metrics._mmd import mmd as mmd
    from distillkit.metrics._model import agreement as agreement
    from distillkit.metrics._model import latency_ratio as latency_ratio
    from distillkit.metrics._model import latency_ratio_single as latency_ratio_single
    from distillkit.metrics._model import model_bytes as model_bytes
    from distillkit.metrics._model import model_compression as model_compression
    from distillkit.metrics._model import parameter_compression as parameter_compression
    from distillkit.metrics._model import parameters as parameters
    from distillkit.metrics._precision_recall import density as density
    from distillkit.metrics._precision_recall import precision as precision
    from distillkit.metrics._precision_recall import recall as recall
    from distillkit.metrics._prediction import accuracy as accuracy
    from distillkit.metrics._prediction import balanced_accuracy as balanced_accuracy
    from distillkit.metrics._prediction import macro_f1 as macro_f1
    from distillkit.metrics._prediction import r2 as r2
    from distillkit.metrics._prediction import rmse as rmse
    from distillkit.metrics._probability import brier_score as brier_score
    from distillkit.metrics._probability import expected_calibration_error as expected_calibration_error
    from distillkit.metrics._probability import log_loss as log_loss
    from distillkit.metrics._ranking import augmentation_robust_score as augmentation_robust_score
    from distillkit.metrics._ranking import label_robust_score as label_robust_score
    from distillkit.metrics._ranking import selection_correlation as selection_correlation
    from distillkit.metrics.features import Extractor as Extractor
    from distillkit.metrics.features import make_extractor as make_extractor
    from distillkit.metrics.images import ssim_diversity as ssim_diversity
    from distillkit.metrics.images import ssim_memorisation as ssim_memorisation
    from distillkit.metrics.images import ssim_nearest as ssim_nearest
    from distillkit.metrics.models import GradientAgreement as GradientAgreement
    from distillkit.metrics.models import TwoSampleTest as TwoSampleTest
    from distillkit.metrics.models import compare_gradients as compare_gradients
    from distillkit.metrics.models import gradient_distance as gradient_distance
    from distillkit.metrics.models import gradient_similarity as gradient_similarity
    from distillkit.metrics.models import influence as influence
    from distillkit.metrics.models import influences as influences
    from distillkit.metrics.models import meta_loss as meta_loss
    from distillkit.metrics.models import two_sample_accuracy as two_sample_accuracy
    from distillkit.metrics.models import two_sample_auc as two_sample_auc
    from distillkit.metrics.models import two_sample_test as two_sample_test
    from distillkit.metrics.privacy import PrivacyReport as PrivacyReport
    from distillkit.metrics.privacy import privacy_report as privacy_report
    from distillkit.metrics.privacy._metrics import copies as copies
    from distillkit.metrics.privacy._metrics import membership_auc as membership_auc
    from distillkit.metrics.privacy._metrics import membership_tpr01 as membership_tpr01
    from distillkit.metrics.privacy._metrics import membership_tpr1 as membership_tpr1
    from distillkit.metrics.privacy._metrics import near_copies as near_copies
    from distillkit.metrics.privacy._metrics import nndr as nndr
    from distillkit.metrics.privacy._metrics import privacy_share as privacy_share
    from distillkit.metrics.privacy._metrics import privacy_z as privacy_z
    from distillkit.metrics.reference import Floors as Floors
    from distillkit.metrics.reference import Part as Part
    from distillkit.metrics.reference import Reference as Reference
    from distillkit.metrics.reference import floors as floors
    from distillkit.metrics.reference import random_sets as random_sets
    from distillkit.metrics.reference import shares_reference as shares_reference
    from distillkit.metrics.series import autocorrelation_error as autocorrelation_error
    from distillkit.metrics.series import spectrum_distance as spectrum_distance
    from distillkit.metrics.tables import correlation_error as correlation_error
    from distillkit.metrics.tables import marginal_ks as marginal_ks
    from distillkit.metrics.tables import marginal_tv as marginal_tv

_HOMES = {
    "accuracy": "_prediction",
    "agreement": "_model",
    "balanced_accuracy": "_prediction",
    "bytes_kept": "_cost",
    "compression_bytes": "_cost",
    "compression_rows": "_cost",
    "coreset_error": "_coreset_error",
    "coverage": "_coverage",
    "density": "_precision_recall",
    "expected_coverage": "_coverage",
    "precision": "_precision_recall",
    "recall": "_precision_recall",
    "latency_ratio": "_model",
    "latency_ratio_single": "_model",
    "model_bytes": "_model",
    "model_compression": "_model",
    "macro_f1": "_prediction",
    "fid": "_frechet",
    "floors": "reference",
    "inception_score": "_inception_score",
    "js_predictions": "_divergences",
    "js_targets": "_divergences",
    "kid": "_kernel_distance",
    "kl_predictions": "_divergences",
    "label_entropy": "_diversity",
    "variance_ratio": "_diversity",
    "vendi_ratio": "_diversity",
    "vendi_score": "_diversity",
    "kl_targets": "_divergences",
    "make_extractor": "features",
    "mmd": "_mmd",
    "random_sets": "reference",
    "shares_reference": "reference",
    "Extractor": "features",
    "Floors": "reference",
    "Measured": "_measured",
    "Part": "reference",
    "Reference": "reference",
    "parameter_compression": "_model",
    "parameters": "_model",
    "PrivacyReport": "privacy",
    "privacy_report": "privacy",
    "copies": "privacy._metrics",
    "membership_auc": "privacy._metrics",
    "membership_tpr01": "privacy._metrics",
    "membership_tpr1": "privacy._metrics",
    "near_copies": "privacy._metrics",
    "nndr": "privacy._metrics",
    "privacy_share": "privacy._metrics",
    "privacy_z": "privacy._metrics",
    "r2": "_prediction",
    "rmse": "_prediction",
    "rows_kept": "_cost",
    "seconds_distil": "_cost",
    "seconds_train": "_cost",
    "sliced_wasserstein": "_fidelity",
    "wasserstein": "_fidelity",
    "log_loss": "_probability",
    "brier_score": "_probability",
    "expected_calibration_error": "_probability",
    "label_robust_score": "_ranking",
    "augmentation_robust_score": "_ranking",
    "selection_correlation": "_ranking",
    "ssim_nearest": "images",
    "ssim_diversity": "images",
    "ssim_memorisation": "images",
    "autocorrelation_error": "series",
    "spectrum_distance": "series",
    "marginal_tv": "tables",
    "marginal_ks": "tables",
    "correlation_error": "tables",
    "two_sample_test": "models",
    "TwoSampleTest": "models",
    "two_sample_auc": "models",
    "two_sample_accuracy": "models",
    "influence": "models",
    "influences": "models",
    "meta_loss": "models",
    "compare_gradients": "models",
    "GradientAgreement": "models",
    "gradient_similarity": "models",
    "gradient_distance": "models",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605 (a list of strings)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'distillkit.metrics' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"distillkit.metrics.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
