"""What is measured of a method that reduces a model: its student on the test rows, beside its teacher."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.bench.evaluation._evaluate import measure
from distillkit.plugins import get_manager

if TYPE_CHECKING:
    from distillkit.datasets import Dataset

__all__ = ["measure_model"]

_ALIKE = {"classification": "accuracy", "regression": "r2"}


def measure_model(model: Any, train: Dataset, test: Dataset, seconds: float, metrics: list[str]) -> dict[str, Any]:
    """Predict the test rows with a fitted model and measure the predictions.

    Parameters
    ----------
    model : fitted estimator
        See `distillkit.specs.MethodSpec` for what it may have beside `predict`.
    train, test : Dataset
        Of which the training and the test rows are read.
    seconds : float
        What the fit took; stands for the distillation where the model does not say how long teacher and student took.
    metrics : list of str
        Names; those of distilled rows do not apply.

    Returns
    -------
    dict
        What a row holds: ``metrics``, sizes and seconds. All training rows are seen and none is left out.
    """
    started = time.perf_counter()
    predictions = np.asarray(model.predict(test.X_test))
    seconds_predict = time.perf_counter() - started
    size = {"rows": len(train.X_train), "bytes": int(train.X_train.nbytes + train.y_train.nbytes)}
    told = {
        **size,
        **{f"{name}_seen": value for name, value in size.items()},
        "seconds_distil": getattr(model, "seconds_teacher_", seconds),
        "seconds_train": getattr(model, "seconds_student_", None),
    }
    figures = {
        "agreement": _agreement(model, test, predictions),
        "parameters": getattr(model, "n_parameters_student_", None),
        "parameters_teacher": getattr(model, "n_parameters_teacher_", None),
        "latency_ratio": getattr(model, "latency_ratio_", None),
    }
    measured = measure("prediction", metrics, test.y_test, predictions) | measure("run", metrics, {**told, **figures})
    return {
        **told,
        "metrics": {name: value for name, value in measured.items() if value is not None},
        "seconds_predict": seconds_predict,
        "stopped_by": getattr(model, "stopped_by_", None),
    }


def _agreement(model: Any, test: Dataset, predictions: np.ndarray) -> float | None:
    """Score the student's predictions with the teacher's as truth; None where there is no teacher to ask."""
    if not hasattr(model, "predict_teacher"):
        return None
    alike = get_manager().get("metric", _ALIKE[test.task]).load()
    return float(alike(model.predict_teacher(test.X_test), predictions))
