"""Maximum mean discrepancy (MMD) between weighted samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from distillkit.distances._samples import check_pair, subsample, value_above_rounding
from distillkit.distances._squared import pairwise_squares, scaled, unscaled
from distillkit.exceptions import DataError

__all__ = ["check_bandwidth", "mean_kernel", "median_bandwidth", "mmd"]

_ROUNDING = 1e-15  # of the mean of a kernel, which is at most 1

SCALES = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Multiples of the bandwidth at which the five Gaussian kernels are taken."""


def mmd(
    X: Any,
    Y: Any,
    *,
    x_weight: Any = None,
    y_weight: Any = None,
    bandwidth: float | str = "median",
    max_rows: int = 2000,
    seed: int = 0,
) -> float:
    r"""Squared maximum mean discrepancy (MMD) between two weighted samples.

    With weights :math:`a, b` that sum to 1, this is the biased V-statistic of Gretton et al.
    (2012), equation 5,

    .. math:: \sum_{ij} a_i a_j k(x_i, x_j) + \sum_{ij} b_i b_j k(y_i, y_j)
              - 2 \sum_{ij} a_i b_j k(x_i, y_j).

    It is the exact squared MMD between the two weighted point sets: zero only if they are equal,
    never negative, and at most 2. The unbiased estimate, which leaves out i = j, can be negative
    and needs at least two rows in each sample. The kernel is the mean of five Gaussian kernels
    :math:`\exp(-\|x - y\|^2 / 2h^2)`, with h = 1/4, 1/2, 1, 2 and 4 times the bandwidth, so that
    the result does not depend on a single length scale.

    Parameters
    ----------
    X, Y : array-like of shape (n, d) and (m, d)
    x_weight, y_weight : array-like of shape (n,) and (m,), or None
        Non-negative weights, scaled to sum to 1; None gives equal weights.
    bandwidth : float or "median", default="median"
        Bandwidth of the kernel, in the units of the rows. "median" is the `median_bandwidth` of
        both samples together (of a random draw of `max_rows` of their rows if there are more), as
        Gretton et al. propose. To compare several samples with one reference, give the same number
        each time.
    max_rows : int, default=2000
        A sample with more rows is replaced by a random draw of `max_rows` of them, since time and
        memory grow with the square of the number of rows. The draw does not depend on the order of
        the rows, and it is the same for samples of the same rows, so their distance is still 0. Two
        samples without common rows are drawn independently: even if they come from one
        distribution, the result is then of the order of 1 / `max_rows`.
    seed : int, default=0
        Seed of the random draws of rows.

    Returns
    -------
    float
        The squared MMD, in [0, 2], up to an absolute rounding error of the order of 1e-16.

    Raises
    ------
    DataError
        If a sample or its weights are invalid, or if the bandwidth is not positive.

    Warns
    -----
    DistillkitWarning
        If the samples differ by less than the rounding error, as do samples with a few very distant
        rows, which make the "median" large.

    References
    ----------
    Gretton, Borgwardt, Rasch, Schölkopf, Smola: A kernel two-sample test. JMLR 13 (2012), 723-773.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [1.0], [1.0]])
    >>> round(mmd(X, np.array([[0.0], [1.0]]), y_weight=[1, 2]), 12)
    0.0
    """
    X, Y, a, b = check_pair(X, Y, x_weight, y_weight)
    (X, a), (Y, b) = subsample(X, a, max_rows, seed), subsample(Y, b, max_rows, seed)
    (X, Y), exponent = scaled(X, Y)
    if bandwidth == "median":
        both = np.concatenate([X, Y])
        h = _median_distance(subsample(both, np.ones(len(both)), max_rows, seed, "median")[0])
    else:
        h = max(float(np.ldexp(check_bandwidth(bandwidth), -exponent)), float(np.finfo(float).smallest_subnormal))
    kernel_xx, kernel_yy, kernel_xy = (mean_kernel(pairwise_squares(P, Q), h) for P, Q in ((X, X), (Y, Y), (X, Y)))
    value = a @ kernel_xx @ a + b @ kernel_yy @ b - 2 * (a @ kernel_xy @ b)
    # The kernel is positive definite, so a negative value can only come from rounding.
    remedy = "give a bandwidth of the order of the differences between the samples"
    return value_above_rounding(max(0.0, float(value)), _ROUNDING, X, a, Y, b, remedy)


def check_bandwidth(bandwidth: float | str) -> float:
    """Check that the bandwidth is positive and finite."""
    if isinstance(bandwidth, str) or not bandwidth > 0 or not np.isfinite(bandwidth):
        raise DataError(f"bandwidth={bandwidth!r} must be a positive number or 'median'.")
    return float(bandwidth)


def mean_kernel(squares: Any, bandwidth: float, exp: Callable[[Any], Any] = np.exp) -> Any:
    """Mean of the five Gaussian kernels at squared distances.

    The distances are an ndarray, or a tensor with ``exp=torch.exp``.
    """
    # The square of a tiny bandwidth would underflow to 0, and that of a huge one overflow.
    with np.errstate(over="ignore"):
        ratios = squares / bandwidth / bandwidth
    return sum(exp(ratios / (-2 * scale**2)) for scale in SCALES) / len(SCALES)


def median_bandwidth(X: Any, *, max_rows: int = 1000, seed: int = 0) -> float:
    """Median distance between different rows, a common choice for the bandwidth of a kernel.

    Parameters
    ----------
    X : array-like of shape (n, d)
    max_rows : int, default=1000
        If X has more rows, the median is that of a random draw of `max_rows` of them, which does
        not depend on the order of the rows.
    seed : int, default=0
        Seed of the random draw of rows.

    Returns
    -------
    float
        The bandwidth, in the units of the rows. It is always positive: pairs of equal rows are left
        out, and the bandwidth is 1 if no pair remains.

    Raises
    ------
    DataError
        If X is empty or not finite, or if the median distance is too large for float64.
    """
    X, _, weight, _ = check_pair(X, X)
    X, _ = subsample(X, weight, max_rows, seed)
    (X,), exponent = scaled(X)
    return unscaled(_median_distance(X), exponent)


def _median_distance(X: np.ndarray) -> float:
    """Compute the median distance between different rows, or 1 if all are equal."""
    squares = pairwise_squares(X, X)[np.triu_indices(len(X), k=1)]
    squares = squares[squares > 0]  # equal rows are at a distance of exactly 0
    return float(np.median(np.sqrt(squares))) if len(squares) else 1.0
