"""Exact and sliced Wasserstein distances between weighted samples."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from distillkit.distances._pot import import_pot
from distillkit.distances._samples import check_pair, subsample
from distillkit.distances._squared import mean_row, pairwise_squares, scaled, unscaled
from distillkit.exceptions import DataError, DistillkitError

__all__ = ["optimal_plan", "sliced_wasserstein", "wasserstein"]

# Number of projected values in one block of directions. POT holds about ten copies of them at a
# time.
_BLOCK_VALUES = 2_000_000

# Masses of a plan below this bound are rounding errors, if they are also small shares of the
# weights of both rows.
_ROUNDED_MASS = 1e-15

# Number of values of rows that are centered at a time before their projection.
_CENTERED_VALUES = 2**18

# Solve a transport again with clipped costs if its plan uses only costs below this share of the
# largest cost.
_CLIPPED = 1e-4


def wasserstein(
    X: Any,
    Y: Any,
    *,
    x_weight: Any = None,
    y_weight: Any = None,
    p: float = 2,
    max_rows: int = 1000,
    max_iter: int = 5_000_000,
    seed: int = 0,
) -> float:
    r"""Exact p-Wasserstein distance between two weighted samples, by POT's network simplex.

    .. math:: W_p = \Big( \min_{\pi \ge 0} \sum_{ij} \pi_{ij} \|x_i - y_j\|^p \Big)^{1/p}
              \quad\text{with}\quad \pi 1 = a,\ \pi^\top 1 = b

    Parameters
    ----------
    X, Y : array-like of shape (n, d) and (m, d)
    x_weight, y_weight : array-like of shape (n,) and (m,), or None
        Non-negative weights, scaled to sum to 1; None gives equal weights.
    p : float, default=2
        Order of the distance, at least 1.
    max_rows : int, default=1000
        A sample with more rows is replaced by a random draw of `max_rows` of them. The draw does
        not depend on the order of the rows, and it is the same for samples of the same rows, so
        their distance is still 0. Two samples without common rows are drawn independently: even if
        both come from one distribution, their distance is then that of two finite draws, which
        decreases with `max_rows` only slowly (as its power -1/d for d > 4 features). Compare values
        above this floor only.
    max_iter : int, default=5_000_000
        Largest number of iterations of the network simplex.
    seed : int, default=0
        Seed of the random draws of rows.

    Returns
    -------
    float
        The distance after the p-th root, so in the units of the rows.

    Raises
    ------
    DataError
        If a sample or its weights are invalid, if p < 1, or if the distance is too large for
        float64.
    DistillkitError
        If the network simplex does not reach the optimum within `max_iter` iterations; the cost of
        a suboptimal plan is never returned.

    References
    ----------
    Flamary et al.: POT: Python Optimal Transport. JMLR 22 (2021), 78.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0, 0.0], [1.0, 0.0]])
    >>> round(wasserstein(X, X + [3.0, 4.0]), 9)
    5.0
    """
    X, Y, a, b = check_pair(X, Y, x_weight, y_weight)
    _check_order(p)
    (X, a), (Y, b) = subsample(X, a, max_rows, seed), subsample(Y, b, max_rows, seed)
    # Sort by weight: POT compares the sums of both weights, whose rounding depends on their order.
    (X, a), (Y, b) = _by_weight(X, a), _by_weight(Y, b)
    (X, Y), exponent = scaled(X, Y)
    costs = pairwise_squares(X, Y)
    # Divide by the largest squared distance before taking a power, so that no cost can overflow.
    scale = costs.max()
    if scale == 0:
        return 0.0
    costs = (costs / scale) ** (p / 2)
    plan = optimal_plan(a, b, costs, max_iter=max_iter, remedy=f"or lower max_rows={max_rows}")
    cost = float((plan * costs).sum())
    return unscaled(float(np.sqrt(scale) * max(0.0, cost) ** (1 / p)), exponent)


def _by_weight(rows: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sort rows by their weights; rows of equal weights keep their order."""
    if (weight == weight[0]).all():
        return rows, weight
    order = np.argsort(weight, kind="stable")
    return rows[order], weight[order]


def optimal_plan(
    a: np.ndarray, b: np.ndarray, costs: np.ndarray, *, max_iter: int = 5_000_000, remedy: str = "or give fewer rows"
) -> np.ndarray:
    """Compute the transport plan of the least cost between two sets of weights.

    Parameters
    ----------
    a, b : ndarray of shape (n,) and (m,)
        Weights of the sources and of the targets, each of sum 1.
    costs : ndarray of shape (n, m)
        Cost of moving a unit of weight from each source to each target; not negative.
    max_iter : int
        Largest number of iterations of the network simplex.
    remedy : str
        Alternative to raising `max_iter`, for the error message.

    Returns
    -------
    ndarray of shape (n, m)
        Weight that is moved from each source to each target.

    Raises
    ------
    DistillkitError
        If the network simplex does not reach the optimum within `max_iter` iterations.
    """
    plan = _simplex_plan(a, b, costs, max_iter, remedy)
    largest, used = costs.max(), costs[plan > 0].max()
    # The simplex cannot resolve costs below its rounding error at the largest cost. If the plan
    # uses small costs only, solve again with the others clipped: a plan that is optimal for clipped
    # costs and uses none of the clipped ones is optimal for the original costs, too.
    while 0 < used < _CLIPPED * largest:
        largest = used / _CLIPPED**0.5
        clipped_plan = _simplex_plan(a, b, np.minimum(costs, largest), max_iter, remedy)
        used = costs[clipped_plan > 0].max()
        if used >= largest:
            break
        plan = clipped_plan
    return plan


def _simplex_plan(a: np.ndarray, b: np.ndarray, costs: np.ndarray, max_iter: int, remedy: str) -> np.ndarray:
    """Compute a transport plan by POT's network simplex."""
    # The simplex has absolute tolerances, so costs are scaled to at most 1.
    scale = costs.max() or 1.0
    plan, log = import_pot().emd(a, b, costs / scale, numItermax=max_iter, log=True)
    if log["warning"] is not None:
        raise DistillkitError(
            f"the exact transport of {len(a)} to {len(b)} rows did not converge "
            f"({log['warning']}): raise max_iter={max_iter} {remedy}."
        )
    # Rounding leaves tiny masses on arbitrary pairs, which would count if these are far apart.
    plan = np.asarray(plan)
    plan[(plan < _ROUNDED_MASS) & (plan < 1e-9 * np.minimum.outer(a, b))] = 0.0
    return plan


def sliced_wasserstein(
    X: Any,
    Y: Any,
    *,
    x_weight: Any = None,
    y_weight: Any = None,
    p: float = 2,
    n_projections: int = 128,
    seed: int = 0,
) -> float:
    r"""Sliced p-Wasserstein distance, the p-mean of exact distances along random directions.

    .. math:: SW_p = \Big( \frac{1}{L} \sum_{l=1}^{L}
              W_p(\langle X, \theta_l \rangle, \langle Y, \theta_l \rangle)^p \Big)^{1/p},
              \quad \theta_l \text{ uniform on the unit sphere}

    All rows are used, and time grows as n log n. The projections are computed in blocks, so that
    memory does not grow with their number. The value equals that of
    `ot.sliced_wasserstein_distance` with the same projections.

    Parameters
    ----------
    X, Y : array-like of shape (n, d) and (m, d)
    x_weight, y_weight : array-like of shape (n,) and (m,), or None
        Non-negative weights, scaled to sum to 1; None gives equal weights.
    p : float, default=2
        Order of the distance, at least 1.
    n_projections : int, default=128
        Number of random directions, at least 1.
    seed : int, default=0
        Seed of the random directions.

    Returns
    -------
    float
        The distance, in the units of the rows. The projections carry an absolute rounding error of
        the order of 1e-16 times the largest distance of a row from the mean.

    Raises
    ------
    DataError
        If a sample or its weights are invalid, if p < 1, if `n_projections` < 1, or if the distance
        is too large for float64.

    References
    ----------
    Bonneel, Rabin, Peyré, Pfister: Sliced and Radon Wasserstein barycenters of measures. J. Math.
    Imaging and Vision 51 (2015), 22-45.

    Examples
    --------
    >>> import numpy as np
    >>> round(sliced_wasserstein(np.array([[0.0], [1.0]]), np.array([[2.0], [3.0]])), 9)
    2.0
    """
    X, Y, a, b = check_pair(X, Y, x_weight, y_weight)
    _check_order(p)
    if n_projections < 1:
        raise DataError(f"n_projections={n_projections} must be at least 1.")
    (X, Y), exponent = scaled(X, Y)
    center = mean_row(Y)
    pot = import_pot()
    directions = pot.sliced.get_random_projections(X.shape[1], n_projections, seed)
    block = max(1, _BLOCK_VALUES // (len(X) + len(Y)))
    largest, total = 0.0, 0.0  # the sum of the p-th powers is largest**p * total
    for start in range(0, n_projections, block):
        block_directions = directions[:, start : start + block]
        x_projected, y_projected = (_project(rows, center, block_directions) for rows in (X, Y))
        # POT returns the p-th power of each one-dimensional distance. Divide by a power of two
        # above the largest value first, which is exact, so that no power can overflow.
        size = max(float(np.abs(projected).max()) for projected in (x_projected, y_projected))
        if size > 0:
            scale = math.ldexp(1.0, math.frexp(size)[1])
            powers = float(np.sum(pot.wasserstein_1d(x_projected / scale, y_projected / scale, a, b, p=p)))
            common = max(largest, scale)
            total = total * (largest / common) ** p + powers * (scale / common) ** p
            largest = common
    return unscaled(largest * max(0.0, total / n_projections) ** (1 / p), exponent)


def _project(X: np.ndarray, center: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Project rows, measured from a center, onto directions in float64.

    The rows are centered in blocks, which avoids a float64 copy of a large X.
    """
    projected = np.empty((len(X), directions.shape[1]))
    step = max(1, _CENTERED_VALUES // X.shape[1])
    for begin in range(0, len(X), step):
        part = slice(begin, begin + step)
        np.matmul(X[part] - center, directions, out=projected[part])
    return projected


def _check_order(p: float) -> None:
    """Check the order of a Wasserstein distance."""
    if not 1 <= p < np.inf:
        raise DataError(f"p={p!r} must be a finite number of at least 1: lower orders give no distance.")
