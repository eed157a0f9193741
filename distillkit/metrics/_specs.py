"""The specifications of the built-in metrics, which load no numerical library."""

from __future__ import annotations

from typing import Any

from distillkit.metrics._further_specs import data_specs, probability_specs
from distillkit.metrics._privacy_specs import privacy_specs
from distillkit.specs import MetricSpec

__all__ = ["metric_specs"]

_CLASSIFICATION = frozenset({"classification"})
_REGRESSION = frozenset({"regression"})


def metric_specs() -> list[MetricSpec]:
    """Return all built-in metrics, in the order of a report."""
    return [
        *_prediction(),
        *probability_specs(),
        *_run(),
        *_model(),
        *_data(),
        *data_specs(),
        *privacy_specs(),
    ]


def _prediction() -> list[MetricSpec]:
    def spec(name: str, function: str, summary: str, tasks: frozenset[str], **options: Any) -> MetricSpec:
        target = f"distillkit.metrics._prediction:{function}"
        return MetricSpec(name=name, target=target, stage="prediction", summary=summary, tasks=tasks, **options)

    return [
        spec("accuracy", "accuracy", "share of the test rows whose label is right", _CLASSIFICATION),
        spec(
            "balanced-accuracy",
            "balanced_accuracy",
            "mean over the classes of the share that is right",
            _CLASSIFICATION,
        ),
        spec("macro-f1", "macro_f1", "mean over the labels of the F1 score", _CLASSIFICATION),
        spec("r2", "r2", "share of the variance of the test target that is explained", _REGRESSION),
        spec("rmse", "rmse", "root mean squared error, in units of the target", _REGRESSION, greater_is_better=False),
    ]


def _run() -> list[MetricSpec]:
    def spec(name: str, function: str, summary: str, **options: Any) -> MetricSpec:
        target = f"distillkit.metrics._cost:{function}"
        return MetricSpec(name=name, target=target, stage="run", summary=summary, **options)

    size: dict[str, Any] = {"greater_is_better": None}
    ratio: dict[str, Any] = {"greater_is_better": True, "unit": "x"}
    time: dict[str, Any] = {"greater_is_better": False, "unit": "s", "timed": True}
    return [
        spec("rows", "rows_kept", "distilled rows", **size),
        spec(
            "bytes",
            "bytes_kept",
            "bytes of distilled rows, labels, weights and preprocessing",
            unit="bytes",
            version=2,  # weights and preprocessing count, and images in the type that they are stored in
            **size,
        ),
        spec("compression-rows", "compression_rows", "training rows per distilled row", **ratio),
        spec(
            "compression-bytes",
            "compression_bytes",
            "bytes of the training set per byte of the distilled one",
            version=2,  # see bytes
            **ratio,
        ),
        spec("seconds-distil", "seconds_distil", "seconds of distillation", **time),
        spec("seconds-train", "seconds_train", "seconds of training on the distilled rows", **time),
    ]


def _model() -> list[MetricSpec]:
    """Return the metrics of methods that reduce a model; other methods have no values for them."""

    def spec(name: str, function: str, summary: str, **options: Any) -> MetricSpec:
        target = f"distillkit.metrics._model:{function}"
        return MetricSpec(name=name, target=target, stage="run", summary=summary, **options)

    return [
        spec(
            "agreement",
            "agreement",
            "share of the test rows that student and teacher label alike; for numbers R2 with the teacher's as truth",
        ),
        spec("parameters", "parameters", "parameters of the model that predicts", greater_is_better=None),
        spec("parameter-compression", "parameter_compression", "the teacher's parameters over the student's", unit="x"),
        spec(
            "model-bytes",
            "model_bytes",
            "bytes of the arrays of the model that predicts",
            greater_is_better=None,
            unit="bytes",
        ),
        spec("model-compression", "model_compression", "the teacher's bytes over the student's", unit="x"),
        spec(
            "latency-ratio",
            "latency_ratio",
            "the teacher's CPU seconds to predict 256 rows over the student's",
            unit="x",
            timed=True,
            version=3,  # medians over rounds of the ratios of CPU time of one thread
        ),
        spec(
            "latency-ratio-single",
            "latency_ratio_single",
            "the teacher's CPU seconds to predict a single row over the student's",
            unit="x",
            timed=True,
            version=2,
        ),
    ]


def _data() -> list[MetricSpec]:
    def spec(name: str, target: str, summary: str, **options: Any) -> MetricSpec:
        path = f"distillkit.metrics.{target}"
        return MetricSpec(name=name, target=path, stage="data", summary=summary, **options)

    exact = "2-Wasserstein distance from the training rows, within classes"
    sliced = "2-Wasserstein distance along 128 random directions, within classes"
    near = "share of the training rows with a distilled row nearer than their 5th nearest neighbor"
    costs = "largest relative difference of k-means, logistic or ridge cost from that on the training rows"
    classes = frozenset({"classes"})
    lower_is_better: dict[str, Any] = {"greater_is_better": False}
    shared: dict[str, Any] = {"shares_reference": True}
    distance: dict[str, Any] = {**shared, **lower_is_better, "value_range": (0.0, None), "ideal": 0.0}
    share: dict[str, Any] = {**distance, "value_range": (0.0, 1.0)}
    share_up: dict[str, Any] = {**shared, "value_range": (0.0, 1.0)}
    diversity: dict[str, Any] = {**shared, "greater_is_better": None, "value_range": (0.0, None)}
    by_classifier: dict[str, Any] = {"requires": ("torch",), "tasks": _CLASSIFICATION, "needs": classes}
    # Version 2: exact under cancellation, equal for all types of numbers, and rows are drawn
    # regardless of their order. Version 3: all
    # rows count, and neighborhoods are strict.
    return [
        spec(
            "mmd",
            "_mmd:mmd",
            "squared maximum mean discrepancy from the training rows, within classes",
            version=3,
            **{**distance, "value_range": (0.0, 2.0)},
        ),
        spec("fid", "_frechet:fid", "Fréchet distance of Gaussians fitted to features", standard=False, **distance),
        spec(
            "kid",
            "_kernel_distance:kid",
            "unbiased squared discrepancy of features, with a cubic kernel",
            standard=False,
            **shared,
            **lower_is_better,
        ),
        spec(
            "inception-score",
            "_inception_score:inception_score",
            "sureness and spread of a classifier's probabilities",
            standard=False,
            value_range=(1.0, None),
            **shared,
            **by_classifier,
        ),
        spec(
            "kl-targets",
            "_divergences:kl_targets",
            "divergence of class proportions, KL(training || set)",
            **{**distance, "floor_draws": 0},
        ),
        spec(
            "js-targets",
            "_divergences:js_targets",
            "divergence of class proportions in bits",
            **{**share, "floor_draws": 0},
        ),
        spec(
            "kl-predictions",
            "_divergences:kl_predictions",
            "divergence of a classifier's mean probabilities, KL(training || set)",
            standard=False,
            **distance,
            **by_classifier,
        ),
        spec(
            "js-predictions",
            "_divergences:js_predictions",
            "divergence of a classifier's mean probabilities in bits",
            standard=False,
            **share,
            **by_classifier,
        ),
        spec("wasserstein", "_fidelity:wasserstein", exact, version=3, requires=("ot",), **distance),
        spec("sliced-wasserstein", "_fidelity:sliced_wasserstein", sliced, version=3, requires=("ot",), **distance),
        spec(
            "coverage",
            "_coverage:coverage",
            near,
            version=3,
            **share_up,
        ),
        spec(
            "precision",
            "_precision_recall:precision",
            "share of the distilled rows near training rows of their class",
            standard=False,
            **share_up,
        ),
        spec(
            "density",
            "_precision_recall:density",
            "training rows near a distilled row, over 5",
            standard=False,
            greater_is_better=None,
            value_range=(0.0, None),
            **shared,
        ),
        spec(
            "recall",
            "_precision_recall:recall",
            "share of the training rows near distilled rows of their class",
            standard=False,
            **share_up,
        ),
        spec(
            "vendi-ratio",
            "_diversity:vendi_ratio",
            "effective number of rows over that of random training rows",
            standard=False,
            **diversity,
        ),
        spec(
            "variance-ratio",
            "_diversity:variance_ratio",
            "variance within classes over that of the training rows",
            **{**diversity, "ideal": 1.0},
        ),
        spec(
            "label-entropy",
            "_diversity:label_entropy",
            "entropy of class proportions over that of the training rows",
            **{**diversity, "ideal": 1.0, "floor_draws": 0},
        ),
        spec(
            "coreset-error",
            "_coreset_error:coreset_error",
            costs,
            version=3,  # an offset that the method reports is no longer subtracted
            ideal=0.0,
            value_range=(0.0, None),
            shares_reference=True,
            **lower_is_better,
        ),
    ]
