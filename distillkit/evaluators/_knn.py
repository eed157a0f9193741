"""The nearest-neighbor evaluator."""

from __future__ import annotations

from typing import Any

from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from distillkit.evaluators._base import EvaluatorBase, check_task

__all__ = ["NearestNeighbors", "make_knn"]


class NearestNeighbors(EvaluatorBase):
    """Nearest neighbors by Euclidean distance: the majority label, or the mean number.

    It takes no weights: each row votes once, however many rows it represents.

    Parameters
    ----------
    task : {"classification", "regression"}, default="classification"
    n_neighbors : int or None, default=None
        Number of neighbors, limited to the number of rows. None is 1 for labels and 5 for numbers,
        because a single neighbor would pass its noise on to the prediction.
    """

    def __init__(self, task: str = "classification", *, n_neighbors: int | None = None) -> None:
        self.task = task
        self.n_neighbors = n_neighbors

    def _model(self, n_rows: int) -> Any:
        classifies = self.task == "classification"
        n_neighbors = self.n_neighbors if self.n_neighbors is not None else (1 if classifies else 5)
        return (KNeighborsClassifier if classifies else KNeighborsRegressor)(min(n_neighbors, n_rows))


def make_knn(task: str, random_state: int, *, n_neighbors: int | None = None) -> NearestNeighbors:  # noqa: ARG001
    """Make a nearest-neighbor evaluator; see `NearestNeighbors`.

    Parameters
    ----------
    task : {"classification", "regression"}
    random_state : int
        Not used, since nothing is random.
    n_neighbors
        As for `NearestNeighbors`.

    Raises
    ------
    DataError
        If the task is none of these.
    """
    check_task("knn", task, "classification", "regression")
    return NearestNeighbors(task, n_neighbors=n_neighbors)
