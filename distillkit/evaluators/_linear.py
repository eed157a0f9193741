"""The linear evaluators: logistic regression for labels and ridge regression for numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge

from distillkit.evaluators._base import WeightedEvaluator, check_task

__all__ = ["Logistic", "RidgeRegression", "make_logistic", "make_ridge"]


class Logistic(WeightedEvaluator):
    """Multinomial logistic regression with an L2 penalty, fitted by L-BFGS.

    The objective is ``C * sum_i w_i loss_i + ||coef||^2 / 2``. If the weights sum to the number of
    original training rows, a distilled set is regularized as little as the original set, and a row
    of weight 2 is exactly a row given twice.

    Parameters
    ----------
    C : float, default=1.0
        Inverse strength of the penalty.
    max_iter : int, default=1000
        Largest number of iterations; scikit-learn warns with a `ConvergenceWarning` if it is not
        enough.
    """

    def __init__(self, *, C: float = 1.0, max_iter: int = 1000) -> None:
        self.C = C
        self.max_iter = max_iter

    def _model(self, n_rows: int) -> Any:
        return LogisticRegression(C=self.C, max_iter=self.max_iter)


class RidgeRegression(WeightedEvaluator):
    """Linear least squares with an L2 penalty (ridge regression), in float64.

    The objective is ``sum_i w_i (y_i - x_i . coef - intercept)^2 + alpha ||coef||^2``, so weights
    act like repeated rows, as for `Logistic`. `alpha` is fixed, because a very small set cannot
    select it and the test rows must not.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the penalty; the default suits standardized features.
    """

    task = "regression"
    # Large weights on few rows make the normal equations too ill-conditioned for float32.
    _dtypes = (np.float64,)

    def __init__(self, *, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def _model(self, n_rows: int) -> Any:
        return Ridge(alpha=self.alpha)


def make_logistic(task: str, random_state: int, *, C: float = 1.0, max_iter: int = 1000) -> Logistic:  # noqa: ARG001
    """Make a logistic-regression evaluator; see `Logistic`.

    Parameters
    ----------
    task : {"classification"}
    random_state : int
        Not used, since the optimum is unique.
    C, max_iter
        As for `Logistic`.

    Raises
    ------
    DataError
        If the task is another one.
    """
    check_task("logistic", task, "classification")
    return Logistic(C=C, max_iter=max_iter)


def make_ridge(task: str, random_state: int, *, alpha: float = 1.0) -> RidgeRegression:  # noqa: ARG001
    """Make a ridge-regression evaluator; see `RidgeRegression`.

    Parameters
    ----------
    task : {"regression"}
    random_state : int
        Not used, since the optimum is unique.
    alpha
        As for `RidgeRegression`.

    Raises
    ------
    DataError
        If the task is another one.
    """
    check_task("ridge", task, "regression")
    return RidgeRegression(alpha=alpha)
