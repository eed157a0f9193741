"""Uncertainty: rows by how sure a classifier is of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy.special import xlogy
from sklearn.utils._param_validation import HasMethods, StrOptions

from distillkit.coresets.scores._scored import ScoredCoreset
from distillkit.coresets.shared._proxy import class_probabilities
from distillkit.coresets.shared._ranking import refuse_regression

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows

__all__ = ["UncertaintyCoreset", "uncertainty"]


def uncertainty(probabilities: np.ndarray, strategy: str) -> np.ndarray:
    """Uncertainty of each row, the larger the less sure.

    Parameters
    ----------
    probabilities : ndarray of shape (n, n_classes)
        Not logits: their differences have no scale.
    strategy : {"margin", "entropy", "least-confidence"}
        ``1 - (p1 - p2)`` with the two largest probabilities; ``-sum p log p`` in nats; ``1 - p1``.

    Returns
    -------
    ndarray of shape (n,)
    """
    if strategy == "entropy":
        return np.asarray(-xlogy(probabilities, probabilities).sum(axis=1))
    if probabilities.shape[1] == 1:
        return np.zeros(len(probabilities))
    second, first = np.partition(probabilities, -2, axis=1)[:, -2:].T
    return np.asarray(1 - first if strategy == "least-confidence" else 1 - (first - second))


class UncertaintyCoreset(ScoredCoreset):
    """Rows of each class ranked by the uncertainty of a classifier that was fitted on all rows.

    The label of a row plays no part in its score, only in the class it is ranked in. Needs classes; for a continuous
    target use `EL2NCoreset`, which ranks by residuals.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    strategy : {"margin", "entropy", "least-confidence"}, default="margin"
        With the probabilities in falling order p1, p2, ...: ``1 - (p1 - p2)``; ``-sum p log p``; ``1 - p1``.
    proxy : classifier with `predict_proba` or None, default=None
        None takes a logistic regression of the standardized rows. A model of yours gets X as it came, and classes as
        whole numbers; the networks of `distillkit.nn` are such models.
    keep : {"easy", "hard"}, default="easy"
        The end of the ranking that is kept. "hard" (uncertain) is the rule of active learning and serves where most
        rows are kept; where few are kept, rows at the boundary alone do not say where a class lies.
    among : float or None, default=None
        Share of each class, at the end that `keep` names, from which rows are drawn by lot. Where it holds fewer rows than the
        budget, and with None, the end itself is kept: the hardest rows of all are often outliers or have wrong labels.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    random_state : int, RandomState instance or None, default=None
        Orders rows of equal uncertainty, and seeds the proxy where its own `random_state` is None.

    Attributes
    ----------
    scores_ : ndarray of shape (n,)
        Uncertainty of every row seen. Picked rows are in ranking order, one of each class in turn.

    Notes
    -----
    Time and memory are those of the proxy. Weights are equal within each class.
    Lewis and Gale, SIGIR 1994 (least confidence); Scheffer et al., IDA 2001 (margin); as a coreset: Coleman et al.,
    arXiv:1906.11829.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.array([[0.0], [0.1], [0.8], [2.0], [2.1], [1.2]]), np.array(list("aaabbb"))
    >>> unsure = UncertaintyCoreset(budget=1, keep="hard").fit(X, y)
    >>> sorted(unsure.X_distilled_.ravel().tolist())
    [0.8, 1.2]
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **ScoredCoreset._parameter_constraints,
        "strategy": [StrOptions({"margin", "entropy", "least-confidence"})],
        "proxy": [HasMethods(["fit"]), None],
    }

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        strategy: str = "margin",
        proxy: Any = None,
        keep: str = "easy",
        among: float | None = None,
        task: str = "auto",
        random_state: Any = None,
    ) -> None:
        super().__init__(budget, keep=keep, among=among, task=task, random_state=random_state)
        self.strategy = strategy
        self.proxy = proxy

    def _scores(self, rows: TrainingRows, run: Run) -> np.ndarray:
        refuse_regression(rows, "UncertaintyCoreset", "use EL2NCoreset, which ranks by residuals")
        return uncertainty(class_probabilities(self.proxy, rows, run), self.strategy)
