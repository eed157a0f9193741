"""The statistics of the leaderboard: small functions with closed forms, so that each can be checked by hand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["holm", "mean_ranks", "nemenyi_cd", "paired_test", "t_interval"]

MIN_PAIRS = 3
"""Pairs below which no test is made: with two, even a large and steady gain is rarely told from chance."""


def t_interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float] | None:
    """Return the two-sided Student interval of the mean of a few independent values.

    Parameters
    ----------
    values : sequence of float
        One value per repetition.
    level : float, default=0.95
        Confidence level in (0, 1).

    Returns
    -------
    (low, high) or None
        ``mean -+ t(1 - (1 - level) / 2; n - 1) * s / sqrt(n)``; None for fewer than two values, for which there is
        no interval, not one of width zero.

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
    half = float(special.stdtrit(len(data) - 1, (1 + level) / 2)) * float(data.std(ddof=1)) / math.sqrt(len(data))
    return float(data.mean()) - half, float(data.mean()) + half


def paired_test(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Return the two-sided p-value of the paired t-test that two series have the same mean.

    Parameters
    ----------
    a, b : sequence of float
        Equally long; ``a[i]`` and ``b[i]`` belong together (the same seed).

    Returns
    -------
    float or None
        None for fewer than three pairs. Where all differences are equal the t statistic has no finite value; the
        p-value is then 1 for no difference at all, and otherwise that of the exact sign-flip test, ``2 ** (1 - n)``:
        three equal gains are no proof, and coarse metrics on small test sets do give them.

    Raises
    ------
    ValueError
        If the lengths differ.
    """
    if len(a) != len(b):
        raise ValueError(f"{len(a)} and {len(b)} values are not pairs: give equally many of both.")
    differences = np.asarray(a, dtype=float) - np.asarray(b, dtype=float)
    n = len(differences)
    if n < MIN_PAIRS:
        return None
    scale = max(float(np.abs(a).max()), float(np.abs(b).max()), 1e-300)
    if float(np.ptp(differences)) <= 1e-12 * scale:  # equal up to rounding
        return 1.0 if float(np.abs(differences).max()) <= 1e-12 * scale else 2.0 ** (1 - n)
    t = float(differences.mean()) / (float(differences.std(ddof=1)) / math.sqrt(n))
    return float(2 * special.stdtr(n - 1, -abs(t)))


def holm(pvalues: Sequence[float]) -> list[float]:
    """Correct p-values of one family of tests by Holm's step-down method.

    Parameters
    ----------
    pvalues : sequence of float
        In any order.

    Returns
    -------
    list of float
        In the same order: the running maximum of ``(m - i) * p_(i)`` over the sorted values, at most 1.

    References
    ----------
    S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6, 1979.

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
        Methods compared, at least 2.
    n : int
        Datasets, at least 1.
    level : float, default=0.95

    Returns
    -------
    float
        ``q * sqrt(k (k + 1) / (6 n))``, where q is the quantile of the studentized range of k values with infinitely
        many degrees of freedom, over sqrt(2). Two methods whose average ranks differ by less are not told apart.

    Raises
    ------
    ValueError
        If `k` or `n` is too small.

    References
    ----------
    J. Demšar, Statistical comparisons of classifiers over multiple data sets, JMLR 7, 2006, Table 5.
    """
    if k < 2 or n < 1:
        raise ValueError(f"k={k} methods on n={n} datasets cannot be compared: give at least 2 on 1.")
    from scipy.stats import studentized_range  # a second to import; only large suites get here

    q = float(studentized_range.ppf(level, k, math.inf)) / math.sqrt(2)
    return q * math.sqrt(k * (k + 1) / (6 * n))


def mean_ranks(scores: np.ndarray) -> np.ndarray:
    """Return the ranks within each line, best first, ties sharing the mean of their places.

    Parameters
    ----------
    scores : ndarray of shape (n, k)
        Higher is better.

    Returns
    -------
    ndarray of shape (n, k)
        1 is best; each line sums to ``k (k + 1) / 2``.
    """
    scores = np.asarray(scores, dtype=float)
    better = (scores[:, None, :] > scores[:, :, None]).sum(axis=2)
    equal = (scores[:, None, :] == scores[:, :, None]).sum(axis=2)
    return np.asarray(better + (equal + 1) / 2)
