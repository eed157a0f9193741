"""The EL2N coreset, which ranks rows by the length of their error early in training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import HasMethods

from distillkit.coresets.scores._dynamics import DynamicsCoreset
from distillkit.coresets.scores._ensemble import ProxyTrainingData
from distillkit.coresets.shared._proxy import last_layer

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows

__all__ = ["EL2NCoreset"]


class EL2NCoreset(DynamicsCoreset):
    """Rank the rows of each class by the length of their error vector early in training (EL2N).

    The score of row i is the Euclidean length ``|p(x_i) - onehot(y_i)|`` of the difference between
    predicted probabilities and label, averaged over `members` models. For a continuous target it is
    the absolute residual ``|f(x_i) - y_i|`` in standard deviations of y, and rows are ranked within
    ten quantile bins.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    proxy : estimator or None, default=None
        None trains `members` small networks side by side. Otherwise it is a classifier with
        `predict_proba`, or a regressor, which is fitted `members` times with different seeds (once
        if it has no open `random_state`), such as the networks of `distillkit.nn`. It is fitted on
        X in its original units, with classes as integer codes.
    keep : {"easy", "hard"}, default="easy"
        End of the ranking that is kept. "hard" (long errors) is the rule of the paper and suits
        budgets that keep most rows. With small budgets, the hardest rows of a class are outliers,
        and a random subset is better.
    among : float or None, default=None
        Fraction of each class or quantile bin, at the end given by `keep`, from which rows are
        drawn at random. With None, or if the fraction holds fewer rows than the budget, the rows at
        the very end are kept; the hardest rows of all are often outliers or have wrong labels.
    members : int, default=5
        Number of models to average over.
    hidden : int, default=32
        Number of units of the one hidden layer of the networks.
    max_iter : int, default=5
        Number of epochs of training.
    batch_size : int, default=64
        Number of rows per step.
    lr : float, default=0.01
        Learning rate of Adam.
    max_seconds : float or None, default=None
        Wall-clock budget, checked after each epoch, or after each model of a `proxy`; at least one
        is completed.
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
        Number of epochs; with a `proxy`, number of models fitted.
    history_ : list of dict
        One entry per epoch (epoch, error, seconds) or per model (member, seconds).

    See Also
    --------
    GraNdCoreset : Ranking by the length of the whole gradient.

    Notes
    -----
    Time is O(n d members hidden) per epoch. Memory is a float32 copy of X. All rows of a class have
    the same weight.

    References
    ----------
    Paul, Ganguli and Dziugaite, "Deep learning on a data diet", arXiv:2107.07075.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.array([[0.0], [0.1], [0.9], [2.0], [2.1], [1.1]]), np.array(list("aaabbb"))
    >>> easy = EL2NCoreset(budget=1, max_iter=50, random_state=0).fit(X, y)
    >>> sorted(easy.X_distilled_.ravel().tolist())
    [0.0, 2.1]
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **DynamicsCoreset._parameter_constraints,
        "proxy": [HasMethods(["fit"]), None],
    }

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        proxy: Any = None,
        keep: str = "easy",
        among: float | None = None,
        members: int = 5,
        hidden: int = 32,
        max_iter: int = 5,
        batch_size: int = 64,
        lr: float = 0.01,
        max_seconds: float | None = None,
        task: str = "auto",
        verbose: bool = False,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            budget,
            keep=keep,
            among=among,
            members=members,
            hidden=hidden,
            max_iter=max_iter,
            batch_size=batch_size,
            lr=lr,
            max_seconds=max_seconds,
            verbose=verbose,
            task=task,
            random_state=random_state,
        )
        self.proxy = proxy

    def _scores(self, rows: TrainingRows, run: Run) -> np.ndarray:
        if self.proxy is not None:
            return self._scores_of_proxy(rows, run)
        training_data = ProxyTrainingData.of(rows)
        norms = self._train(training_data, run).error_norms(training_data.X, training_data.targets)
        return np.asarray(norms.mean(axis=0, dtype=np.float64))

    def _scores_of_proxy(self, rows: TrainingRows, run: Run) -> np.ndarray:
        """Return the mean error length over several fits of the proxy."""
        total = np.zeros(len(rows.X))
        members = self.members if _is_random(self.proxy) else 1
        for member in range(1, members + 1):
            total += np.linalg.norm(last_layer(self.proxy, rows, run).residual, axis=1)
            run.n_iter = member
            run.progress.update(member, members)
            run.record(member=member)
            if run.out_of_time():
                break
        return total / run.n_iter


def _is_random(proxy: Any) -> bool:
    """Whether any `random_state` of the proxy is None, so that seeds change the result."""
    return any(
        name.rpartition("__")[2] == "random_state" and value is None for name, value in proxy.get_params().items()
    )
