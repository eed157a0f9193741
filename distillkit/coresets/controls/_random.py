"""The control method that draws a stratified random subset of the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from distillkit.base import BaseDistiller, Outcome, WeightedDistiller

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows

__all__ = ["RandomSubset", "var_opt"]


class RandomSubset(WeightedDistiller):
    """Draw rows at random without replacement, separately in each class.

    A continuous target is divided into quantile bins, and one row is drawn from each bin. All rows
    of one class (or bin) have the same weight, so that the weights sum to the number of training
    rows.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    certify : bool, default=False
        Whether to measure `error_` after the fit; see `distillkit.coresets.certify`.
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
    _reads_rows: ClassVar[bool] = False
    _accepts_sparse: ClassVar[bool] = True

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
                    positions, weight = var_opt(rows.weight[stratum], size, run.rng)
                    picks.append(stratum[positions])
                    weights.append(weight)
        return Outcome(indices=np.concatenate(picks), weight=np.concatenate(weights), offset=0.0)


def _strata(y: np.ndarray | None, rows: np.ndarray, size: int) -> list[tuple[np.ndarray, int]]:
    """Divide the rows by quantiles of y into `size` equal strata that give one row each."""
    if y is None:
        return [(rows, size)]
    order = rows[np.argsort(y[rows], kind="stable")]
    return [(part, 1) for part in np.array_split(order, size)]


def var_opt(weight: np.ndarray, size: int, rng: np.random.RandomState) -> tuple[np.ndarray, np.ndarray]:
    """Sample exactly `size` of n weighted rows with unbiased weights (VarOpt).

    Rows are drawn without replacement. Row i is drawn with probability ``p_i = min(1, w_i / t)``,
    where the threshold t makes the probabilities sum to `size`, and gets the weight
    ``w_i / p_i = max(w_i, t)``. The probabilities are laid end to end in random order, and a grid
    of unit steps with a random start selects the rows on which its points fall (systematic
    sampling).

    Parameters
    ----------
    weight : ndarray of shape (n,)
        Weights of the rows, all positive.
    size : int
        Number of rows to draw, 1 <= size <= n.
    rng : RandomState

    Returns
    -------
    picked : ndarray of shape (size,)
        Positions of the drawn rows, ascending.
    weight : ndarray of shape (size,)
        Their new weights; the sum of all weights is preserved.

    References
    ----------
    Cohen, Duffield, Kaplan, Lund and Thorup, "Efficient stream sampling for variance-optimal
    estimation of subset sums", SIAM Journal on Computing 40, 2011. Among all unbiased samples of
    this size, VarOpt samples have the smallest total variance.
    """
    # 1. Find the threshold. The j heaviest rows are drawn with certainty, where j is the smallest
    #    number for which all the other rows are lighter than the threshold that they would share.
    heavy = np.sort(weight)[::-1]
    rest = np.cumsum(heavy[::-1])[::-1]  # rest[j] is the weight of all rows but the j heaviest
    certain = int(np.argmax(heavy[:size] * (size - np.arange(size)) <= rest[:size] * (1 + 1e-12)))
    threshold = rest[certain] / (size - certain)
    # 2. Draw by systematic sampling over the probabilities in random order.
    order = rng.permutation(len(weight))
    ends = np.cumsum(np.minimum(1, weight[order] / threshold))
    ends *= size / ends[-1]
    points = rng.uniform() + np.arange(size)
    picked = np.sort(order[np.minimum(np.searchsorted(ends, points, side="right"), len(order) - 1)])
    return picked, np.maximum(weight[picked], threshold)
