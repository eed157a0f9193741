"""The forgetting coreset, which ranks rows by how often a network forgets them in training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.coresets.scores._dynamics import DynamicsCoreset
from distillkit.coresets.scores._ensemble import ProxyTrainingData
from distillkit.coresets.shared._ranking import class_codes, refuse_regression

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows

__all__ = ["ForgettingCoreset", "ForgettingCounter"]


class ForgettingCounter:
    """Count the forgetting events of each model and row.

    A forgetting event is a row that a model classifies wrongly, but classified correctly the
    previous time it was in a batch.

    Parameters
    ----------
    members, n : int
        Number of models, and number of rows.
    """

    def __init__(self, members: int, n: int) -> None:
        self.events = np.zeros((members, n), dtype=np.int64)
        self._correct = np.zeros((members, n), dtype=bool)
        self._learned = np.zeros((members, n), dtype=bool)
        self._visits = np.zeros(n, dtype=np.int64)

    def update(self, rows: np.ndarray, correct: np.ndarray) -> None:
        """Record which rows of a batch (b,) each model classifies correctly, shape (members, b)."""
        self.events[:, rows] += self._correct[:, rows] & ~correct
        self._correct[:, rows] = correct
        self._learned[:, rows] |= correct
        self._visits[rows] += 1

    def scores(self) -> np.ndarray:
        """Return the mean number of events of each row, shape (n,).

        A row that a model never classified correctly counts as often as it was in a batch, which no
        other row reaches.
        """
        return np.asarray(np.where(self._learned, self.events, self._visits).mean(axis=0, dtype=np.float64))


class ForgettingCoreset(DynamicsCoreset):
    """Rank the rows of each class by how often small networks forget them during training.

    A forgetting event is a row that a network classifies wrongly, before the step on its batch, but
    classified correctly the previous time the row was in a batch. The score is the mean number of
    events over `members` networks; a row that a network never classifies correctly counts as often
    as it was in a batch. Ties, which are frequent, are broken at random.

    The method needs classes. For a continuous target use `EL2NCoreset`, which ranks by residuals.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    keep : {"easy", "hard"}, default="easy"
        End of the ranking that is kept. "hard" (often forgotten) is the rule of the paper and suits
        budgets that keep most rows. With small budgets, the hardest rows of a class are outliers,
        and a random subset is better.
    among : float or None, default=None
        Fraction of each class, at the end given by `keep`, from which rows are drawn at random.
        With None, or if the fraction holds fewer rows than the budget, the rows at the very end are
        kept; the hardest rows of all are often outliers or have wrong labels.
    members : int, default=5
        Number of networks to average over.
    hidden : int, default=32
        Number of units of the one hidden layer of the networks.
    max_iter : int, default=10
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
        Mean number of forgetting events of every training row. Distilled rows are in ranking order,
        one of each class in turn.
    n_iter_ : int
        Number of epochs.
    history_ : list of dict
        One entry per epoch: epoch, error (root mean square of ``outputs - targets``), seconds.

    Notes
    -----
    Time is O(n d members hidden) per epoch. Memory is a float32 copy of X. All rows of a class have
    the same weight.

    References
    ----------
    Toneva et al., "An empirical study of example forgetting", arXiv:1812.05159.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.array([[0.0], [0.1], [2.0], [0.0], [2.0], [2.1]]), np.array(list("aaabbb"))
    >>> hard = ForgettingCoreset(budget=1, keep="hard", max_iter=50, random_state=0).fit(X, y)
    >>> sorted(hard.X_distilled_.ravel().tolist())  # these two rows lie among the other class
    [0.0, 2.0]
    """

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        keep: str = "easy",
        among: float | None = None,
        members: int = 5,
        hidden: int = 32,
        max_iter: int = 10,
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

    def _scores(self, rows: TrainingRows, run: Run) -> np.ndarray:
        refuse_regression(rows, "ForgettingCoreset", "use EL2NCoreset, which ranks by residuals")
        codes, counter = class_codes(rows), ForgettingCounter(self.members, len(rows.X))
        self._train(
            ProxyTrainingData.of(rows),
            run,
            lambda batch, outputs: counter.update(batch, outputs.argmax(axis=2) == codes[batch]),
        )
        return counter.scores()
