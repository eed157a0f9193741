"""Linear recipes: logistic regression for labels, ridge regression for numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge

from distillkit.evaluators._base import WeightedEvaluator, check_task

__all__ = ["Logistic", "RidgeRegression", "make_logistic", "make_ridge"]


class Logistic(WeightedEvaluator):
    """Multinomial logistic regression with an L2 penalty, by L-BFGS.

    The objective is ``C * sum_i w_i loss_i + ||coef||^2 / 2``: weights that sum to the training rows seen make a small
    set as little regularized as the whole one, and a row of weight 2 is exactly a row given twice.

    Parameters
    ----------
    C : float, default=1.0
    max_iter : int, default=1000
        Steps at most; a `ConvergenceWarning` says so where they did not do.
    """

    def __init__(self, *, C: float = 1.0, max_iter: int = 1000) -> None:
        self.C = C
        self.max_iter = max_iter

    def _model(self, n_rows: int) -> Any:
        return LogisticRegression(C=self.C, max_iter=self.max_iter)


class RidgeRegression(WeightedEvaluator):
    """Least squares with an L2 penalty, in float64.

    The objective is ``sum_i w_i (y_i - x_i . coef - intercept)^2 + alpha ||coef||^2``: weights act as the size of the
    data, as for `Logistic`. `alpha` is fixed: ten rows cannot choose it, and the test rows must not.

    Parameters
    ----------
    alpha : float, default=1.0
        For standardized features.
    """

    task = "regression"
    _dtypes = (np.float64,)  # large weights on few rows make the normal equations too ill-conditioned for float32

    def __init__(self, *, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def _model(self, n_rows: int) -> Any:
        return Ridge(alpha=self.alpha)


def make_logistic(task: str, random_state: int, *, C: float = 1.0, max_iter: int = 1000) -> Logistic:  # noqa: ARG001
    """Make a logistic regression; see `Logistic`.

    Parameters
    ----------
    task : {"classification"}
    random_state : int
        Not used: the optimum is unique.
    C, max_iter
        As for `Logistic`.

    Raises
    ------
    DataError
        For another task.
    """
    check_task("logistic", task, "classification")
    return Logistic(C=C, max_iter=max_iter)


def make_ridge(task: str, random_state: int, *, alpha: float = 1.0) -> RidgeRegression:  # noqa: ARG001
    """Make a ridge regression; see `RidgeRegression`.

    Parameters
    ----------
    task : {"regression"}
    random_state : int
        Not used: the optimum is unique.
    alpha
        As for `RidgeRegression`.

    Raises
    ------
    DataError
        For another task.
    """
    check_task("ridge", task, "regression")
    return RidgeRegression(alpha=alpha)
