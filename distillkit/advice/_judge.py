"""The model by which it is judged how much a random subset of the rows loses."""

from __future__ import annotations

from typing import Any

from distillkit.exceptions import DataError

__all__ = ["check_estimator", "default_judge", "is_differentiable", "is_linear"]

_DIFFERENTIABLE = (
    "sklearn.linear_model",
    "sklearn.neural_network",
    "distillkit.nn",
    "torch",
    "skorch",
    "keras",
    "tensorflow",
)


def default_judge(task: str) -> Any:
    """Return a model that is fast and needs no preparation of the columns."""
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    model = ExtraTreesClassifier if task == "classification" else ExtraTreesRegressor
    return model(n_estimators=30, random_state=0)


def check_estimator(estimator: Any) -> None:
    """Raise an error for an estimator that cannot be fitted.

    Raises
    ------
    DataError
        If it is a class, or has no `fit`, `predict` or `get_params`.
    """
    if isinstance(estimator, type) or not all(hasattr(estimator, name) for name in ("fit", "predict", "get_params")):
        raise DataError(
            f"estimator={estimator!r} cannot be fitted: give an unfitted estimator such as LogisticRegression()."
        )


def is_differentiable(estimator: Any) -> bool:
    """Whether an estimator, or the last step of a pipeline, is trained by gradients or could be."""
    return any(cls.__module__.startswith(_DIFFERENTIABLE) for cls in type(_last(estimator)).__mro__)


def is_linear(estimator: Any) -> bool:
    """Whether an estimator, or the last step of a pipeline, is a linear model."""
    return any(cls.__module__.startswith("sklearn.linear_model") for cls in type(_last(estimator)).__mro__)


def _last(estimator: Any) -> Any:
    """Return the last step of a pipeline, or the model inside a registered evaluator."""
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    return last._model(2) if hasattr(last, "_model") else last  # noqa: SLF001 (of `EvaluatorBase`)
