"""The difference between the associations of the columns of two tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.metrics._sides import sides_of
from distillkit.metrics.reference import shares_reference
from distillkit.metrics.tables._columns import TableColumns, table_columns

if TYPE_CHECKING:
    from distillkit.distilled import DistilledSet

__all__ = ["associations", "correlation_error"]

_ROUNDING = 1e-12  # variance, as a share of the mean square, below which a column is constant


@shares_reference
def correlation_error(X: Any, y: Any, distilled: DistilledSet, random_state: int = 0) -> float:  # noqa: ARG001 (part of the call of a metric)
    """Return the mean absolute difference between the associations of all pairs of columns.

    The association of two columns of numbers is Pearson's correlation, that of a column of numbers
    and one of levels the correlation ratio, and that of two columns of levels Cramér's V, without a
    correction of their bias for small tables. Numbers and levels are told apart as by
    `marginal_tv`; class labels, or a continuous target, are one more column, so that wrong labels
    are seen. Distilled rows count by their weights. Columns that are constant in the training rows
    are left out, and have no association with others where they are constant in the distilled rows
    alone.

    Parameters
    ----------
    X, y, distilled, random_state
        As for `marginal_tv`.

    Returns
    -------
    float
        In [0, 2], and in [0, 1] without two columns of numbers.

    Raises
    ------
    DataError
        If the rows are no table, cannot be compared, or have fewer than two columns that vary.
    """
    sides = sides_of(X, y, distilled)
    whole, small = table_columns(sides, distilled.table, "correlation-error")
    reference = sides.reference
    first = reference.cached(
        ("associations", whole.numbers.shape[1], whole.levels.shape[1]),
        lambda: associations(whole.take(reference.kept), np.ones(len(reference))),
    )
    varying = ~np.isnan(np.diag(first))
    if varying.sum() < 2:
        raise DataError("correlation-error needs at least two columns that vary between the training rows.")
    second = np.nan_to_num(associations(small, sides.weight))
    upper = np.triu(np.outer(varying, varying), 1)
    return float(np.abs(first - second)[upper].mean())


def associations(columns: TableColumns, weight: np.ndarray) -> np.ndarray:
    """Return the association of each pair of columns, numbers first and levels after them.

    Parameters
    ----------
    columns : TableColumns
    weight : ndarray of shape (n,)

    Returns
    -------
    ndarray of shape (a + b, a + b)
        The diagonal is 1, or NaN for constant columns, whose associations are NaN as well.
    """
    weight = weight / weight.sum()
    numbers, constant = _standardized(columns.numbers, weight)
    one_hot, starts = _one_hot(columns.levels)
    n_numbers, n_levels = numbers.shape[1], columns.levels.shape[1]
    result = np.empty((n_numbers + n_levels, n_numbers + n_levels))
    result[:n_numbers, :n_numbers] = numbers.T @ (weight[:, None] * numbers)
    # 1. The correlation ratio: the variance of standardized numbers between the levels.
    shares = weight @ one_hot
    sums = one_hot.T @ (weight[:, None] * numbers)
    between = np.square(sums) / np.where(shares > 0, shares, 1.0)[:, None]
    ratios = np.sqrt(np.add.reduceat(between, starts, axis=0)) if n_levels else np.empty((0, n_numbers))
    result[n_numbers:, :n_numbers], result[:n_numbers, n_numbers:] = ratios, ratios.T
    # 2. Cramér's V: chi squared over its largest value.
    result[n_numbers:, n_numbers:] = _cramers_v(one_hot, weight, shares, starts)
    result[:n_numbers][constant] = result[:, :n_numbers][:, constant] = np.nan
    result[np.diag_indices(len(result))] = np.where(np.isnan(np.diag(result)), np.nan, 1.0)
    return np.clip(result, -1.0, 1.0)


def _standardized(numbers: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers of weighted mean 0 and variance 1, and which columns are constant."""
    largest = np.abs(numbers).max(axis=0, initial=0.0)
    scaled = numbers / np.where(largest > 0, largest, 1.0)
    centered = scaled - weight @ scaled
    deviation = np.sqrt(weight @ np.square(centered))
    constant = deviation**2 <= _ROUNDING * (weight @ np.square(scaled))
    return np.where(constant, 0.0, centered / np.where(constant, 1.0, deviation)), constant


def _one_hot(levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the one-hot columns of all levels, and where those of each column start."""
    sizes = levels.max(axis=0) + 1 if levels.shape[1] else np.empty(0, dtype=int)
    starts = np.append(0, np.cumsum(sizes)[:-1]).astype(int) if len(sizes) else np.empty(0, dtype=int)
    one_hot = np.zeros((len(levels), int(sizes.sum())))
    for start, column in zip(starts, levels.T, strict=True):
        one_hot[np.arange(len(levels)), start + column] = 1.0
    return one_hot, starts


def _cramers_v(one_hot: np.ndarray, weight: np.ndarray, shares: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return Cramér's V of each pair of columns of levels; NaN for columns of one level."""
    if not len(starts):
        return np.empty((0, 0))
    joint = one_hot.T @ (weight[:, None] * one_hot)
    expected = np.outer(shares, shares)
    terms = np.square(joint - expected) / np.where(expected > 0, expected, 1.0)
    chi = np.add.reduceat(np.add.reduceat(terms, starts, axis=0), starts, axis=1)
    used = np.add.reduceat((shares > 0).astype(float), starts)
    largest = np.minimum.outer(used, used) - 1
    return np.where(largest > 0, np.sqrt(chi / np.where(largest > 0, largest, 1.0)), np.nan)
