"""The influence coreset, which selects rows by their effect on a ridge model."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from distillkit.base import BaseDistiller, Outcome, WeightedDistiller, iterative_constraints
from distillkit.coresets.gradients._ridge import RidgeState, leave_one_out_increase
from distillkit.coresets.shared._features import standardized_rows, standardized_target
from distillkit.coresets.shared._proxy import one_hot
from distillkit.coresets.shared._ranking import interleave, stratified

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows

__all__ = ["InfluenceCoreset"]


class InfluenceCoreset(WeightedDistiller):
    r"""Select rows one by one by their influence on a ridge model of the rows selected so far.

    The proxy is a ridge regression of the one-hot labels, or of the continuous target, on the
    standardized rows with a constant feature. With theta_S its coefficients on the selected rows S
    and ``P = (alpha I + X_S' X_S)^-1`` its inverse Hessian, adding row j changes theta by

    .. math:: \Delta_j = \frac{P x_j e_j'}{1 + x_j' P x_j}, \quad e_j = y_j - \theta_S' x_j,

    exactly and in closed form. The next row is the one with the largest `criterion`; then theta, P
    and the errors of all rows are updated to those of the model with this row. The classes (for a
    continuous target up to ten quantile bins) take turns, and each contributes its own best row.
    Weights of the rows weight the squared errors over all rows, and the means of the
    standardization; a selected row counts once.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    criterion : {"loss", "sensitivity", "gradient"}, default="loss"
        "loss" is the decrease of the squared error over all training rows when row j is added.
        "sensitivity" is the change of all predictions, ``|X Delta_j|``. "gradient" is the length of
        the gradient of row j, ``|x_j| |e_j|``. The last two favor rows unlike the selected ones,
        which are often outliers.
    alpha : float, default=0.3
        Penalty of the ridge model, in units of the mean squared length of the rows ``[x, 1]``.
    max_seconds : float or None, default=None
        Wall-clock budget, checked before each selection. When the time is over, the remaining rows
        of each class are those with the largest scores of its last turn.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    verbose : bool, default=False
        Whether to show the progress of `fit`; see `BaseDistiller`.
    random_state : int, RandomState instance or None, default=None
        Not used, because the method is deterministic; accepted for tools that set it.

    Attributes
    ----------
    scores_ : ndarray of shape (n,)
        For every training row, the increase of the summed squared error over all rows when the row
        is left out of a ridge fit on all rows (one-hot labels; continuous targets in standard
        deviations). The values are exact, as if the model were fitted again.
    losses_ : ndarray of shape (m,)
        ``losses_[i]`` is the mean squared error over all training rows of the ridge model fitted on
        the first i + 1 distilled rows. Once it stops decreasing, a larger budget does not help this
        model.
    history_ : list of dict
        One entry per round of the classes: size, loss, seconds.

    Notes
    -----
    Rows are in ranking order: with c classes and ``budget=k`` the first ``c j`` rows are those of
    ``budget=j``. All rows of a class have the same weight. Time is O(n d^2) once, then O(n d) per
    selected row, as matrix products over a round. Memory is a copy of X and ``32 d^2`` bytes, where
    d is at most n.

    References
    ----------
    Influence functions: Koh and Liang, arXiv:1703.04730; here they use the Hessian of the selected
    rows and are exact by the Sherman-Morrison formula instead of first-order. Greedy selection by
    the loss of all rows: GLISTER (Killamsetty et al., arXiv:2012.10630).

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
    _row_attributes: ClassVar[dict[str, float]] = {"scores_": 0.0}

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        criterion: str = "loss",
        alpha: float = 0.3,
        max_seconds: float | None = None,
        task: str = "auto",
        verbose: bool = False,
        random_state: Any = None,
    ) -> None:
        super().__init__(budget, task=task, random_state=random_state)
        self.criterion = criterion
        self.alpha = alpha
        self.max_seconds = max_seconds
        self.verbose = verbose

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        # 1. Set up an empty ridge model, and score each row by its effect on the model of all rows.
        X, Y = _design(rows)
        lengths = np.einsum("ij,ij->i", X, X)
        alpha = self.alpha * float(
            lengths.mean(dtype=np.float64) if rows.weight is None else np.average(lengths, weights=rows.weight)
        )
        rows = stratified(rows)
        state = RidgeState(X, Y, alpha, [part.rows for part in rows.groups], rows.weight)
        self.scores_ = leave_one_out_increase(X, Y, state.hessian, alpha, rows.weight)
        # 2. Let the groups take turns; each selects its best row by the criterion.
        sizes = [part.size for part in rows.groups]
        order = interleave(sizes)
        turns = np.repeat(np.arange(len(sizes)), sizes)[order]
        total = len(X) if rows.weight is None else float(rows.weight.sum())
        picks: list[int] = []
        losses: list[float] = []
        for step, group in enumerate(turns):
            if step and run.out_of_time():
                picks += state.fill(turns[step:], self.criterion)
                losses += [losses[-1]] * (len(turns) - step)
                break
            picks.append(state.pick(int(group), self.criterion))
            losses.append(state.loss / total)
            run.progress.update(step + 1, len(turns), loss=losses[-1])
            if step % len(sizes) == len(sizes) - 1 or step == len(turns) - 1:
                run.record(size=step + 1, loss=losses[-1])
        self.losses_ = np.array(losses)
        weight = np.array([rows.mass_in(rows.groups[group]).sum() / sizes[group] for group in turns])
        return Outcome(indices=np.array(picks), weight=weight)


def _design(rows: TrainingRows) -> tuple[np.ndarray, np.ndarray]:
    """Return the standardized rows with a constant feature, (n, d + 1), and the targets, (n, c).

    If there are more columns than rows, the rows are rotated into n columns.
    """
    assert rows.y is not None
    X = standardized_rows(rows)
    X = np.column_stack([X, np.ones(len(X), dtype=X.dtype)])
    if X.shape[1] > len(X):  # a rotation does not change ridge regression
        left, values, _ = np.linalg.svd(X, full_matrices=False)
        X = np.ascontiguousarray(left * values)
    Y = standardized_target(rows.y, rows.weight)[:, None] if rows.task == "regression" else one_hot(rows)
    return X, Y
