"""The control that every method has to beat: a stratified random subset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from distillkit.base import BaseDistiller, Outcome

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows

__all__ = ["RandomSubset", "var_opt"]


class RandomSubset(BaseDistiller):
    """Random rows without replacement: within each class, or within quantile bins of a continuous target.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    certify : bool, default=False
        Measure `error_` after the fit.
    random_state : int, RandomState instance or None, default=None

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.arange(12.0).reshape(6, 2), np.array(list("aaabbb"))
    >>> subset = RandomSubset(budget=1, random_state=0).fit(X, y)
    >>> subset.y_distilled_.tolist(), subset.sample_weight_.tolist()
    (['a', 'b'], [3.0, 3.0])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseDistiller._parameter_constraints,
        "certify": ["boolean"],
    }
    _weighs_rows: ClassVar[bool] = True

    def __init__(
        self, budget: Any = 0.1, *, task: str = "auto", certify: bool = False, random_state: Any = None
    ) -> None:
        super().__init__(budget, task=task, random_state=random_state)
        self.certify = certify

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        picks, weights = [], []
        for group in rows.groups:
            for stratum, size in _strata(rows.y if rows.task == "regression" else None, group.rows, group.size):
                if rows.weight is None:
                    picks.append(run.rng.choice(stratum, size=size, replace=False))
                    weights.append(np.full(size, len(stratum) / size))
                else:
                    picked, weight = var_opt(rows.weight[stratum], size, run.rng)
                    picks.append(stratum[picked])
                    weights.append(weight)
        return Outcome(indices=np.concatenate(picks), weight=np.concatenate(weights), offset=0.0)


def _strata(y: np.ndarray | None, rows: np.ndarray, size: int) -> list[tuple[np.ndarray, int]]:
    """Divide rows by quantiles of y into as many equal bins as rows are wanted, one row from each."""
    if y is None:
        return [(rows, size)]
    order = rows[np.argsort(y[rows], kind="stable")]
    return [(part, 1) for part in np.array_split(order, size)]


def var_opt(weight: np.ndarray, size: int, rng: np.random.RandomState) -> tuple[np.ndarray, np.ndarray]:
    """Sample exactly `size` of weighted rows, without replacement, with weights that are unbiased and keep the sum.

    Row i is taken with probability ``p_i = min(1, w_i / t)``, where t makes these sum to `size`, and then weighs
    ``w_i / p_i = max(w_i, t)``. The p are laid end to end in random order and every whole number after a random start
    takes the row it falls on. Of all such samples these have the smallest total variance: VarOpt, Cohen, Duffield, Kaplan,
    Lund and Thorup, SIAM Journal on Computing 40, 2011.

    Parameters
    ----------
    weight : ndarray of shape (n,)
        Positive.
    size : int
        1 <= size <= n.
    rng : RandomState

    Returns
    -------
    picked : ndarray of shape (size,)
        Positions, ascending.
    weight : ndarray of shape (size,)
    """
    heavy = np.sort(weight)[::-1]
    rest = np.cumsum(heavy[::-1])[::-1]  # rest[j]: all but the j heaviest
    # the heaviest j are certain, where j is the first for which those after them are all lighter than their threshold
    certain = int(np.argmax(heavy[:size] * (size - np.arange(size)) <= rest[:size] * (1 + 1e-12)))
    threshold = rest[certain] / (size - certain)
    order = rng.permutation(len(weight))
    places = np.cumsum(np.minimum(1, weight[order] / threshold))
    places *= size / places[-1]
    points = rng.uniform() + np.arange(size)
    picked = np.sort(order[np.minimum(np.searchsorted(places, points, side="right"), len(order) - 1)])
    return picked, np.maximum(weight[picked], threshold)
