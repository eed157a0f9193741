"""A meta-distiller that adds a teacher's soft labels to the rows of any distiller."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn import config_context
from sklearn.base import MetaEstimatorMixin, clone
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from distillkit.base import Outcome, WeightedDistiller
from distillkit.exceptions import DataError
from distillkit.knowledge._cross_fitting import teacher_outputs
from distillkit.knowledge._models import check_task
from distillkit.knowledge._targets import Rows
from distillkit.knowledge._teacher import find_classes, fit_or_reuse_teacher, is_prefitted
from distillkit.knowledge._temperature import softmax
from distillkit.tables._frame_model import for_table
from distillkit.utils._seeds import seed_model
from distillkit.utils._weights import require_weight_support, weight_argument

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows
    from distillkit.knowledge._teacher import Teacher

__all__ = ["SoftLabels"]


def _can_sample(self: SoftLabels) -> bool:
    return hasattr(getattr(self, "distiller_", self.distiller), "sample")


class SoftLabels(MetaEstimatorMixin, WeightedDistiller):
    """The distilled rows of another distiller, with soft labels from a teacher trained on all rows.

    ``y_distilled_`` stays as the inner distiller returns it. The teacher's probabilities are in
    ``soft_labels_`` and in ``distilled_.soft_labels``, where models that learn from probabilities
    find them. Everything else is the inner distiller's, including its budget, which is set as
    ``distiller__budget``.

    Weights of the training rows go to the inner distiller, which must be able to use them, and to a
    teacher that is trained here, if its `fit` takes weights.

    Parameters
    ----------
    distiller : distiller
        The inner distiller; it is cloned.
    teacher : estimator, Module, str or None, default=None
        As for `TeacherStudentDistiller`: a fitted teacher is used as it is, any other is trained on
        all rows. None is gradient boosting for tables and a network for series and images;
        "linear" is logistic or ridge regression on standardized columns, "boosting" is gradient
        boosting, and other names are networks. For small distilled sets, choose a teacher with
        well-calibrated probabilities: "linear", or any teacher with `teacher_cv`.
    temperature : float, default=4.0
        The soft labels are proportional to ``p^(1/T)``. Values above 1 raise the probabilities of
        unlikely classes. It has no effect on numbers.
    alpha : float, default=0.1
        Weight of the distiller's hard labels in the mixture, from 0 (the teacher's labels alone) to
        1 (the hard labels alone).
    teacher_cv : int or None, default=None
        Number of cross-fitting folds. Rows that the distiller selected are training rows of the
        teacher, and trees and neighbors are overconfident on their training rows. With folds, each
        selected row is labeled by a copy of the teacher that was not trained on it, which takes one
        more training for each fold that holds selected rows. Synthetic rows and fitted teachers
        need no folds, so the parameter has no effect on them.
    device : str, default="auto"
        Device of networks that are made here.
    verbose : bool, default=False
        Whether to show the progress of `fit`; see `BaseDistiller`.
    random_state : int, RandomState instance or None, default=None
        Seeds the distiller and the teacher if they have no seed of their own.

    Attributes
    ----------
    soft_labels_ : ndarray of shape (m, n_classes) or (m, 1)
        One column per class, in the order of the sorted labels; for a continuous target a single
        column with the mixed numbers.
    teacher_, distiller_ : fitted models
    X_distilled_, y_distilled_, sample_weight_, sample_indices_, history_, distilled_ and others
        See `BaseDistiller`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from distillkit import RandomSubset
    >>> X, y = load_iris(return_X_y=True)
    >>> teacher = LogisticRegression(max_iter=500)
    >>> subset = SoftLabels(RandomSubset(budget=2), teacher, random_state=0).fit(X, y)
    >>> subset.distilled_.soft_labels.shape
    (6, 3)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "distiller": [HasMethods(["fit_resample", "get_params"])],
        "teacher": "no_validation",  # checked in fit, with a helpful message
        "temperature": [Interval(Real, 0, None, closed="neither")],
        "alpha": [Interval(Real, 0, 1, closed="both")],
        "teacher_cv": [Interval(Integral, 2, None, closed="left"), None],
        "device": [str],
        "verbose": ["boolean"],
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
        verbose: bool = False,
        random_state: Any = None,
    ) -> None:
        self.distiller = distiller
        self.teacher = teacher
        self.temperature = temperature
        self.alpha = alpha
        self.teacher_cv = teacher_cv
        self.device = device
        self.verbose = verbose
        self.random_state = random_state

    @property
    def task(self) -> str:  # type: ignore[override]
        """The task of the inner distiller."""
        return str(getattr(self.distiller, "task", "auto"))

    @property
    def _keeps_rows(self) -> bool:  # type: ignore[override]
        return bool(getattr(self.distiller, "_keeps_rows", False))

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        # 1. Check the teacher against the task before any work is done.
        requested = for_table(self.teacher, self.__dict__.get("encoder_"))
        prefitted = is_prefitted(requested, "if_unfitted")
        task = str(rows.task)
        check_task("teacher", requested, task)
        training_rows = Rows(rows.X, rows.y, rows.weight)
        require_weight_support("distiller", self.distiller, rows.weight)
        classes = find_classes(requested, training_rows, prefitted=prefitted) if task == "classification" else None
        self._check_classes(classes, rows.y)
        # 2. Distill with the inner distiller. The base class switches parameter validation off for
        # what it calls, so it is switched on again for the inner distiller and the teacher.
        with config_context(skip_parameter_validation=False):
            inner = seed_model(clone(self.distiller), run.rng)
            X, y = inner.fit_resample(rows.X, rows.y, **weight_argument(rows.weight))
            # 3. Train the teacher on all rows, and compute its outputs for the distilled rows.
            teacher, template = fit_or_reuse_teacher(
                requested, training_rows, classes, prefitted=prefitted, device=self.device, rng=run.rng
            )
            indices = getattr(inner, "sample_indices_", None)
            original_X = self._in_original_units(inner, np.asarray(X))
            if indices is None:
                outputs = teacher.outputs(original_X)
            else:
                outputs = teacher_outputs(
                    teacher, template, training_rows, self.teacher_cv, run.rng, np.asarray(indices)
                )
        # 4. Mix the soft labels with the hard ones.
        self.distiller_, self.teacher_ = inner, getattr(teacher.model, "fitted", teacher.model)
        self._copy_record(inner, run)
        return Outcome(
            X=original_X if indices is None else None,
            y=None if indices is not None else np.asarray(y),
            indices=indices,
            weight=getattr(inner, "sample_weight_", None),
            soft_labels=self._mixed_labels(teacher, outputs, np.asarray(y)),
            stored=inner.distilled_.stored,
            preprocessing=getattr(inner, "preprocessing_", None),
            ranked=hasattr(inner, "ranking_"),
        )

    @staticmethod
    def _check_classes(classes: np.ndarray | None, y: np.ndarray | None) -> None:
        if classes is None:
            return
        extra = np.setdiff1d(classes, np.unique(np.asarray(y))).tolist()
        if extra:
            raise DataError(
                f"the teacher knows the classes {extra}, which y does not hold: train it on the classes of y alone."
            )

    @staticmethod
    def _in_original_units(inner: Any, X: np.ndarray) -> np.ndarray:
        """Return distilled rows in the units of the data, on which the teacher was trained."""
        preprocessing = getattr(inner, "preprocessing_", None)
        return X if preprocessing is None else np.asarray(preprocessing.inverse_transform(X))

    def _mixed_labels(self, teacher: Teacher, outputs: np.ndarray, y: np.ndarray) -> np.ndarray:
        if teacher.classes is None:
            return (self.alpha * y + (1 - self.alpha) * outputs)[:, None]
        teacher.warn_if_one_hot(outputs)
        hard = y[:, None] == teacher.classes
        mixed: np.ndarray = self.alpha * hard + (1 - self.alpha) * softmax(outputs, self.temperature)
        return mixed

    def _copy_record(self, inner: Any, run: Run) -> None:
        """Copy the history of the inner distiller, its stopping reason and its steps."""
        run.history.extend(getattr(inner, "history_", []))
        run.stopped_by = getattr(getattr(inner, "distilled_", None), "provenance", {}).get("stopped_by")
        self.__dict__.pop("n_iter_", None)
        if hasattr(inner, "n_iter_"):
            self.n_iter_ = inner.n_iter_

    @available_if(_can_sample)
    def sample(self, n: int, y: Any = None) -> Any:
        """Draw new rows from the inner distiller; only for distillers with a `sample` method.

        Parameters
        ----------
        n : int
            Number of rows.
        y : object, default=None
            Passed to the inner distiller's `sample`.

        Returns
        -------
        X, y : ndarray
        """
        check_is_fitted(self, "distiller_")
        return self.distiller_.sample(n, y)
