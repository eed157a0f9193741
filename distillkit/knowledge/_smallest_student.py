"""The search for the smallest student that is nearly as good as its teacher."""

from __future__ import annotations

# ruff: noqa: SLF001 -- the search is part of this family, and asks its distillers for models and rows.
import warnings
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, MetaEstimatorMixin, _fit_context, clone
from sklearn.utils import _safe_indexing, check_random_state, get_tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from distillkit.exceptions import DataError, DistillkitWarning
from distillkit.knowledge._shared_teacher import SharedTeacher
from distillkit.knowledge._sizes import count_bytes
from distillkit.knowledge._split import hold_out
from distillkit.knowledge._student_candidates import named_students
from distillkit.knowledge._student_metrics import predict_seconds
from distillkit.knowledge._teacher import Teacher
from distillkit.knowledge._teacher_student import TeacherStudentDistiller
from distillkit.utils._containers import label_array
from distillkit.utils._cpu_time import paired_ratio
from distillkit.utils._targets import infer_task

__all__ = ["SmallestStudent"]


def _best_has(name: str) -> Any:
    return lambda self: hasattr(self.best_distiller_ if hasattr(self, "best_distiller_") else self._base(), name)


class SmallestStudent(MetaEstimatorMixin, BaseEstimator):
    """The smallest student that is nearly as good as its teacher, and several times as fast.

    Students of growing size are taught by the same teacher on a part of the training rows and
    compared on the others, which no model has seen. Of those that are good and fast enough, the one
    of the fewest bytes is trained once more on all rows, and predicts.

    Parameters
    ----------
    distiller : TeacherStudentDistiller or None, default=None
        Teacher and settings; its `student`, `control`, `refit` and `validation_fraction` are not
        used. None is `TeacherStudentDistiller` with its defaults.
    students : list, dict of str to student, or None, default=None
        What `TeacherStudentDistiller` takes as student. None is, for tables, a linear and an
        additive model, trees of 8 to 128 leaves and perceptrons of 8 to 128 units, and for series
        and images networks of 4 to 32 channels.
    tolerance : float, default=0.02
        How much accuracy, or R2 for numbers, the student may have less than the reference.
    reference : {"teacher", "largest"}, default="teacher"
        Whether students are held against the teacher, or against the student of the most bytes.
    max_latency_ratio : float or None, default=0.25
        Largest prediction time of the student, divided by the teacher's, for 256 rows at once. None
        sets no limit.
    validation_fraction : float in (0, 1), default=0.2
        Share of the training rows on which the students are compared.
    random_state : int, RandomState instance or None, default=None
        Chooses the validation rows, and seeds teacher and students.

    Attributes
    ----------
    best_distiller_ : TeacherStudentDistiller
        Trained on all rows with the student that was chosen.
    best_name_ : str
        Name of that student.
    within_limits_ : bool
        Whether it is good and fast enough. If no student is, the most accurate one is chosen.
    report_ : DataFrame
        One line for each student, from few bytes to many: "student", "score" on the validation
        rows, "difference" from the reference, "bytes", "latency_ratio" and "latency_ratio_single"
        (the student's CPU time divided by the teacher's for 256 rows and for one), "good", "fast"
        and "chosen".
    reference_score_ : float
        Score of the reference on the validation rows.
    teacher_score_ : float
        Score of the teacher on the validation rows.
    n_validation_ : int
        Number of validation rows.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from distillkit import TeacherStudentDistiller
    >>> from distillkit.knowledge import SmallestStudent
    >>> X, y = load_iris(return_X_y=True)
    >>> forest = TeacherStudentDistiller(RandomForestClassifier(50, random_state=0))
    >>> search = SmallestStudent(forest, ["tree", "linear"], tolerance=0.1, random_state=0)
    >>> search = search.fit(X, y)
    >>> search.within_limits_, len(search.report_), search.score(X, y) > 0.9
    (True, 2, True)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "distiller": [HasMethods(["fit", "predict"]), None],
        "students": [list, tuple, dict, None],
        "tolerance": [Interval(Real, 0, None, closed="left")],
        "reference": [StrOptions({"teacher", "largest"})],
        "max_latency_ratio": [Interval(Real, 0, None, closed="neither"), None],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        distiller: Any = None,
        students: Any = None,
        *,
        tolerance: float = 0.02,
        reference: str = "teacher",
        max_latency_ratio: float | None = 0.25,
        validation_fraction: float = 0.2,
        random_state: Any = None,
    ) -> None:
        self.distiller = distiller
        self.students = students
        self.tolerance = tolerance
        self.reference = reference
        self.max_latency_ratio = max_latency_ratio
        self.validation_fraction = validation_fraction
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any) -> Self:
        """Teach every student, choose one, and train it on all rows.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            As for `TeacherStudentDistiller`.
        y : array-like of shape (n,)
            Class labels or numbers.

        Returns
        -------
        self

        Raises
        ------
        DataError
            If there are too few rows for validation rows, or no student.

        Warns
        -----
        DistillkitWarning
            If no student is good and fast enough.
        """
        rng = check_random_state(self.random_state)
        seed = int(rng.randint(np.iinfo(np.int32).max))
        base = self._base()
        task = base.task if base.task != "auto" else base._task_of_models() or infer_task(label_array(y))
        labels = label_array(y) if task == "classification" else None
        train, validation = hold_out(labels, len(y), self.validation_fraction, rng)
        if not len(validation):
            raise DataError(
                f"validation_fraction={self.validation_fraction:g} of {len(y)} rows is fewer than ten rows to compare "
                "students on: give more rows, or a larger share."
            )
        students = named_students(self.students, task, np.shape(X)[1:])
        if not students:
            raise DataError("students=[] holds no student: give one or more, or None for the default ones.")
        settings = {"task": task, "control": False, "refit": False, "validation_fraction": None}
        if base.random_state is None:
            settings["random_state"] = seed
        parts = [_safe_indexing(part, rows) for rows in (train, validation) for part in (X, y)]
        fitted = self._taught(base, students, settings, *parts[:2])
        self._compare(fitted, *parts[2:])
        self.best_distiller_ = clone(base).set_params(student=students[self.best_name_], **settings).fit(X, y)
        self.n_features_in_ = self.best_distiller_.n_features_in_
        return self

    def _base(self) -> Any:
        return TeacherStudentDistiller() if self.distiller is None else self.distiller

    def _taught(self, base: Any, students: dict[str, Any], settings: dict[str, Any], X: Any, y: Any) -> dict[str, Any]:
        """Return the distiller of each student, all of which share one trained teacher."""
        shared = SharedTeacher()
        fitted = {}
        for name, student in students.items():
            model = clone(base).set_params(student=student, **settings)
            model._shared_teacher = shared
            fitted[name] = model.fit(X, y)
            del model._shared_teacher
        return fitted

    def _compare(self, fitted: dict[str, Any], X: Any, y: Any) -> None:
        """Measure the students on validation rows, and choose one."""
        first = next(iter(fitted.values()))
        rows = first._validated(X)
        names = getattr(first, "feature_names_in_", None)
        models = {name: model._student() for name, model in fitted.items()}
        teacher = Teacher(first.teacher_, getattr(first, "classes_", None), names)
        models_and_teacher = {**models, "": teacher}
        seconds = [predict_seconds(models_and_teacher, rows, n_rows) for n_rows in (256, 1)]
        self.n_validation_ = len(rows)
        self.teacher_score_ = first._metric()(label_array(y), teacher.predict(rows))
        report = pd.DataFrame(
            {
                "student": list(fitted),
                "score": [model.score(X, y) for model in fitted.values()],
                "bytes": [count_bytes(model.model) for model in models.values()],
                "latency_ratio": [paired_ratio(seconds[0][name], seconds[0][""]) for name in fitted],
                "latency_ratio_single": [paired_ratio(seconds[1][name], seconds[1][""]) for name in fitted],
            }
        ).sort_values(["bytes", "score"], ascending=[True, False], ignore_index=True)
        self.reference_score_ = float(
            self.teacher_score_ if self.reference == "teacher" else report["score"][report["bytes"].argmax()]
        )
        self._choose(report)

    def _choose(self, report: pd.DataFrame) -> None:
        """Mark the student of the fewest bytes within the limits, or else the most accurate one."""
        report.insert(2, "difference", report["score"] - self.reference_score_)
        report["good"] = report["difference"] >= -self.tolerance - 1e-12
        limit = np.inf if self.max_latency_ratio is None else self.max_latency_ratio
        report["fast"] = report["latency_ratio"] <= limit
        able = report["good"] & report["fast"] & report["bytes"].notna()
        self.within_limits_ = bool(able.any())
        best = int(able.argmax() if self.within_limits_ else report["score"].argmax())
        self.best_name_ = str(report["student"][best])
        report["chosen"] = np.arange(len(report)) == best
        self.report_ = report
        if not self.within_limits_:
            warnings.warn(
                f"no student is within tolerance={self.tolerance:g} of {self.reference_score_:.3f} and within "
                f"max_latency_ratio={self.max_latency_ratio}: {self.best_name_!r}, the most accurate one, is taken; "
                "raise a limit, or give other students.",
                DistillkitWarning,
                stacklevel=3,
            )

    def predict(self, X: Any) -> np.ndarray:
        """Predict labels or numbers (n,) with the chosen student."""
        check_is_fitted(self, "best_distiller_")
        return self.best_distiller_.predict(X)  # type: ignore[no-any-return]

    @available_if(_best_has("predict_proba"))
    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the class probabilities (n, n_classes) of the chosen student."""
        check_is_fitted(self, "best_distiller_")
        return self.best_distiller_.predict_proba(X)  # type: ignore[no-any-return]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy for labels, or R2 for numbers, of the chosen student."""
        check_is_fitted(self, "best_distiller_")
        return self.best_distiller_.score(X, y, sample_weight)  # type: ignore[no-any-return]

    @property
    def classes_(self) -> np.ndarray:
        """Sorted labels, only for classification."""
        return self.best_distiller_.classes_  # type: ignore[no-any-return]

    def __sklearn_tags__(self) -> Any:
        """Declare what the distiller declares."""
        return get_tags(self._base())
