"""The GraNd coreset, which ranks rows by the length of their gradient early in training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from distillkit.coresets.scores._dynamics import DynamicsCoreset
from distillkit.coresets.scores._ensemble import ProxyTrainingData

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows

__all__ = ["GraNdCoreset"]


class GraNdCoreset(DynamicsCoreset):
    """Rank the rows of each class by the mean length of their gradient early in training (GraNd).

    The score of row i is ``|grad_w loss(w; x_i, y_i)|`` over all weights w, computed exactly and
    averaged over `members` small networks, each trained for `max_iter` epochs from its own
    initialization. For a continuous target the loss is half the squared error, and rows are ranked
    within ten quantile bins.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    keep : {"easy", "hard"}, default="easy"
        End of the ranking that is kept. "hard" (long gradients) is the rule of the paper and suits
        budgets that keep most rows. With small budgets, the hardest rows of a class are outliers,
        and a random subset is better.
    among : float or None, default=None
        Fraction of each class or quantile bin, at the end given by `keep`, from which rows are
        drawn at random. With None, or if the fraction holds fewer rows than the budget, the rows at
        the very end are kept; the hardest rows of all are often outliers or have wrong labels.
    members : int, default=5
        Number of networks to average over.
    hidden : int, default=32
        Number of units of the one hidden layer of the networks.
    max_iter : int, default=5
        Number of epochs of training.
    batch_size : int, default=64
        Number of rows per step.
    lr : float, default=0.01
        Learning rate of Adam.
    max_seconds : float or None, default=None
        Wall-clock budget, checked after each epoch; at least one is completed.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    verbose : bool, default=False
        Whether to show the progress of `fit`; see `BaseDistiller`.
    random_state : int, RandomState instance or None, default=None

    Attributes
    ----------
    scores_ : ndarray of shape (n,)
        Score of every training row; larger is harder. Distilled rows are in ranking order, one of
        each class in turn.
    n_iter_ : int
        Number of epochs.
    history_ : list of dict
        One entry per epoch: epoch, error (root mean square of ``outputs - targets``), seconds.

    See Also
    --------
    EL2NCoreset : Ranking by the length of the error alone; nearly the same order at a lower cost.

    Notes
    -----
    Time is O(n d members hidden) per epoch. Memory is a float32 copy of X. All rows of a class have
    the same weight, because a score does not say how many rows another row represents.

    References
    ----------
    Paul, Ganguli and Dziugaite, "Deep learning on a data diet", arXiv:2107.07075. Scores at
    initialization do not reproduce the results of the paper (Kirsch, arXiv:2303.14753), so networks
    are trained for some epochs first.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.array([[0.0], [0.1], [0.9], [2.0], [2.1], [1.1]]), np.array(list("aaabbb"))
    >>> hard = GraNdCoreset(budget=1, keep="hard", max_iter=50, random_state=0).fit(X, y)
    >>> sorted(hard.X_distilled_.ravel().tolist())
    [0.9, 1.1]
    """

    def _scores(self, rows: TrainingRows, run: Run) -> np.ndarray:
        training_data = ProxyTrainingData.of(rows)
        norms = self._train(training_data, run).gradient_norms(training_data.X, training_data.targets)
        return np.asarray(norms.mean(axis=0, dtype=np.float64))
