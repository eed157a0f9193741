"""The CRAIG coreset, which selects rows by facility location on gradients."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import HasMethods, Interval

from distillkit.base import BaseDistiller, Outcome, WeightedDistiller, iterative_constraints
from distillkit.coresets.shared._lazy_greedy import lazy_greedy
from distillkit.coresets.shared._proxy import LastLayer, last_layer
from distillkit.coresets.shared._ranking import interleave, stratified
from distillkit.coresets.shared._time_budget import split_time_budget

if TYPE_CHECKING:
    from distillkit.base import Group, Run, TrainingRows

__all__ = ["CraigCoreset"]

_BLOCK = 512


class CraigCoreset(WeightedDistiller):
    """Select rows of each class whose gradients are nearest to those of all rows (CRAIG).

    Within each class the greedy selection S approximately maximizes the facility location objective
    ``sum_i max_{j in S} (C - |g_i - g_j|)``, up to a factor 1 - 1/e, where g_i is the gradient of
    row i's loss in the last layer of a proxy model and C is the largest distance. The weight w_j of
    a selected row is the number of rows whose gradient is nearest to its own. The error of
    ``sum_j w_j g_j`` as an approximation of the gradient of all rows is therefore at most
    ``sum_i min_j |g_i - g_j|``.

    For a continuous target, up to ten quantile bins of y take the place of the classes. Weights of
    the rows weight the terms of the objective, the counts w_j and the rows of the proxy.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    proxy : estimator or None, default=None
        Model of the gradients. None takes a logistic regression, or for a continuous target a ridge
        regression, on the standardized rows. Otherwise it is a classifier with `predict_proba` or a
        regressor, fitted on X in its original units with classes as integer codes. The inputs of
        its last layer are those of the last step of a `Pipeline`, the embedding of a network of
        `distillkit.nn`, or else the standardized rows.
    max_block : int, default=8192
        Largest number of rows of a class whose distances are all kept, in ``4 max_block^2`` bytes
        (256 MiB). A larger class is divided at random into equal parts, each of which contributes
        its share of the selected rows; weights always refer to the whole class. `random_state` is
        used only in this case.
    max_seconds : float or None, default=None
        Wall-clock budget of fit, divided over the classes in proportion to their work and checked
        before each selection. When the time is over, the remaining rows are selected by the gains
        of an earlier step, which are upper bounds.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    verbose : bool, default=False
        Whether to show the progress of `fit`; see `BaseDistiller`.
    random_state : int, RandomState instance or None, default=None

    Attributes
    ----------
    sample_weight_ : ndarray of shape (m,)
        For each distilled row, the number of rows that it represents. Distilled rows are in ranking
        order, one of each class in turn.
    history_ : list of dict
        One entry per class: label, rows, size, parts, distance (mean of ``min_j |g_i - g_j|``),
        seconds.

    Notes
    -----
    Time is O(n_c^2 d) for the distances of a class of n_c rows, then O(n_c) for each gain that lazy
    evaluation computes (the selection is that of the plain greedy rule). Memory is
    ``4 max_block^2`` bytes and two copies of X.

    References
    ----------
    Mirzasoleiman, Bilmes and Leskovec, "Coresets for data-efficient training of machine learning
    models", arXiv:1906.01827.

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
        verbose: bool = False,
        random_state: Any = None,
    ) -> None:
        super().__init__(budget, task=task, random_state=random_state)
        self.proxy = proxy
        self.max_block = max_block
        self.max_seconds = max_seconds
        self.verbose = verbose

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        # 1. Compute the last-layer gradients of all rows.
        gradients = last_layer(self.proxy, rows, run)
        rows = stratified(rows)
        picks, weights = [], []
        for group, should_stop in zip(rows.groups, split_time_budget(rows.groups, run), strict=True):
            # 2. Select rows of each class, weighted by the number of rows with nearest gradients.
            group_gradients = gradients.take(group.rows)
            mass = rows.weight_in(group)
            selection = self._select(group_gradients, group.size, mass, run, should_stop)
            labels, distance = nearest(group_gradients, selection)
            picks.append(group.rows[selection])
            weights.append(np.bincount(labels, weights=mass, minlength=len(selection)))
            self._record(run, group, float(np.average(distance, weights=mass)))
        order = interleave([group.size for group in rows.groups])
        return Outcome(indices=np.concatenate(picks)[order], weight=np.concatenate(weights)[order])

    def _select(
        self,
        gradients: LastLayer,
        size: int,
        mass: np.ndarray | None,
        run: Run,
        should_stop: Callable[[], bool] | None,
    ) -> np.ndarray:
        """Select rows of one class, in several random parts if the class is large."""
        n = len(gradients.residual)
        n_parts = -(-n // self.max_block)
        if n_parts == 1:
            return facility_location(distances(gradients), size, should_stop, mass)
        picks = []
        base, remainder = divmod(size, n_parts)
        for i, part in enumerate(np.array_split(run.rng.permutation(n), n_parts)):
            share = base + (i < remainder)
            if share:
                part_mass = None if mass is None else mass[part]
                selection = facility_location(distances(gradients.take(part)), share, should_stop, part_mass)
                picks.append(part[selection])
        order = interleave([len(part) for part in picks])
        return np.asarray(np.concatenate(picks)[order])

    def _record(self, run: Run, group: Group, distance: float) -> None:
        parts = -(-len(group.rows) // self.max_block)
        run.record(label=group.label, rows=len(group.rows), size=group.size, parts=parts, distance=distance)


def distances(gradients: LastLayer) -> np.ndarray:
    """Return the distances between all gradients, float32 of shape (n, n), with a zero diagonal."""
    n = len(gradients.residual)
    squares = gradients.squared_norms()
    distance = np.empty((n, n), dtype=np.float32)
    for start in range(0, n, _BLOCK):
        block = np.arange(start, min(start + _BLOCK, n))
        distance[block] = _distances_between(gradients.take(block), gradients, squares[block], squares)
    np.fill_diagonal(distance, 0)
    return distance


def _distances_between(
    first: LastLayer, second: LastLayer, first_squares: np.ndarray, second_squares: np.ndarray
) -> np.ndarray:
    """Return the distances between two sets of gradients, given their squared lengths."""
    square = first_squares[:, None] + second_squares - 2 * first.inner(second)
    return np.asarray(np.sqrt(np.maximum(square, 0)))


def facility_location(
    distance: np.ndarray,
    size: int,
    should_stop: Callable[[], bool] | None = None,
    mass: np.ndarray | None = None,
) -> np.ndarray:
    """Select items greedily by facility location, so that every item is near to a selected one.

    Parameters
    ----------
    distance : ndarray of shape (n, n)
    size : int
        Number of items to select.
    should_stop : callable or None
        Called before every selection but the first; True ends the search.
    mass : ndarray of shape (n,) or None
        Weights of the items in the objective; None gives equal weights.

    Returns
    -------
    ndarray of shape (size,)
        Selected items in ranking order; among equals the first is selected.
    """
    n = len(distance)
    nearest_so_far = np.full(n, distance.max(), dtype=distance.dtype)

    def gains(candidates: np.ndarray) -> np.ndarray:
        nearer = np.maximum(nearest_so_far - distance[candidates], 0)
        return np.asarray(nearer.sum(axis=1, dtype=np.float64) if mass is None else nearer @ mass)

    def update(pick: int) -> None:
        np.minimum(nearest_so_far, distance[pick], out=nearest_so_far)

    return lazy_greedy(gains, update, n, size, should_stop=should_stop)[0]


def nearest(gradients: LastLayer, picks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the selected row with the nearest gradient, and the distance to it, for each row.

    A selected row is always assigned to itself, even if another one has the same gradient.
    """
    n, squares = len(gradients.residual), gradients.squared_norms()
    selected = gradients.take(picks)
    labels, distance = np.empty(n, dtype=np.intp), np.empty(n)
    for start in range(0, n, _BLOCK):
        block = np.arange(start, min(start + _BLOCK, n))
        block_distance = _distances_between(gradients.take(block), selected, squares[block], squares[picks])
        labels[block] = block_distance.argmin(axis=1)
        distance[block] = block_distance[np.arange(len(block)), labels[block]]
    labels[picks], distance[picks] = np.arange(len(picks)), 0
    return labels, distance
