"""Where the answers of a teacher come from: a fitted model, a training, or the caller."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone

from distillkit.knowledge._cross_fitting import teacher_outputs
from distillkit.knowledge._memorizing import default_folds, out_of_bag, with_out_of_bag
from distillkit.knowledge._models import fit_model
from distillkit.knowledge._targets import Rows
from distillkit.knowledge._teacher import Teacher
from distillkit.knowledge._teaching_rows import TeachingRows

__all__ = ["TeacherSource"]


@dataclass(frozen=True, eq=False)
class TeacherSource:
    """A fitted teacher, the unfitted copy of one that is trained on the rows, or neither.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,) or None
        Sorted labels; None for regression.
    fitted : Teacher or None
        Used as it is.
    template : estimator or None
        Cloned and trained. Without either, the answers are given with the rows.
    folds : int, "auto" or None
        Cross-fitting folds for a teacher that is trained; "auto" is out-of-bag or cross-fitted
        answers for models that memorize their training rows, and the model's own for others.
    """

    classes: np.ndarray | None
    fitted: Teacher | None = None
    template: Any = None
    folds: int | str | None = None

    def train(self, rows: Rows) -> Teacher | None:
        """Return the fitted teacher, or train one on the rows; None if there is no model."""
        if self.template is None:
            return self.fitted
        template = clone(self.template)
        if self.folds == "auto":
            with_out_of_bag(template)
        with warnings.catch_warnings():
            # All trees answer for a row that is in every bag.
            warnings.filterwarnings("ignore", "Some inputs do not have OOB scores", UserWarning)
            return Teacher(fit_model(template, rows.X, rows.y, rows.weight), self.classes)

    def answers(
        self, teacher: Teacher | None, rows: TeachingRows, rng: np.random.RandomState, *, own: bool
    ) -> np.ndarray:
        """Return the teacher's answers for the rows and then the extra rows.

        Parameters
        ----------
        teacher : Teacher or None
            Trained by `train` on ``rows.rows``; None only with given answers.
        rows : TeachingRows
        rng : RandomState
        own : bool
            Whether the answers for the rows themselves are used. If not, nothing is spent on them.

        Returns
        -------
        ndarray of shape (n + u, n_classes) or (n + u,)
            Logits, or numbers for regression.
        """
        if rows.given is not None:
            return rows.given
        assert teacher is not None
        answers = self._own_answers(teacher, rows.rows, rng) if own else teacher.outputs(rows.rows.X)
        return np.concatenate([answers, teacher.outputs(rows.extra)]) if len(rows.extra) else answers

    def _own_answers(self, teacher: Teacher, rows: Rows, rng: np.random.RandomState) -> np.ndarray:
        folds = self.folds
        if folds == "auto":
            kept = None if self.template is None else out_of_bag(teacher, rows.X)
            if kept is not None:
                return kept
            folds = default_folds(self.template)
        outputs = teacher_outputs(teacher, self.template, rows, folds, rng)  # type: ignore[arg-type]
        if self.classes is not None and (self.template is None or folds is None):
            teacher.warn_if_one_hot(outputs)
        return outputs
