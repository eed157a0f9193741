"""Nearest neighbours as a recipe."""

from __future__ import annotations

from typing import Any

from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from distillkit.evaluators._base import EvaluatorBase, check_task

__all__ = ["NearestNeighbors", "make_knn"]


class NearestNeighbors(EvaluatorBase):
    """The majority label or the mean number of the nearest rows, in Euclidean distance.

    It takes no weights: a row votes once however many it stands for.

    Parameters
    ----------
    task : {"classification", "regression"}, default="classification"
    n_neighbors : int or None, default=None
        All rows where there are fewer. None: 1 for labels; 5 for numbers, whose noise a single neighbour would hand on
        in full.
    """

    def __init__(self, task: str = "classification", *, n_neighbors: int | None = None) -> None:
        self.task = task
        self.n_neighbors = n_neighbors

    def _model(self, n_rows: int) -> Any:
        classifies = self.task == "classification"
        wanted = self.n_neighbors if self.n_neighbors is not None else (1 if classifies else 5)
        return (KNeighborsClassifier if classifies else KNeighborsRegressor)(min(wanted, n_rows))


def make_knn(task: str, random_state: int, *, n_neighbors: int | None = None) -> NearestNeighbors:  # noqa: ARG001
    """Make a nearest-neighbour model; see `NearestNeighbors`.

    Parameters
    ----------
    task : {"classification", "regression"}
    random_state : int
        Not used: nothing is random.
    n_neighbors
        As for `NearestNeighbors`.

    Raises
    ------
    DataError
        For another task.
    """
    check_task("knn", task, "classification", "regression")
    return NearestNeighbors(task, n_neighbors=n_neighbors)
