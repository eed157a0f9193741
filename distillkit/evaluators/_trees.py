"""The tree evaluators: a random forest, and gradient boosting that also works on few rows."""

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
    """Histogram gradient boosting whose minimum leaf size shrinks with the number of rows.

    With scikit-learn's default of at least 20 rows per leaf, a model of fewer than 40 rows is
    constant. Here a leaf needs a fifth of the rows, at least 1 and at most 20, which is
    scikit-learn's default from 100 rows on. There is no early stopping, because very small sets
    have no rows to hold out, and sets of all sizes should be trained alike. Only the ratios of the
    weights matter, since they are scaled to mean 1.

    Parameters
    ----------
    task : {"classification", "regression"}, default="classification"
    random_state : int or None, default=None
    max_iter : int, default=100
        Number of boosting rounds.
    learning_rate : float, default=0.1
    """

    _mean_one = True  # scikit-learn's smallest Hessian of a leaf is an absolute number

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
    """Make a gradient-boosting evaluator; see `Boosting`.

    Parameters
    ----------
    task : {"classification", "regression"}
    random_state : int
    max_iter, learning_rate
        As for `Boosting`.

    Raises
    ------
    DataError
        If the task is none of these.
    """
    check_task("boosting", task, "classification", "regression")
    return Boosting(task, random_state=random_state, max_iter=max_iter, learning_rate=learning_rate)


def make_forest(task: str, random_state: int, *, n_estimators: int = 200, min_samples_leaf: int = 1) -> Any:
    """Make scikit-learn's random forest, which works on any number of rows.

    Only the ratios of the sample weights matter.

    Parameters
    ----------
    task : {"classification", "regression"}
    random_state : int
    n_estimators : int, default=200
        Number of trees.
    min_samples_leaf : int, default=1
        Smallest number of rows in a leaf.

    Returns
    -------
    RandomForestClassifier or RandomForestRegressor

    Raises
    ------
    DataError
        If the task is none of these.
    """
    check_task("forest", task, "classification", "regression")
    model = RandomForestClassifier if task == "classification" else RandomForestRegressor
    return model(n_estimators=n_estimators, min_samples_leaf=min_samples_leaf, random_state=random_state)
