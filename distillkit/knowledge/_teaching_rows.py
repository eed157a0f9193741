"""The rows of a fit: labeled for the student, labeled for the teacher alone, or without labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distillkit.exceptions import DataError
from distillkit.knowledge._loss_plan import LossPlan
from distillkit.knowledge._targets import DistillationTargets, Rows
from distillkit.knowledge._temperature import logits_of
from distillkit.utils._hold_out import rows_by_class

__all__ = ["TeachingRows", "choose_labeled", "given_outputs"]


@dataclass(frozen=True, eq=False)
class TeachingRows:
    """The rows of a fit, and the answers of the teacher that were given with them.

    Parameters
    ----------
    rows : Rows
        Rows from which a teacher is trained.
    labeled : ndarray of bool of shape (n,)
        Whether the student may use the label of a row.
    extra : ndarray of shape (u, ...)
        Rows without labels, which the teacher answers.
    given : ndarray of shape (n + u, n_classes) or (n + u,), or None
        Logits or numbers of a teacher that answered beforehand, for the rows and then the extra.
    """

    rows: Rows
    labeled: np.ndarray
    extra: np.ndarray
    given: np.ndarray | None = None

    def take(self, indices: np.ndarray) -> TeachingRows:
        """Return the rows at some positions with all extra rows."""
        n = len(self.rows)
        given = None if self.given is None else np.concatenate([self.given[indices], self.given[n:]])
        return TeachingRows(self.rows.take(indices), self.labeled[indices], self.extra, given)

    def with_extra(self, made: np.ndarray) -> TeachingRows:
        """Return the rows with further extra rows; only without given answers."""
        extra = np.concatenate([self.extra, made.astype(self.rows.X.dtype)]) if len(self.extra) else made
        return TeachingRows(self.rows, self.labeled, extra)

    def for_teacher(self) -> Rows:
        """Return the rows and the extra rows in one array, without labels."""
        return Rows(np.concatenate([self.rows.X, self.extra]) if len(self.extra) else self.rows.X)

    def targets(
        self,
        classes: np.ndarray | None,
        outputs: np.ndarray | None,
        temperature: float,
        alpha: float,
        own_alpha: float,
        plan: LossPlan,
    ) -> DistillationTargets:
        """Return what the student is trained on.

        Parameters
        ----------
        classes : ndarray of shape (n_classes,) or None
            Sorted labels; None for regression.
        outputs : ndarray of shape (n + u, n_classes) or (n + u,), or None
            The teacher's answers for the rows and then the extra rows; None with ``alpha=1``.
        temperature, alpha : float
        own_alpha : float in [0, 1]
            Weight of the labels in the labeled rows if there are other rows.
        plan : LossPlan
        """
        if outputs is None or (not len(self.extra) and self.labeled.all()):
            rows = self.rows if self.labeled.all() else self.rows.take(np.flatnonzero(self.labeled))
            return DistillationTargets(rows, classes, outputs, temperature, alpha, plan=plan)
        # The labels of all other rows are replaced by the teacher's, so that none can be learned.
        labeled = np.concatenate([self.labeled, np.zeros(len(self.extra), dtype=bool)])
        if self.rows.y is None:
            return DistillationTargets(self._all_rows(None), classes, outputs, temperature, alpha, plan=plan)
        y = outputs if classes is None else classes[outputs.argmax(axis=1)]
        y = np.where(_as_mask(labeled, y), np.concatenate([self.rows.y, y[len(self.rows) :]]), y)
        weights = np.where(labeled, own_alpha, 0.0)
        return DistillationTargets(self._all_rows(y), classes, outputs, temperature, weights, labeled, plan)

    def _all_rows(self, y: np.ndarray | None) -> Rows:
        weight = self.rows.weight
        if weight is not None:  # an extra row counts as much as a row does on average
            weight = np.concatenate([weight, np.full(len(self.extra), weight.mean())])
        return Rows(self.for_teacher().X, y, weight)


def _as_mask(labeled: np.ndarray, y: np.ndarray) -> np.ndarray:
    return labeled if y.ndim == 1 else labeled[:, None]


def choose_labeled(
    y: np.ndarray | None,
    candidates: np.ndarray,
    n_rows: int,
    n_labeled: int | None,
    classes: np.ndarray | None,
    rng: np.random.RandomState,
) -> np.ndarray:
    """Choose the rows whose labels the student may use, of each class as often as of the others.

    Parameters
    ----------
    y : ndarray of shape (n,) or None
        Labels of all rows.
    candidates : ndarray of int
        Positions among which rows are chosen.
    n_rows : int
    n_labeled : int or None
        Number of rows; None, or at least the number of candidates, chooses every row.
    classes : ndarray or None
        Sorted labels; None for regression, which draws from all candidates alike.
    rng : RandomState
        Not used if every row is chosen.

    Returns
    -------
    ndarray of bool of shape (n,)

    Raises
    ------
    DataError
        If there are fewer rows to choose than classes.
    """
    if n_labeled is None or y is None:
        return np.ones(n_rows, dtype=bool)
    mask = np.zeros(n_rows, dtype=bool)
    mask[candidates] = n_labeled >= len(candidates)
    if mask.any():
        return mask
    groups = rows_by_class(None if classes is None else y[candidates], len(candidates))
    if n_labeled < len(groups):
        raise DataError(
            f"n_labeled={n_labeled} is less than the {len(groups)} classes of y: give one labeled row for each class, "
            "or more."
        )
    # Classes take turns, so that their numbers differ by one at most where they have enough rows.
    turns = [(turn, group, row) for group, rows in enumerate(groups) for turn, row in enumerate(rng.permutation(rows))]
    mask[candidates[[row for _, _, row in sorted(turns)[:n_labeled]]]] = True
    return mask


def given_outputs(teacher_proba: np.ndarray, n_rows: int, classes: np.ndarray | None) -> np.ndarray:
    """Check the answers of a teacher and return them as logits or numbers.

    Parameters
    ----------
    teacher_proba : ndarray of shape (n, n_classes) or (n,)
    n_rows : int
        Number of rows with and without labels.
    classes : ndarray of shape (n_classes,) or None
        Sorted labels; None for regression.

    Raises
    ------
    DataError
        If there is not one row of probabilities, one per class, for each row.
    """
    values = np.asarray(teacher_proba, dtype=np.float64)
    wanted = (n_rows,) if classes is None else (n_rows, len(classes))
    if classes is None and values.shape == (n_rows, 1):
        values = values[:, 0]
    if values.shape != wanted:
        names = "numbers" if classes is None else f"probabilities of the classes {classes.tolist()}"
        raise DataError(
            f"teacher_proba has shape {values.shape}, but {wanted} is needed: the {names} for the rows of X, and then "
            "for those of X_unlabeled if there are any."
        )
    if not np.isfinite(values).all():
        raise DataError("teacher_proba holds NaN or infinity: give finite values.")
    if classes is None:
        return values
    if (values < 0).any() or not np.allclose(values.sum(axis=1), 1, atol=1e-3):
        raise DataError(
            "teacher_proba must hold probabilities, none negative and summing to one in each row: apply a softmax to "
            "logits first."
        )
    return logits_of(values)
