"""Measures methods that reduce a model: the student on the test rows, compared with its teacher."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.bench.evaluation._checks import checked_predictions
from distillkit.bench.evaluation._evaluate import measure
from distillkit.bench.evaluation._probabilities import (
    class_probabilities,
    measure_probabilities,
    need_probabilities,
)
from distillkit.bench.results._outcomes import encode
from distillkit.plugins import get_manager

if TYPE_CHECKING:
    from distillkit.datasets import Dataset

__all__ = ["measure_model"]

_AGREEMENT_METRICS = {"classification": "accuracy", "regression": "r2"}
"""Metric that compares the predictions of the student with those of its teacher, by task."""


def measure_model(
    model: Any, train: Dataset, test: Dataset, seconds: float, metrics: list[str], *, nbytes: int
) -> dict[str, Any]:
    """Predict the test rows with a fitted model and measure the predictions.

    Parameters
    ----------
    model : fitted estimator
        See `distillkit.specs.MethodSpec` for its optional attributes besides `predict`.
    train, test : Dataset
        Datasets from which the training rows and the test rows are read.
    seconds : float
        Wall-clock seconds of the fit. They count as the distillation time if the model does not
        report the times of teacher and student separately.
    metrics : list of str
        Names of metrics; those of stage "data" are left out.
    nbytes : int
        Bytes of the training set.

    Returns
    -------
    dict
        The fields of a results row: ``metrics``, sizes and seconds. The model is trained on all
        training rows, so its sizes are those of the training set.
    """
    started = time.perf_counter()
    predictions = model.predict(test.X_test)
    seconds_predict = time.perf_counter() - started
    predictions = checked_predictions(predictions, len(test.X_test))
    size = {"rows": len(train.X_train), "bytes": nbytes}
    costs = {
        **size,
        **{f"{name}_seen": value for name, value in size.items()},
        "seconds_distil": getattr(model, "seconds_teacher_", seconds),
        "seconds_train": getattr(model, "seconds_student_", None),
    }
    figures = {
        "agreement": _agreement(model, test, predictions),
        "parameters": getattr(model, "n_parameters_student_", None),
        "parameters_teacher": getattr(model, "n_parameters_teacher_", None),
        "model_bytes": getattr(model, "n_bytes_student_", None),
        "model_bytes_teacher": getattr(model, "n_bytes_teacher_", None),
        "latency_ratio": getattr(model, "latency_ratio_", None),
        "latency_ratio_single": getattr(model, "latency_ratio_single_", None),
    }
    measured = measure("prediction", metrics, test.y_test, predictions) | measure("run", metrics, {**costs, **figures})
    if need_probabilities(metrics):
        measured |= measure_probabilities(metrics, test.y_test, class_probabilities(model, test.X_test, None))
    return {
        **costs,
        "metrics": {name: value for name, value in measured.items() if value is not None},
        "outcome": encode(predictions, len(test.classes) or None),
        "seconds_predict": seconds_predict,
        "stopped_by": getattr(model, "stopped_by_", None),
    }


def _agreement(model: Any, test: Dataset, predictions: np.ndarray) -> float | None:
    """Score the predictions of the student against those of its teacher; None without a teacher."""
    if not hasattr(model, "predict_teacher"):
        return None
    metric = get_manager().get("metric", _AGREEMENT_METRICS[test.task]).load()
    return float(metric(model.predict_teacher(test.X_test), predictions))
