"""The control that every method has to beat: a stratified random subset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from distillkit.base import BaseDistiller, Outcome

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows

__all__ = ["RandomSubset"]


class RandomSubset(BaseDistiller):
    """Random rows without replacement: within each class, or within quantile bins of a continuous target.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    random_state : int, RandomState instance or None, default=None

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.arange(12.0).reshape(6, 2), np.array(list("aaabbb"))
    >>> subset = RandomSubset(budget=1, random_state=0).fit(X, y)
    >>> subset.y_distilled_.tolist(), subset.sample_weight_.tolist()
    (['a', 'b'], [3.0, 3.0])
    """

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        picks, weights = [], []
        for group in rows.groups:
            for stratum, size in _strata(rows.y if rows.task == "regression" else None, group.rows, group.size):
                picks.append(run.rng.choice(stratum, size=size, replace=False))
                weights.append(np.full(size, len(stratum) / size))
        return Outcome(indices=np.concatenate(picks), weight=np.concatenate(weights))


def _strata(y: np.ndarray | None, rows: np.ndarray, size: int) -> list[tuple[np.ndarray, int]]:
    """Divide rows by quantiles of y into as many equal bins as rows are wanted, one row from each."""
    if y is None:
        return [(rows, size)]
    order = rows[np.argsort(y[rows], kind="stable")]
    return [(part, 1) for part in np.array_split(order, size)]
