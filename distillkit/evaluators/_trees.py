"""Recipes made of trees: a random forest, and gradient boosting that also works on few rows."""

from __future__ import annotations

from typing import Any

from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from distillkit.evaluators._base import WeightedEvaluator, check_task

__all__ = ["Boosting", "make_boosting", "make_forest"]


class Boosting(WeightedEvaluator):
    """Gradient boosting on histograms, with leaves that shrink with the rows.

    scikit-learn's default of at least 20 rows in a leaf predicts a constant for fewer than 40 rows. Here a leaf needs
    a fifth of the rows, at least 1 and at most 20, so from 100 rows on the recipe is scikit-learn's own. There is no
    early stopping, at any size: a set of ten rows has none to spare, and sizes must be comparable. Only ratios of
    weights count: they are scaled to mean 1.

    Parameters
    ----------
    task : {"classification", "regression"}, default="classification"
    random_state : int or None, default=None
    max_iter : int, default=100
        Rounds.
    learning_rate : float, default=0.1
    """

    _mean_one = True  # the smallest hessian of a leaf is an absolute number

    def __init__(
        self,
        task: str = "classification",
        *,
        random_state: int | None = None,
        max_iter: int = 100,
        learning_rate: float = 0.1,
    ) -> None:
        self.task = task
        self.random_state = random_state
        self.max_iter = max_iter
        self.learning_rate = learning_rate

    def _model(self, n_rows: int) -> Any:
        classifies = self.task == "classification"
        return (HistGradientBoostingClassifier if classifies else HistGradientBoostingRegressor)(
            max_iter=self.max_iter,
            learning_rate=self.learning_rate,
            min_samples_leaf=min(20, max(1, n_rows // 5)),
            early_stopping=False,
            random_state=self.random_state,
        )


def make_boosting(task: str, random_state: int, *, max_iter: int = 100, learning_rate: float = 0.1) -> Boosting:
    """Make gradient-boosted trees; see `Boosting`.

    Parameters
    ----------
    task : {"classification", "regression"}
    random_state : int
    max_iter, learning_rate
        As for `Boosting`.

    Raises
    ------
    DataError
        For another task.
    """
    check_task("boosting", task, "classification", "regression")
    return Boosting(task, random_state=random_state, max_iter=max_iter, learning_rate=learning_rate)


def make_forest(task: str, random_state: int, *, n_estimators: int = 200, min_samples_leaf: int = 1) -> Any:
    """Make a random forest: scikit-learn's own, which works on any number of rows; only ratios of weights count.

    Parameters
    ----------
    task : {"classification", "regression"}
    random_state : int
    n_estimators : int, default=200
        Trees.
    min_samples_leaf : int, default=1

    Returns
    -------
    RandomForestClassifier or RandomForestRegressor

    Raises
    ------
    DataError
        For another task.
    """
    check_task("forest", task, "classification", "regression")
    model = RandomForestClassifier if task == "classification" else RandomForestRegressor
    return model(n_estimators=n_estimators, min_samples_leaf=min_samples_leaf, random_state=random_state)
