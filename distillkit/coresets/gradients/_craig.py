"""CRAIG: facility location over gradients."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import HasMethods, Interval

from distillkit.base import BaseDistiller, Outcome, iterative_constraints
from distillkit.coresets.shared._lazy_greedy import lazy_greedy
from distillkit.coresets.shared._proxy import LastLayer, last_layer
from distillkit.coresets.shared._ranking import interleave, stratified
from distillkit.coresets.shared._time_budget import split_time_budget

if TYPE_CHECKING:
    from distillkit.base import Group, Run, TrainingRows

__all__ = ["CraigCoreset"]

_BLOCK = 512


class CraigCoreset(BaseDistiller):
    """Rows of each class whose gradients stand nearest to those of all: facility location, greedily (CRAIG).

    Within each class the rows S maximise, up to a factor 1 - 1/e, ``sum_i max_{j in S} (C - |g_i - g_j|)``, where g_i is
    the gradient of row i's loss in the last layer of a proxy model and C the largest distance. Weights are the sizes of
    the clusters: rows whose gradient is nearest to that of the picked row. So ``sum_j w_j g_j`` is at most
    ``sum_i min_j |g_i - g_j|`` away from the gradient of all rows.

    For a continuous target the classes are up to ten quantile bins of y.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    proxy : estimator or None, default=None
        Model with the gradients. None takes a logistic regression of the standardized rows, or a ridge regression.
        Otherwise a classifier with `predict_proba`, or a regressor; it gets X as it came, and classes as whole numbers.
        The inputs of its last layer are taken to be those of the last step of a `Pipeline`, the embedding of a network
        of `distillkit.nn`, or else the standardized rows.
    max_block : int, default=8192
        Rows of a class among which all distances are kept, in ``4 max_block^2`` bytes (256 MiB). A larger class is
        divided at random into equal parts, each of which gives its share of the picks; the weights are those of the
        whole class in any case. Only then is `random_state` used.
    max_seconds : float or None, default=None
        Wall-clock budget of fit, divided over the classes by their work and checked before each pick. When it is over,
        the rest is picked by gains of an earlier step, which are upper bounds.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    random_state : int, RandomState instance or None, default=None

    Attributes
    ----------
    sample_weight_ : ndarray of shape (m,)
        Sizes of the clusters. Picked rows are in ranking order, one of each class in turn.
    history_ : list of dict
        One per class: label, rows, size, parts, distance (mean of ``min_j |g_i - g_j|``), seconds.

    Notes
    -----
    Time O(n_c^2 d) per class of n_c rows for the distances, then O(n_c) for each gain that lazy evaluation asks for
    (same picks as the plain greedy rule); memory ``4 max_block^2`` bytes and two copies of X.
    Mirzasoleiman, Bilmes and Leskovec, "Coresets for data-efficient training of machine learning models",
    arXiv:1906.01827.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [0.1], [0.2], [3.0], [9.0], [9.1]])
    >>> coreset = CraigCoreset(budget={"a": 2, "b": 1}).fit(X, np.array(list("aaaabb")))
    >>> sorted(coreset.sample_weight_.tolist())
    [1.0, 2.0, 3.0]
    """

    _needs_y: ClassVar[bool] = True
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseDistiller._parameter_constraints,
        **iterative_constraints(),
        "proxy": [HasMethods(["fit"]), None],
        "max_block": [Interval(Integral, 2, None, closed="left")],
    }

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        proxy: Any = None,
        max_block: int = 8192,
        max_seconds: float | None = None,
        task: str = "auto",
        random_state: Any = None,
    ) -> None:
        super().__init__(budget, task=task, random_state=random_state)
        self.proxy = proxy
        self.max_block = max_block
        self.max_seconds = max_seconds

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        gradients = last_layer(self.proxy, rows, run)
        rows = stratified(rows)
        picks, weights = [], []
        for group, should_stop in zip(rows.groups, split_time_budget(rows, run), strict=True):
            own = gradients.take(group.rows)
            found = self._pick(own, group.size, run, should_stop)
            labels, distance = nearest(own, found)
            picks.append(group.rows[found])
            weights.append(np.bincount(labels, minlength=len(found)))
            self._record(run, group, float(distance.mean()))
        order = interleave([group.size for group in rows.groups])
        return Outcome(indices=np.concatenate(picks)[order], weight=np.concatenate(weights)[order])

    def _pick(self, gradients: LastLayer, size: int, run: Run, should_stop: Callable[[], bool] | None) -> np.ndarray:
        n = len(gradients.residual)
        n_parts = -(-n // self.max_block)
        if n_parts == 1:
            return facility_location(distances(gradients), size, should_stop)
        picks = []
        base, rest = divmod(size, n_parts)
        for place, part in enumerate(np.array_split(run.rng.permutation(n), n_parts)):
            share = base + (place < rest)
            if share:
                found = facility_location(distances(gradients.take(part)), share, should_stop)
                picks.append(part[found])
        order = interleave([len(part) for part in picks])
        return np.asarray(np.concatenate(picks)[order])

    def _record(self, run: Run, group: Group, distance: float) -> None:
        parts = -(-len(group.rows) // self.max_block)
        run.record(label=group.label, rows=len(group.rows), size=group.size, parts=parts, distance=distance)


def distances(gradients: LastLayer) -> np.ndarray:
    """Distances between all gradients, float32 of shape (n, n), zeros on the diagonal."""
    n = len(gradients.residual)
    squares = gradients.squared_norms()
    found = np.empty((n, n), dtype=np.float32)
    for start in range(0, n, _BLOCK):
        block = np.arange(start, min(start + _BLOCK, n))
        found[block] = _roots(gradients.take(block), gradients, squares[block], squares)
    np.fill_diagonal(found, 0)
    return found


def _roots(first: LastLayer, second: LastLayer, first_squares: np.ndarray, second_squares: np.ndarray) -> np.ndarray:
    square = first_squares[:, None] + second_squares - 2 * first.inner(second)
    return np.asarray(np.sqrt(np.maximum(square, 0)))


def facility_location(distance: np.ndarray, size: int, should_stop: Callable[[], bool] | None = None) -> np.ndarray:
    """Pick items so that the others are near to them: greedily, the first of equals, in ranking order.

    Parameters
    ----------
    distance : ndarray of shape (n, n)
    size : int
    should_stop : callable or None

    Returns
    -------
    ndarray of shape (size,)
    """
    n = len(distance)
    nearest_so_far = np.full(n, distance.max(), dtype=distance.dtype)

    def gains(candidates: np.ndarray) -> np.ndarray:
        return np.asarray(np.maximum(nearest_so_far - distance[candidates], 0).sum(axis=1, dtype=np.float64))

    def update(pick: int) -> None:
        np.minimum(nearest_so_far, distance[pick], out=nearest_so_far)

    return lazy_greedy(gains, update, n, size, should_stop=should_stop)[0]


def nearest(gradients: LastLayer, picks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number of the pick with the nearest gradient, and the distance to it, for each row.

    A picked row counts itself, also where another one has the same gradient.
    """
    n, squares = len(gradients.residual), gradients.squared_norms()
    chosen = gradients.take(picks)
    labels, distance = np.empty(n, dtype=np.intp), np.empty(n)
    for start in range(0, n, _BLOCK):
        block = np.arange(start, min(start + _BLOCK, n))
        roots = _roots(gradients.take(block), chosen, squares[block], squares[picks])
        labels[block] = roots.argmin(axis=1)
        distance[block] = roots[np.arange(len(block)), labels[block]]
    labels[picks], distance[picks] = np.arange(len(picks)), 0
    return labels, distance
