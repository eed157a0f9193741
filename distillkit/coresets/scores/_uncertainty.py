"""The uncertainty coreset, which ranks rows by the uncertainty of a classifier about them."""

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
    """Return the uncertainty of each row; larger means less certain.

    Parameters
    ----------
    probabilities : ndarray of shape (n, n_classes)
        Class probabilities. Logits are not suitable, because their differences have no scale.
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
    """Rank the rows of each class by the uncertainty of a classifier that was fitted on all rows.

    The label of a row affects only the class in which it is ranked, not its score. The method needs
    classes. For a continuous target use `EL2NCoreset`, which ranks by residuals.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    strategy : {"margin", "entropy", "least-confidence"}, default="margin"
        Measure of uncertainty. With the probabilities p1, p2, ... in decreasing order:
        ``1 - (p1 - p2)`` for "margin", ``-sum p log p`` for "entropy", ``1 - p1`` for
        "least-confidence".
    proxy : classifier with `predict_proba` or None, default=None
        None takes a logistic regression on the standardized rows. Another classifier, such as a
        network of `distillkit.nn`, is fitted on X in its original units, with classes as integer
        codes.
    keep : {"easy", "hard"}, default="easy"
        End of the ranking that is kept. "hard" (uncertain) is the rule of active learning and suits
        budgets that keep most rows. With small budgets, rows near the decision boundary alone do
        not represent a class.
    among : float or None, default=None
        Fraction of each class, at the end given by `keep`, from which rows are drawn at random.
        With None, or if the fraction holds fewer rows than the budget, the rows at the very end are
        kept; the hardest rows of all are often outliers or have wrong labels.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    random_state : int, RandomState instance or None, default=None
        Breaks ties between rows of equal uncertainty, and seeds the proxy if its own `random_state`
        is None.

    Attributes
    ----------
    scores_ : ndarray of shape (n,)
        Uncertainty of every training row. Distilled rows are in ranking order, one of each class in
        turn.

    Notes
    -----
    Time and memory are those of the proxy. All rows of a class have the same weight.

    References
    ----------
    Least confidence: Lewis and Gale, SIGIR 1994; margin: Scheffer et al., IDA 2001; as a coreset:
    Coleman et al., arXiv:1906.11829.

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
