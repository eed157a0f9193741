"""Win rates and recovery over datasets, with intervals from a bootstrap over datasets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from distillkit.bench.leaderboard._compare import ComparedEntries

__all__ = ["Spread", "bootstrap_over", "recoveries", "win_rates"]

_DRAWS = 2000


@dataclass(frozen=True)
class Spread:
    """A mean over datasets with its 95 % interval, which is missing for too few datasets."""

    value: float | None
    low: float | None = None
    high: float | None = None


def win_rates(scores: Sequence[np.ndarray]) -> np.ndarray:
    """Return how often each method is better than each other one.

    Parameters
    ----------
    scores : sequence of ndarray of shape (comparisons, methods)
        Scores of the methods, where greater is better, one array per dataset.

    Returns
    -------
    ndarray of shape (datasets, methods, methods)
        For each dataset the share of its comparisons in which the method of the row is better than
        that of the column; ties count one half.
    """
    shares = []
    for table in scores:
        differences = table[:, :, None] - table[:, None, :]
        shares.append((np.sign(differences).mean(axis=0) + 1) / 2)
    return np.array(shares)


def recoveries(
    comparisons: Sequence[ComparedEntries], whole: Callable[[ComparedEntries], float | None], methods: Sequence[str]
) -> np.ndarray:
    """Return the share of the gap between control and whole set that each method closes.

    Parameters
    ----------
    comparisons : sequence of ComparedEntries
    whole : callable
        Returns the mean of the whole set for a comparison, or None.
    methods : sequence of str

    Returns
    -------
    ndarray of shape (datasets, methods)
        ``(method - random) / (whole - random)``, averaged over the comparisons of each dataset; 0
        is as good as the control and 1 as the whole set. Comparisons in which the whole set is not
        better than the control are left out, and NaN stands for datasets without any other.
    """
    by_dataset: dict[str, list[list[float]]] = {}
    for comparison in comparisons:
        group = by_dataset.setdefault(comparison.entries[0].cell["dataset"], [])
        control = None if comparison.control is None else comparison.control.mean()
        top = whole(comparison)
        if control is None or top is None or comparison.sign * (top - control) <= 0:
            continue
        means = {entry.cell["method"]: entry.mean() for entry in comparison.entries}
        values = [means.get(method) for method in methods]
        group.append([np.nan if value is None else (value - control) / (top - control) for value in values])
    empty = [np.nan] * len(methods)
    return np.array([np.mean(group, axis=0) if group else empty for group in by_dataset.values()])


def bootstrap_over(values: np.ndarray, min_datasets: int) -> list[Spread]:
    """Return the mean over datasets of each column, with the 95 % percentile interval.

    Parameters
    ----------
    values : ndarray of shape (datasets, columns)
        One value per dataset; rows with NaN are left out.
    min_datasets : int
        Fewest datasets for an interval.

    Returns
    -------
    list of Spread
        One per column.
    """
    values = values[~np.isnan(values).any(axis=1)]
    n = len(values)
    if n == 0:
        return [Spread(None)] * values.shape[1]
    means = values.mean(axis=0)
    if n < min_datasets:
        return [Spread(float(mean)) for mean in means]
    rows = np.random.default_rng(n).integers(0, n, (_DRAWS, n))
    low, high = np.quantile(values[rows].mean(axis=1), [0.025, 0.975], axis=0)
    return [Spread(*map(float, ends)) for ends in zip(means, low, high, strict=True)]
