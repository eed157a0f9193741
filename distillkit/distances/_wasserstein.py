"""Exact and sliced Wasserstein distances between weighted samples."""

from __future__ import annotations

from typing import Any

import numpy as np

from distillkit.distances._pot import import_pot
from distillkit.distances._samples import check_pair, squared_distances, subsample
from distillkit.exceptions import DataError, DistillkitError

__all__ = ["optimal_plan", "sliced_wasserstein", "wasserstein"]

# Number of projected values in one block of directions. POT holds about ten copies of them at a
# time.
_BLOCK_VALUES = 2_000_000


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
        A sample with more rows is replaced by a random draw of `max_rows` of them. This raises the
        distance slightly, because fewer rows fill the space less densely.
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
        If a sample or its weights are invalid, or if p < 1.
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
    costs = squared_distances(X, Y)
    # Divide by the largest squared distance before taking a power, so that no cost can overflow.
    scale = costs.max()
    if scale == 0:
        return 0.0
    costs = (costs / scale) ** (p / 2)
    plan = optimal_plan(a, b, costs, max_iter=max_iter, remedy=f"or lower max_rows={max_rows}")
    cost = float((plan * costs).sum())
    return float(np.sqrt(scale) * max(0.0, cost) ** (1 / p))


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
    scale = costs.max() or 1.0  # the simplex has absolute tolerances, so costs are scaled to at most 1
    plan, log = import_pot().emd(a, b, costs / scale, numItermax=max_iter, log=True)
    if log["warning"] is not None:
        raise DistillkitError(
            f"the exact transport of {len(a)} to {len(b)} rows did not converge "
            f"({log['warning']}): raise max_iter={max_iter} {remedy}."
        )
    return np.asarray(plan)


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
        The distance, in the units of the rows.

    Raises
    ------
    DataError
        If a sample or its weights are invalid, if p < 1, or if `n_projections` < 1.

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
    pot = import_pot()
    directions = pot.sliced.get_random_projections(X.shape[1], n_projections, seed)
    block = max(1, _BLOCK_VALUES // (len(X) + len(Y)))
    total = 0.0
    for start in range(0, n_projections, block):
        # POT returns the p-th power of each one-dimensional distance.
        block_directions = directions[:, start : start + block]
        x_projected, y_projected = _project(X, block_directions), _project(Y, block_directions)
        total += float(np.sum(pot.wasserstein_1d(x_projected, y_projected, a, b, p=p)))
    return float(max(0.0, total / n_projections) ** (1 / p))


def _project(X: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Project rows onto directions and return float64 values.

    The product is taken in the precision of the rows, which avoids a float64 copy of a large X.
    """
    return np.asarray(X @ directions.astype(X.dtype, copy=False), dtype=np.float64)


def _check_order(p: float) -> None:
    """Check the order of a Wasserstein distance."""
    if not 1 <= p < np.inf:
        raise DataError(f"p={p!r} must be a finite number of at least 1: lower orders give no distance.")
