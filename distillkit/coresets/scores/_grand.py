"""GraNd: rows by the length of their gradient early in training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from distillkit.coresets.scores._dynamics import DynamicsCoreset
from distillkit.coresets.scores._ensemble import ProxyTrainingData

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows

__all__ = ["GraNdCoreset"]


class GraNdCoreset(DynamicsCoreset):
    """Rows of each class ranked by the expected length of their gradient early in training (GraNd).

    The score of row i is the mean over `members` small networks, each trained for `max_iter` epochs from weights of
    its own, of ``|grad_w loss(w; x_i, y_i)|`` over ALL weights, exact and in closed form. A continuous target has half
    the squared error as loss, and is ranked within ten quantile bins.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    keep : {"easy", "hard"}, default="easy"
        The end of the ranking that is kept. "hard" (long gradients) is the paper's rule and serves where most rows are
        kept; where few are kept, the hardest rows of a class are outliers, and worse than random ones.
    among : float or None, default=None
        Share of each class or quantile bin, at the end that `keep` names, from which rows are drawn by lot. Where it holds fewer rows than the
        budget, and with None, the end itself is kept: the hardest rows of all are often outliers or have wrong labels.
    members : int, default=5
        Networks to average over.
    hidden : int, default=32
        Units of their one hidden layer.
    max_iter : int, default=5
        Epochs of each.
    batch_size : int, default=64
    lr : float, default=0.01
        Rate of Adam.
    max_seconds : float or None, default=None
        Wall-clock budget, checked after each epoch; at least one is done.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    random_state : int, RandomState instance or None, default=None

    Attributes
    ----------
    scores_ : ndarray of shape (n,)
        Score of every row seen; larger is harder. Picked rows are in ranking order, one of each class in turn.
    n_iter_ : int
        Epochs done.
    history_ : list of dict
        One per epoch: epoch, error (root mean square of ``outputs - targets``), seconds.

    See Also
    --------
    EL2NCoreset : The length of the error alone; nearly the same order at a lower price.

    Notes
    -----
    Time O(n d members hidden) per epoch; memory a float32 copy of X. Weights are equal within each class: a score says
    nothing of how many rows another one stands for.
    Paul, Ganguli and Dziugaite, "Deep learning on a data diet", arXiv:2107.07075. At initialisation alone the score
    does not hold what the paper says (Kirsch, arXiv:2303.14753), hence the epochs.

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
