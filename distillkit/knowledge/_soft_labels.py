"""Any distiller, with a teacher's labels on its rows."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn import config_context
from sklearn.base import MetaEstimatorMixin, clone
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from distillkit.base import BaseDistiller, Outcome
from distillkit.exceptions import DataError
from distillkit.knowledge._cross_fitting import ask
from distillkit.knowledge._models import check_task
from distillkit.knowledge._targets import Rows
from distillkit.knowledge._teacher import find_classes, fit_or_reuse_teacher, serves_as_it_is
from distillkit.knowledge._temperature import softmax
from distillkit.utils._seeds import seed_model

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows
    from distillkit.knowledge._teacher import Teacher

__all__ = ["SoftLabels"]


def _samples(self: SoftLabels) -> bool:
    return hasattr(getattr(self, "distiller_", self.distiller), "sample")


class SoftLabels(MetaEstimatorMixin, BaseDistiller):
    """What `distiller` makes of the rows, with the labels of a teacher that was trained on ALL rows.

    ``y_distilled_`` stays as the distiller leaves it; the teacher's probabilities are in ``soft_labels_`` and in
    ``distilled_.soft_labels``, where models that learn from probabilities find them. Everything else is the
    inner distiller's, its budget too: set it as ``distiller__budget``.

    Parameters
    ----------
    distiller : distiller
        Cloned.
    teacher : estimator, Module, str or None, default=None
        As for `TeacherStudentDistiller`: one that is fitted is used as it is, any other is trained on all rows; None
        is gradient boosting for tables and a network for series and images; "linear" is logistic or ridge regression on
        standardized columns, "boosting" gradient boosting, other names are networks. For small sets a teacher that is no more
        certain than it is right teaches best: "linear", or any with `teacher_cv`.
    temperature : float, default=4.0
        The labels are ``p^(1/T)``, normalised: above 1 they say more of the classes that the teacher holds for unlikely.
        Without effect on numbers.
    alpha : float, default=0.1
        Share of the distiller's own labels in the mixture, from 0 (the teacher's alone) to 1 (none of the teacher's).
    teacher_cv : int or None, default=None
        Rows that the distiller picked were seen by the teacher, and trees and neighbours are certain of such rows.
        With a number of folds, each picked row is labelled by a copy of the teacher that was not trained on it (one
        more training per fold that holds picked rows). Made rows, and fitted teachers, are not concerned.
    device : str, default="auto"
        Where networks that are made here run.
    random_state : int, RandomState instance or None, default=None
        Seeds the distiller and the teacher where they have no seed of their own.

    Attributes
    ----------
    soft_labels_ : ndarray of shape (m, n_classes) or (m, 1)
        Columns in the order of the sorted labels; for a continuous target one column, the teacher's numbers.
    teacher_, distiller_ : fitted models
    X_distilled_, y_distilled_, sample_weight_, sample_indices_, history_, distilled_ and others
        See `BaseDistiller`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from distillkit import RandomSubset
    >>> X, y = load_iris(return_X_y=True)
    >>> subset = SoftLabels(RandomSubset(budget=2), LogisticRegression(max_iter=500), random_state=0).fit(X, y)
    >>> subset.distilled_.soft_labels.shape
    (6, 3)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "distiller": [HasMethods(["fit_resample", "get_params"])],
        "teacher": "no_validation",  # refused in fit, with a remedy
        "temperature": [Interval(Real, 0, None, closed="neither")],
        "alpha": [Interval(Real, 0, 1, closed="both")],
        "teacher_cv": [Interval(Integral, 2, None, closed="left"), None],
        "device": [str],
        "random_state": ["random_state"],
    }
    _needs_y: ClassVar[bool] = True

    def __init__(
        self,
        distiller: Any,
        teacher: Any = None,
        *,
        temperature: float = 4.0,
        alpha: float = 0.1,
        teacher_cv: int | None = None,
        device: str = "auto",
        random_state: Any = None,
    ) -> None:
        self.distiller = distiller
        self.teacher = teacher
        self.temperature = temperature
        self.alpha = alpha
        self.teacher_cv = teacher_cv
        self.device = device
        self.random_state = random_state

    @property
    def task(self) -> str:  # type: ignore[override]
        """What y holds, as the inner distiller has it."""
        return str(getattr(self.distiller, "task", "auto"))

    @property
    def _keeps_rows(self) -> bool:  # type: ignore[override]
        return bool(getattr(self.distiller, "_keeps_rows", False))

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        ready = serves_as_it_is(self.teacher, "if_unfitted")
        task = str(rows.task)
        check_task("teacher", self.teacher, task)
        given = Rows(rows.X, rows.y)
        classes = find_classes(self.teacher, given, ready=ready) if task == "classification" else None
        self._refuse_more_classes(classes, rows.y)
        with config_context(skip_parameter_validation=False):  # the base skips it for what it calls
            inner = seed_model(clone(self.distiller), run.rng)
            X, y = inner.fit_resample(rows.X, rows.y)
            teacher, template = fit_or_reuse_teacher(
                self.teacher, given, classes, ready=ready, device=self.device, rng=run.rng
            )
            indices = getattr(inner, "sample_indices_", None)
            before = self._in_units(inner, np.asarray(X))
            if indices is None:
                answers = teacher.outputs(before)
            else:
                answers = ask(teacher, template, given, self.teacher_cv, run.rng, wanted=np.asarray(indices))
        self.distiller_, self.teacher_ = inner, teacher.model
        self._take_over(inner, run)
        return Outcome(
            X=before if indices is None else None,
            y=None if indices is not None else np.asarray(y),
            indices=indices,
            weight=getattr(inner, "sample_weight_", None),
            soft_labels=self._soft(teacher, answers, np.asarray(y)),
            stored=inner.distilled_.stored,
            preprocessing=getattr(inner, "preprocessing_", None),
            ranked=hasattr(inner, "ranking_"),
        )

    @staticmethod
    def _refuse_more_classes(classes: np.ndarray | None, y: np.ndarray | None) -> None:
        if classes is None:
            return
        more = np.setdiff1d(classes, np.unique(np.asarray(y))).tolist()
        if more:
            raise DataError(
                f"the teacher knows the classes {more}, which y does not hold: train it on the classes of y alone."
            )

    @staticmethod
    def _in_units(inner: Any, X: np.ndarray) -> np.ndarray:
        """Return distilled rows in the units of the data, which the teacher knows."""
        preprocessing = getattr(inner, "preprocessing_", None)
        return X if preprocessing is None else np.asarray(preprocessing.inverse_transform(X))

    def _soft(self, teacher: Teacher, answers: np.ndarray, y: np.ndarray) -> np.ndarray:
        if teacher.classes is None:
            return (self.alpha * y + (1 - self.alpha) * answers)[:, None]
        teacher.warn_if_one_hot(answers)
        hard = y[:, None] == teacher.classes
        mixed: np.ndarray = self.alpha * hard + (1 - self.alpha) * softmax(answers, self.temperature)
        return mixed

    def _take_over(self, inner: Any, run: Run) -> None:
        """Let the record of the inner distiller be this one's."""
        run.history.extend(getattr(inner, "history_", []))
        run.stopped_by = getattr(getattr(inner, "distilled_", None), "provenance", {}).get("stopped_by")
        self.__dict__.pop("n_iter_", None)
        if hasattr(inner, "n_iter_"):
            self.n_iter_ = inner.n_iter_

    @available_if(_samples)
    def sample(self, n: int, y: Any = None) -> Any:
        """Return `n` new rows (X, y) of the inner distiller, where it can make any number of them."""
        check_is_fitted(self, "distiller_")
        return self.distiller_.sample(n, y)
