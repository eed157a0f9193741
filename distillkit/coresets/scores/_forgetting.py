"""Forgetting: rows by how often they are learned and lost again."""

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
    """Counts, for each model and row, the turns from right to wrong between one sight of the row and the next.

    Parameters
    ----------
    members, n : int
    """

    def __init__(self, members: int, n: int) -> None:
        self.events = np.zeros((members, n), dtype=np.int64)
        self._right = np.zeros((members, n), dtype=bool)
        self._learned = np.zeros((members, n), dtype=bool)
        self._seen = np.zeros(n, dtype=np.int64)

    def see(self, rows: np.ndarray, right: np.ndarray) -> None:
        """Note which of some rows (b,) each model has right, shape (members, b)."""
        self.events[:, rows] += self._right[:, rows] & ~right
        self._right[:, rows] = right
        self._learned[:, rows] |= right
        self._seen[rows] += 1

    def scores(self) -> np.ndarray:
        """Mean events of each row; a row never right counts as often as it was seen, which no other row reaches."""
        return np.asarray(np.where(self._learned, self.events, self._seen).mean(axis=0, dtype=np.float64))


class ForgettingCoreset(DynamicsCoreset):
    """Rows of each class ranked by how often small networks forget them while they learn.

    A forgetting event is a row that was classified rightly when it was last in a batch, and is classified wrongly now,
    before the step on this batch. The score is the mean number of events over `members` networks; a row that a network
    never has right gets as many as it was seen. Equal scores, of which there are many, are ordered by lot.

    Needs classes; for a continuous target use `EL2NCoreset`, which ranks by residuals.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    keep : {"easy", "hard"}, default="easy"
        The end of the ranking that is kept. "hard" (often forgotten) is the paper's rule and serves where most rows are
        kept; where few are kept, the hardest rows of a class are outliers, and worse than random ones.
    among : float or None, default=None
        Share of each class, at the end that `keep` names, from which rows are drawn by lot. Where it holds fewer rows than the
        budget, and with None, the end itself is kept: the hardest rows of all are often outliers or have wrong labels.
    members : int, default=5
        Networks to average over.
    hidden : int, default=32
        Units of their one hidden layer.
    max_iter : int, default=10
        Epochs of each, each of which shows every row once.
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
        Mean forgetting events of every row seen. Picked rows are in ranking order, one of each class in turn.
    n_iter_ : int
        Epochs done.
    history_ : list of dict
        One per epoch: epoch, error (root mean square of ``outputs - targets``), seconds.

    Notes
    -----
    Time O(n d members hidden) per epoch; memory a float32 copy of X. Weights are equal within each class.
    Toneva et al., "An empirical study of example forgetting", arXiv:1812.05159.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.array([[0.0], [0.1], [2.0], [0.0], [2.0], [2.1]]), np.array(list("aaabbb"))
    >>> hard = ForgettingCoreset(budget=1, keep="hard", max_iter=50, random_state=0).fit(X, y)
    >>> sorted(hard.X_distilled_.ravel().tolist())  # the two rows on the wrong side are never learned
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
            task=task,
            random_state=random_state,
        )

    def _scores(self, rows: TrainingRows, run: Run) -> np.ndarray:
        refuse_regression(rows, "ForgettingCoreset", "use EL2NCoreset, which ranks by residuals")
        codes, counter = class_codes(rows), ForgettingCounter(self.members, len(rows.X))
        self._train(
            ProxyTrainingData.of(rows),
            run,
            lambda batch, outputs: counter.see(batch, outputs.argmax(axis=2) == codes[batch]),
        )
        return counter.scores()
