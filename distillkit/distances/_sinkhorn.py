"""The Sinkhorn divergence, which is entropic optimal transport without its bias."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import rel_entr

from distillkit.distances._pot import import_pot
from distillkit.distances._samples import check_pair, subsample, value_above_rounding
from distillkit.distances._squared import pairwise_squares, scaled, unscaled
from distillkit.exceptions import DataError

__all__ = ["entropic_plan", "entropic_value", "sinkhorn_divergence"]

_ROUNDING = 1e-14  # of a regularized cost, in multiples of the regularization


def sinkhorn_divergence(
    X: Any,
    Y: Any,
    *,
    x_weight: Any = None,
    y_weight: Any = None,
    reg: float | str = "auto",
    max_rows: int = 1000,
    max_iter: int = 1000,
    tol: float = 1e-9,
    seed: int = 0,
) -> float:
    r"""Sinkhorn divergence, the debiased entropic transport cost between two weighted samples.

    .. math:: S_\varepsilon(a, b) = OT_\varepsilon(a, b) - \tfrac12 OT_\varepsilon(a, a)
              - \tfrac12 OT_\varepsilon(b, b),
              \quad OT_\varepsilon(a, b) = \min_{\pi 1 = a, \pi^\top 1 = b}
              \sum_{ij} \pi_{ij} \|x_i - y_j\|^2 + \varepsilon KL(\pi \| a \otimes b)

    The divergence is zero for equal samples and positive otherwise. It tends to the squared
    2-Wasserstein distance as the regularization vanishes, and to the squared distance of the means
    as it grows. The transport plans are computed by POT's Sinkhorn iterations.

    Parameters
    ----------
    X, Y : array-like of shape (n, d) and (m, d)
    x_weight, y_weight : array-like of shape (n,) and (m,), or None
        Non-negative weights, scaled to sum to 1; None gives equal weights.
    reg : float or "auto", default="auto"
        Strength of the entropic regularization, in squared units of the rows. "auto" is a twentieth
        of the mean squared distance between rows of X and rows of Y (1 if that mean is zero). To
        compare several samples with one reference, give the same number each time.
    max_rows : int, default=1000
        A sample with more rows is replaced by a random draw of `max_rows` of them, see
        `wasserstein`.
    max_iter : int, default=1000
        Largest number of Sinkhorn iterations for each of the three plans.
    tol : float, default=1e-9
        Error of the marginals at which the iterations stop.
    seed : int, default=0
        Seed of the random draws of rows.

    Returns
    -------
    float
        The divergence, in squared units of the rows; at least 0. It is a difference of costs of the
        order of `reg`, so its absolute rounding error is of the order of 1e-15 times `reg`: give a
        smaller `reg` if a few very distant rows make the "auto" value large.

    Raises
    ------
    DataError
        If a sample or its weights are invalid, if `reg` is not positive, or if the squared
        distances are too large for float64, alone or as multiples of `reg`.

    Warns
    -----
    DistillkitWarning
        If the samples differ by less than the rounding error, as do samples with a few very distant
        rows, which make the "auto" value large.

    References
    ----------
    Feydy, Séjourné, Vialard, Amari, Trouvé, Peyré: Interpolating between optimal transport and MMD
    using Sinkhorn divergences. AISTATS 2019.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0, 0.0], [1.0, 0.0]])
    >>> round(sinkhorn_divergence(X, X + [3.0, 4.0], reg=1.0), 6)
    25.0
    """
    X, Y, a, b = check_pair(X, Y, x_weight, y_weight)
    (X, a), (Y, b) = subsample(X, a, max_rows, seed), subsample(Y, b, max_rows, seed)
    # POT takes the logarithms of the weights: leave out rows of zero weight.
    X, a, Y, b = X[a > 0], a[a > 0], Y[b > 0], b[b > 0]
    (X, Y), exponent = scaled(X, Y)
    costs_between = pairwise_squares(X, Y)
    reg = _check_reg(reg, costs_between, exponent)
    parts = ((costs_between, a, b, 1.0), (pairwise_squares(X, X), a, a, -0.5), (pairwise_squares(Y, Y), b, b, -0.5))
    total = 0.0
    for costs, first, second, sign in parts:
        plan = entropic_plan(first, second, costs, reg, max_iter=max_iter, tol=tol)
        total += sign * entropic_value(plan, first, second, costs, reg)
    # Rounding, or iterations that stopped before convergence, can leave a value slightly below 0.
    remedy = "give a smaller reg, of the order of the squared differences between the samples"
    value = value_above_rounding(max(0.0, total), _ROUNDING * reg, X, a, Y, b, remedy)
    return unscaled(value, 2 * exponent)


def entropic_plan(
    a: np.ndarray, b: np.ndarray, costs: np.ndarray, reg: float, *, max_iter: int = 1000, tol: float = 1e-9
) -> np.ndarray:
    """Compute the transport plan (n, m) of the least entropically regularized cost.

    The plan minimizes its transport cost plus `reg` times its Kullback-Leibler divergence from the
    product of the marginals `a` (n,) and `b` (m,).
    """
    plan = import_pot().sinkhorn(a, b, costs, reg, method="sinkhorn_log", numItermax=max_iter, stopThr=tol, warn=False)
    return np.asarray(plan)


def entropic_value(plan: np.ndarray, a: np.ndarray, b: np.ndarray, costs: np.ndarray, reg: float) -> float:
    """Regularized cost of a plan, whose derivative with respect to the costs is the plan itself.

    It is the transport cost plus `reg` times the Kullback-Leibler divergence of the plan from the
    product of its marginals.
    """
    return float((plan * costs).sum() + reg * rel_entr(plan, np.outer(a, b)).sum())


def _check_reg(reg: float | str, costs: np.ndarray, exponent: int) -> float:
    """Resolve "auto", check the regularization, and divide it by 4**exponent, as the costs are."""
    if reg == "auto":
        return float(costs.mean()) / 20 or 1.0
    if isinstance(reg, str) or not reg > 0 or not np.isfinite(reg):
        raise DataError(f"reg={reg!r} must be a positive number or 'auto'.")
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        scaled_reg = float(np.ldexp(float(reg), -2 * exponent))
        if not scaled_reg > 0 or not np.isfinite(scaled_reg) or np.isinf(costs.max() / scaled_reg):
            raise DataError(f"reg={reg!r} is out of proportion to the squared distances of the rows: give 'auto'.")
    return scaled_reg
