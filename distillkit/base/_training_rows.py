"""The input of a method: validated rows in groups, and the clock and randomness of its run."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from distillkit.budget import Budget
from distillkit.neighbors._lazy_rows import select_rows
from distillkit.utils._json import to_jsonable
from distillkit.utils._progress_task import SILENT, Task
from distillkit.utils._sparse import dense_rows, is_sparse

__all__ = ["Group", "Run", "TrainingRows", "group_rows"]

_MANY_COLUMNS = 1024  # of a sparse matrix, above which columns without values are left out


@dataclass(frozen=True)
class Group:
    """Rows that are distilled together: one class, or all rows if there are no classes.

    Parameters
    ----------
    label : label or None
        The class, in the label space of y.
    rows : ndarray of shape (n_group,)
        Positions in X, ascending.
    size : int
        Number of distilled rows of the group.
    """

    label: Any
    rows: np.ndarray
    size: int


@dataclass(frozen=True)
class TrainingRows:
    """Validated training rows.

    Parameters
    ----------
    X : ndarray of shape (n, ...), float32 or float64, finite
        `LazyRows` for methods with ``_reads_in_blocks = True``, where a mixed table is large.
        A CSR matrix or array of SciPy for methods with ``_accepts_sparse = True``, if X was sparse.
    y : ndarray of shape (n,) or None
    task : {"classification", "regression", None}
    groups : tuple of Group
    weight : ndarray of shape (n,) or None
        Positive weights: those given to `fit` as `sample_weight`, or, if the rows are themselves
        distilled (see `StreamingCoreset`), the number of rows of a larger set that each represents.
        A row of weight k counts as k rows; None counts each row once. Only methods with
        ``_weighs_rows = True`` get weights.
    features : ndarray of shape (n, p) or None
        The rows in the `feature_space` of the method.
    positions : ndarray of shape (n,) or None
        Positions of the rows in the X given to `fit`, if rows of weight zero were left out.
    """

    X: np.ndarray
    y: np.ndarray | None
    task: str | None
    groups: tuple[Group, ...]
    weight: np.ndarray | None = None
    features: np.ndarray | None = None
    positions: np.ndarray | None = None

    @property
    def points(self) -> np.ndarray:
        """The rows between which distances are measured: `features` if given, else `flat`."""
        return self.flat if self.features is None else self.features

    @property
    def flat(self) -> np.ndarray:
        """X flattened to shape (n, d); a sparse X as it is."""
        return self.X if self.X.ndim == 2 else self.X.reshape(len(self.X), -1)

    @property
    def n_rows(self) -> int:
        """Number of training rows."""
        return int(self.X.shape[0])

    def points_of(self, group: Group) -> Any:
        """Return the `points` of a group, which must not be written to.

        All rows are returned without a copy. Of a sparse X, dense rows of the group are made; where
        it has many columns, those without any value in the group are left out, which changes no
        distance.
        """
        points: Any = self.points
        if len(group.rows) < self.n_rows:
            points = select_rows(points, group.rows)
        if not is_sparse(points):
            return points
        if points.shape[1] > _MANY_COLUMNS:
            used = np.unique(points.indices)
            points = points[:, used] if len(used) else points[:, :1]
        return dense_rows(points)

    def flat_of(self, group: Group) -> Any:
        """Return the rows of a group as `flat` has them, those of a sparse X made dense."""
        rows: Any = self.flat if len(group.rows) == self.n_rows else select_rows(self.flat, group.rows)
        return dense_rows(rows) if is_sparse(rows) else rows

    @property
    def size(self) -> int:
        """Total number of distilled rows."""
        return sum(group.size for group in self.groups)

    def weight_in(self, group: Group) -> np.ndarray | None:
        """Return the weights of the rows of a group; None if each row counts once."""
        return None if self.weight is None else self.weight[group.rows]

    def mass_in(self, group: Group) -> np.ndarray:
        """Return the weights of the rows of a group, or ones."""
        return np.ones(len(group.rows)) if self.weight is None else self.weight[group.rows]

    def equal_weight(self, group: Group) -> np.ndarray:
        """Return equal weights of the distilled rows of a group that sum to those of its rows."""
        return np.full(group.size, self.mass_in(group).sum() / group.size)


@dataclass
class Run:
    """Clock, history and randomness of one fit.

    Parameters
    ----------
    max_seconds : float or None
        Wall-clock budget; a method checks it by `out_of_time` between steps.
    random_state : int, RandomState or None
    history : list of dict
        Recorded steps.
    n_iter : int
        Number of steps so far.
    stopped_by : str or None
        Reason for an early stop, such as "max_seconds".
    started : float
        Time of the start, as of `time.perf_counter`.
    progress : Task
        Takes the steps that are shown while the method runs:
        ``run.progress.update(step, total, loss=loss)``.
    clock : callable or None
        Returns the time in seconds, where processes that share a fit read one clock for all; None
        is `time.perf_counter`.
    """

    max_seconds: float | None = None
    random_state: Any = None
    history: list[dict[str, Any]] = field(default_factory=list)
    n_iter: int = 0
    stopped_by: str | None = None
    started: float = field(default_factory=time.perf_counter)
    progress: Task = SILENT
    clock: Callable[[], float] | None = None

    def __post_init__(self) -> None:
        self.rng: np.random.RandomState = check_random_state(self.random_state)

    @property
    def seconds(self) -> float:
        """Seconds since the start of the fit."""
        return (self.clock or time.perf_counter)() - self.started

    def seed(self) -> int:
        """Draw a seed that fits into int32, as faiss and torch require."""
        return int(self.rng.randint(np.iinfo(np.int32).max))

    def record(self, **values: Any) -> None:
        """Add a step with the given values and the seconds so far to the history."""
        self.history.append({**to_jsonable(values), "seconds": round(self.seconds, 6)})

    def out_of_time(self, ahead: float = 0.0) -> bool:
        """Whether `max_seconds` is over; if so, record it as the reason for stopping.

        Parameters
        ----------
        ahead : float
            Seconds needed for finishing, which are reserved.
        """
        if self.max_seconds is None or self.seconds + ahead < self.max_seconds:
            return False
        self.stopped_by = "max_seconds"
        return True


def group_rows(y: np.ndarray | None, n_rows: int, task: str | None, budget: Budget | None) -> tuple[Group, ...]:
    """Divide the rows into classes, or into one group of all, each with its part of the budget.

    Without a budget (methods of fixed size) every group has size 1.
    """
    if y is None or task != "classification":
        return (Group(None, np.arange(n_rows), 1 if budget is None else budget.total(n_rows)),)
    labels, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    sizes = dict(zip(labels.tolist(), counts.tolist(), strict=True))
    quotas = dict.fromkeys(sizes, 1) if budget is None else budget.per_class(sizes)
    order = np.argsort(codes, kind="stable")
    parts = np.split(order, np.cumsum(counts)[:-1])
    return tuple(map(Group, labels, parts, quotas.values()))  # quotas are in the order of the labels
