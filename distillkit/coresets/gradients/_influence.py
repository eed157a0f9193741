"""Influence: rows picked one by one for what a ridge model fitted on them would then know of all rows."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from distillkit.base import BaseDistiller, Outcome, iterative_constraints
from distillkit.coresets.gradients._ridge import RidgeState, left_out
from distillkit.coresets.shared._features import standardized_rows, standardized_target
from distillkit.coresets.shared._proxy import one_hot
from distillkit.coresets.shared._ranking import interleave, stratified

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows

__all__ = ["InfluenceCoreset"]


class InfluenceCoreset(BaseDistiller):
    r"""Rows picked one by one by their influence on a ridge model of the rows picked so far.

    The proxy is the ridge regression of the labels (one column of zeros and ones per class) or of the continuous
    target on the standardized rows and a one. Its fit to S, theta_S, its inverse Hessian
    ``P = (alpha I + X_S' X_S)^-1`` and with them the effect of one more row j, which would move theta by

    .. math:: \Delta_j = \frac{P x_j e_j'}{1 + x_j' P x_j}, \quad e_j = y_j - \theta_S' x_j,

    are known in closed form, exactly. The next row is the one with the largest `criterion`; then its effect is taken out:
    theta, P and the errors of all rows are those of a model that has it. The classes (of a continuous target, up to
    ten quantile bins) take turns, each with the best row of its own.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    criterion : {"loss", "sensitivity", "gradient"}, default="loss"
        "loss": by how much the squared error of ALL rows falls when row j joins. "sensitivity": by how much it moves
        all predictions, ``|X Delta_j|``. "gradient": the length of its gradient, ``|x_j| |e_j|``. The last two look for
        rows that are unlike those picked, outliers before all.
    alpha : float, default=0.3
        Penalty of the ridge model, in units of the mean squared length of the rows ``[x, 1]``.
    max_seconds : float or None, default=None
        Wall-clock budget, checked before each pick. When it is over, each class is filled by its last scores.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    random_state : int, RandomState instance or None, default=None
        Nothing here is random; it is there for tools that set it.

    Attributes
    ----------
    scores_ : ndarray of shape (n,)
        Of every row seen, what leaving it out of ALL rows would do to the same ridge model: the rise of the sum of the
        squared errors of all rows (labels 0 or 1; continuous targets in standard deviations), exactly as if it
        were fitted again.
    losses_ : ndarray of shape (m,)
        Mean squared error over all rows of the ridge model of the first i + 1 distilled rows: where it falls no more, a
        larger budget buys nothing.
    history_ : list of dict
        One per round of the classes: size, loss, seconds.

    Notes
    -----
    Picked rows are in ranking order: with c classes and ``budget=k`` the first ``c j`` rows are those of ``budget=j``.
    Weights are equal within each class. Time O(n d^2) once, then O(n d) per pick, as matrix products over a round;
    memory a copy of X and ``32 d^2`` bytes, where d is at most n.
    Influence functions: Koh and Liang, arXiv:1703.04730, here with the Hessian of the picked rows and without their
    first-order error, by the formula of Sherman and Morrison; the greedy choice by the loss of all rows is that of
    GLISTER (Killamsetty et al., arXiv:2012.10630).

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.array([[0.0], [1.0], [2.0], [7.0], [8.0], [9.0]]), np.array(list("aaabbb"))
    >>> coreset = InfluenceCoreset(budget=1).fit(X, y)
    >>> coreset.y_distilled_.tolist(), bool(coreset.losses_[1] < coreset.losses_[0])
    (['a', 'b'], True)
    """

    _needs_y: ClassVar[bool] = True
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseDistiller._parameter_constraints,
        **iterative_constraints(),
        "criterion": [StrOptions({"loss", "sensitivity", "gradient"})],
        "alpha": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        criterion: str = "loss",
        alpha: float = 0.3,
        max_seconds: float | None = None,
        task: str = "auto",
        random_state: Any = None,
    ) -> None:
        super().__init__(budget, task=task, random_state=random_state)
        self.criterion = criterion
        self.alpha = alpha
        self.max_seconds = max_seconds

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        X, Y = _design(rows)
        alpha = self.alpha * float(np.einsum("ij,ij->i", X, X).mean(dtype=np.float64))
        rows = stratified(rows)
        state = RidgeState(X, Y, alpha, [group.rows for group in rows.groups])
        self.scores_ = left_out(X, Y, state.hessian, alpha)
        sizes = [group.size for group in rows.groups]
        order = interleave(sizes)
        turns = np.repeat(np.arange(len(sizes)), sizes)[order]
        picks: list[int] = []
        losses: list[float] = []
        for place, turn in enumerate(turns):
            if place and run.out_of_time():
                picks += state.fill(turns[place:], self.criterion)
                losses += [losses[-1]] * (len(turns) - place)
                break
            picks.append(state.pick(int(turn), self.criterion))
            losses.append(state.loss / len(X))
            if place % len(sizes) == len(sizes) - 1 or place == len(turns) - 1:
                run.record(size=place + 1, loss=losses[-1])
        self.losses_ = np.array(losses)
        weight = np.array([len(rows.groups[turn].rows) / sizes[turn] for turn in turns])
        return Outcome(indices=np.array(picks), weight=weight)


def _design(rows: TrainingRows) -> tuple[np.ndarray, np.ndarray]:
    """Return standardized rows with a one (n, d + 1), rotated to n columns where d is larger, and targets (n, c)."""
    assert rows.y is not None
    X = standardized_rows(rows)
    X = np.column_stack([X, np.ones(len(X), dtype=X.dtype)])
    if X.shape[1] > len(X):  # ridge regression does not see rotations, and the rows span no more than n directions
        left, values, _ = np.linalg.svd(X, full_matrices=False)
        X = np.ascontiguousarray(left * values)
    Y = standardized_target(rows.y)[:, None] if rows.task == "regression" else one_hot(rows)
    return X, Y
