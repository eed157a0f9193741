"""The statistics of the leaderboard: confidence intervals, significance tests and ranks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["holm", "mean_ranks", "nemenyi_cd", "student_p", "student_quantile", "t_interval"]


def t_interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float] | None:
    """Return the two-sided confidence interval of the mean by Student's t distribution.

    Parameters
    ----------
    values : sequence of float
        One value per independent repetition.
    level : float, default=0.95
        Confidence level in (0, 1).

    Returns
    -------
    (low, high) or None
        ``mean -+ t(1 - (1 - level) / 2; n - 1) * s / sqrt(n)``, where s is the standard deviation
        with n - 1 degrees of freedom. None for fewer than two values, which have no interval.

    Raises
    ------
    ValueError
        If `level` is not in (0, 1).

    Examples
    --------
    >>> [round(end, 3) for end in t_interval([1.0, 2.0, 3.0])]
    [-0.484, 4.484]
    """
    if not 0 < level < 1:
        raise ValueError(f"level={level!r} is not in (0, 1): give a confidence level such as 0.95.")
    data = np.asarray(values, dtype=float)
    if len(data) < 2:
        return None
    quantile = float(special.stdtrit(len(data) - 1, (1 + level) / 2))
    half_width = quantile * float(data.std(ddof=1)) / math.sqrt(len(data))
    return float(data.mean()) - half_width, float(data.mean()) + half_width


def student_p(t: float, dof: float) -> float:
    """Return the two-sided p-value of a t statistic with `dof` degrees of freedom.

    Examples
    --------
    >>> round(student_p(2.0, 10), 4)
    0.0734
    """
    return float(2 * special.stdtr(dof, -abs(t)))


def student_quantile(level: float, dof: float) -> float:
    """Return the quantile of Student's t that bounds a two-sided interval of the given level.

    Examples
    --------
    >>> round(student_quantile(0.95, 9), 3)
    2.262
    """
    return float(special.stdtrit(dof, (1 + level) / 2))


def holm(pvalues: Sequence[float]) -> list[float]:
    """Correct p-values of one family of tests by Holm's step-down method.

    Parameters
    ----------
    pvalues : sequence of float
        Uncorrected p-values in any order.

    Returns
    -------
    list of float
        Corrected p-values in the same order: the running maximum of ``(m - i) * p_(i)`` over the
        sorted values with ``i = 0, ..., m - 1``, at most 1.

    References
    ----------
    S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of
    Statistics 6, 1979.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    corrected = [0.0] * len(pvalues)
    highest = 0.0
    for done, index in enumerate(sorted(range(len(pvalues)), key=lambda i: pvalues[i])):
        highest = max(highest, min(1.0, (len(pvalues) - done) * float(pvalues[index])))
        corrected[index] = highest
    return corrected


def nemenyi_cd(k: int, n: int, level: float = 0.95) -> float:
    """Return Nemenyi's critical difference of average ranks.

    Parameters
    ----------
    k : int
        Number of methods, at least 2.
    n : int
        Number of datasets, at least 1.
    level : float, default=0.95
        Confidence level in (0, 1).

    Returns
    -------
    float
        ``q * sqrt(k (k + 1) / (6 n))``, where q is the quantile of the studentized range of k
        values with infinitely many degrees of freedom, divided by sqrt(2). Two methods whose
        average ranks differ by less than this do not differ significantly.

    Raises
    ------
    ValueError
        If `k` or `n` is too small.

    References
    ----------
    J. Demšar, Statistical comparisons of classifiers over multiple data sets, JMLR 7, 2006,
    Table 5.
    """
    if k < 2 or n < 1:
        raise ValueError(f"k={k} methods on n={n} datasets cannot be compared: give at least 2 on 1.")
    from scipy.stats import studentized_range  # This import is slow and rarely needed.

    q = float(studentized_range.ppf(level, k, math.inf)) / math.sqrt(2)
    return q * math.sqrt(k * (k + 1) / (6 * n))


def mean_ranks(scores: np.ndarray) -> np.ndarray:
    """Return the ranks within each row; tied values share the mean of their ranks.

    Parameters
    ----------
    scores : ndarray of shape (n, k)
        Scores, where greater is better.

    Returns
    -------
    ndarray of shape (n, k)
        Ranks, where 1 is best; each row sums to ``k (k + 1) / 2``.
    """
    scores = np.asarray(scores, dtype=float)
    better = (scores[:, None, :] > scores[:, :, None]).sum(axis=2)
    equal = (scores[:, None, :] == scores[:, :, None]).sum(axis=2)
    return np.asarray(better + (equal + 1) / 2)
