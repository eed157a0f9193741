"""Knowledge distillation as an ordinary scikit-learn estimator."""

from __future__ import annotations

import time
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import _fit_context, clone
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, validate_data

from distillkit.exceptions import DataError
from distillkit.knowledge._cross_fitting import ask
from distillkit.knowledge._models import check_task
from distillkit.knowledge._split import hold_out
from distillkit.knowledge._student import Student, epochs_for, new_student, teach
from distillkit.knowledge._student_estimator import TaughtEstimator
from distillkit.knowledge._student_metrics import measure
from distillkit.knowledge._targets import DistillationTargets, Rows
from distillkit.knowledge._teacher import Teacher, find_classes, fit_or_reuse_teacher, serves_as_it_is
from distillkit.utils._containers import as_numeric, label_array, to_numpy
from distillkit.utils._seeds import seed_model
from distillkit.utils._targets import infer_task

__all__ = ["TeacherStudentDistiller"]


class TeacherStudentDistiller(TaughtEstimator):
    r"""A small student that learns from a large teacher's soft labels, beside or instead of the hard ones.

    It reduces a model, not rows, and is used as any estimator: `predict`, `predict_proba` and `score` are the student's;
    `transform` gives the student's softened class probabilities.

    A torch student is trained with
    :math:`\alpha\,CE(y, s) + (1-\alpha)\,T^2\,KL(softmax(t/T)\,\|\,softmax(s/T))` for logits t of the teacher and s of the
    student, or :math:`\alpha\,(y-s)^2 + (1-\alpha)\,(t-s)^2` for numbers. A scikit-learn classifier that takes
    `sample_weight` sees each row once per class k, weighted by :math:`\alpha\,1[k=y] + (1-\alpha)\,p_k^{1/T}/\sum p^{1/T}`,
    which for learners of log loss is exact soft cross-entropy; having no temperature of its own, it learns the
    softened probabilities themselves (where these matter more than the labels, give ``temperature=1``). A regressor learns mixed
    logits, any other classifier the most probable of the mixed labels; `student_way_` says which of these it was.

    Parameters
    ----------
    teacher : estimator, Module, str or None, default=None
        Any scikit-learn classifier or regressor, a torch module (rows in the units of X as tensors of its precision; outputs are logits,
        one per class in the order of the sorted labels, or one number), or the name of a network. None is gradient
        boosting for tables and a network for series and images. Without `predict_proba`, `decision_function` passes for logits.
    student : estimator, Module, callable, str or None, default=None
        A `distillkit.nn.NetworkClassifier` or `NetworkRegressor` with settings of its own; the name of a network, a
        function of (shape, n_outputs) that returns a module, or a module to start from; or any scikit-learn estimator.
        None is a small network: 16 channels for series and images, 32 hidden units for tables.
    temperature : float, default=4.0
        Softens the teacher's probabilities, also those that `transform` returns; without effect on numbers.
    alpha : float in [0, 1], default=0.1
        Weight of the hard labels. 1 is plain training, bit for bit; 0 needs no y if the teacher is fitted.
    task : {"auto", "classification", "regression"}, default="auto"
        What y holds. "auto": what a teacher that is a classifier or a regressor is for, or a student that is a classifier; where
        neither says, as in `BaseDistiller`.
    teacher_fit : {"if_unfitted", "never", "always"}, default="if_unfitted"
        When to train a copy of the teacher on the rows. A fitted one is used as it is, modules in evaluation mode. Note that
        scikit-learn's `clone`, and so `GridSearchCV`, forgets what an estimator learned: wrap a teacher that must
        stay fitted in `sklearn.frozen.FrozenEstimator`.
    teacher_cv : int or None, default=None
        A teacher trained here is asked about its own training rows; with a number of folds, each row is labelled by a copy
        that has not seen it. That is for trees and neighbours, which are certain of rows they know, and a warning says where
        it is needed. Elsewhere it takes that many more trainings and puts the teacher's errors into the labels: measured on
        digits, Adult, diabetes and Friedman's first problem with boosting, forest and neighbours, students did as well or better without.
    control : bool, default=True
        Whether to train the same student without the teacher too, for comparison.
    validation_fraction : float in (0, 1) or None, default=0.1
        Share of the rows that neither learns from, for `score`-like figures. None, or fewer than ten such rows, measures on
        the training rows: `measured_on_` says so.
    epochs, batch_size, lr : int or None, int, float, default=None, 256, 0.005
        Training of a student that is not an estimator yet; see `distillkit.nn.NetworkClassifier`. No epochs: 600 steps.
    max_seconds : float or None, default=None
        Wall-clock budget of training a network student, checked between steps, and once more of its control.
    device : str, default="auto"
        Where networks that are made here run.
    random_state : int, RandomState instance or None, default=None
        Fixes everything random, except in a teacher or student with a `random_state` of its own.

    Attributes
    ----------
    teacher_, student_, student_alone_ : fitted models
        The last is the control: the same student, taught by labels alone; None without control or y.
    classes_ : ndarray of shape (n_classes,)
        Sorted labels, only for classification. A fitted teacher may know more classes than y shows: these count too.
    task_ : {"classification", "regression"}
    student_way_ : {"loss", "weights", "logits", "numbers", "hard"}
        How the student was taught; see above.
    history_ : list of dict
        Of a network student, per epoch: loss, its parts hard and soft (numbers: in units of the scaled target), seconds; else empty.
    stopped_by_ : {"max_iter", "max_seconds", "not_finite"} or None
        What ended the training of a network student; after a loss that is not finite it is left at its best epoch.
    teacher_score_, student_score_, student_alone_score_ : float or None
        Accuracy, or the coefficient of determination, on rows held out; None without y.
    agreement_ : float
        Share of those rows for which teacher and student predict alike; for numbers the student's R2 with the
        teacher's predictions as truth.
    measured_on_ : {"validation", "training"}
        The rows of these figures.
    n_parameters_teacher_, n_parameters_student_ : int or None
        Parameters of networks, nodes of trees, numbers that other estimators predict from; None where they cannot be counted.
    compression_ratio_ : float or None
        The teacher's parameters over the student's.
    latency_ratio_ : float
        The teacher's seconds over the student's to predict the same rows, up to 256 at once: the shortest of ten.
    seconds_teacher_, seconds_student_ : float
        Seconds of training the teacher, if it was, and asking it (0 with ``alpha=1``, which needs none), and of training the student.
    n_features_in_, feature_names_in_
        As in scikit-learn.

    References
    ----------
    Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network", 2015, arXiv:1503.02531.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.linear_model import LogisticRegression
    >>> X, y = load_iris(return_X_y=True)
    >>> forest = RandomForestClassifier(n_estimators=20, random_state=0)
    >>> model = TeacherStudentDistiller(forest, LogisticRegression(), temperature=1, random_state=0).fit(X, y)
    >>> model.student_way_, model.score(X, y) > 0.9, model.compression_ratio_ > 10
    ('weights', True, True)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "teacher": "no_validation",  # refused in fit, with a remedy
        "student": "no_validation",
        "temperature": [Interval(Real, 0, None, closed="neither")],
        "alpha": [Interval(Real, 0, 1, closed="both")],
        "task": [StrOptions({"auto", "classification", "regression"})],
        "teacher_fit": [StrOptions({"if_unfitted", "never", "always"})],
        "teacher_cv": [Interval(Integral, 2, None, closed="left"), None],
        "control": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither"), None],
        "epochs": [Interval(Integral, 1, None, closed="left"), None],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "max_seconds": [Interval(Real, 0, None, closed="neither"), None],
        "device": [str],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        teacher: Any = None,
        student: Any = None,
        *,
        temperature: float = 4.0,
        alpha: float = 0.1,
        task: str = "auto",
        teacher_fit: str = "if_unfitted",
        teacher_cv: int | None = None,
        control: bool = True,
        validation_fraction: float | None = 0.1,
        epochs: int | None = None,
        batch_size: int = 256,
        lr: float = 5e-3,
        max_seconds: float | None = None,
        device: str = "auto",
        random_state: Any = None,
    ) -> None:
        self.teacher = teacher
        self.student = student
        self.temperature = temperature
        self.alpha = alpha
        self.task = task
        self.teacher_fit = teacher_fit
        self.teacher_cv = teacher_cv
        self.control = control
        self.validation_fraction = validation_fraction
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.max_seconds = max_seconds
        self.device = device
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Train the teacher where it is not, then the student.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Table, series or images; those of more than two axes are flattened for estimators that take tables.
        y : array-like of shape (n,) or None
            Class labels or numbers; None only with ``alpha=0`` and a fitted teacher.
        sample_weight : array-like of shape (n,) or None
            Weights of the rows, for student and teacher where they take them; rows of weight zero are left out.

        Returns
        -------
        self

        Raises
        ------
        DataError
            If teacher or student cannot do the task, do not fit the rows, or know other classes than y, or if y
            holds one class.
        """
        ready = serves_as_it_is(self.teacher, self.teacher_fit)
        rows = self._rows(X, y, sample_weight, ready=ready)
        rng = check_random_state(self.random_state)
        classes = self._resolve(rows, ready=ready)
        unfitted = self._new_student(len(rows), rng)  # its seed is drawn first, the same for every alpha and teacher
        learn, held = hold_out(None if classes is None else rows.y, len(rows), self.validation_fraction, rng)
        learned, names = rows.take(learn), getattr(self, "feature_names_in_", None)
        started = time.perf_counter()
        teacher, template = fit_or_reuse_teacher(
            self.teacher, learned, classes, ready=ready, device=self.device, rng=rng, names=names
        )
        taught = ask(teacher, template, learned, self.teacher_cv, rng) if self._needs_words() else None
        if classes is not None and taught is not None and (ready or self.teacher_cv is None):
            teacher.warn_if_one_hot(taught)
        targets = DistillationTargets(learned, classes, taught, float(self.temperature), float(self.alpha))
        before = time.perf_counter()
        student = self._teach(unfitted, targets, teacher)
        self._note_seconds(before - started, time.perf_counter() - before)
        alone = self._teach_alone(unfitted, student, targets)
        self._store(teacher, student, alone)
        self.measured_on_ = "validation" if len(held) else "training"
        for name, value in vars(measure(teacher, student, alone, rows.take(held) if len(held) else learned)).items():
            setattr(self, f"{name}_", value)
        return self

    def _rows(self, X: Any, y: Any, sample_weight: Any, *, ready: bool) -> Rows:
        """Validate what came in; rows of weight zero are left out."""
        if y is None and not (self.alpha == 0 and ready):
            raise DataError(
                f"alpha={self.alpha} with this teacher requires y to be passed, but the target y is None: only alpha=0 with a fitted "
                "teacher needs none."
            )
        checks: dict[str, Any] = {"dtype": [np.float64, np.float32], "allow_nd": True}
        if y is None:
            X = validate_data(self, as_numeric(to_numpy(X)), **checks)
        else:
            X, y = validate_data(self, as_numeric(to_numpy(X)), label_array(y), **checks)
        self.shape_ = X.shape[1:]
        if sample_weight is None:
            return Rows(X, y)
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        return Rows(X, y, weight).take(np.flatnonzero(weight > 0))

    def _resolve(self, rows: Rows, *, ready: bool) -> np.ndarray | None:
        """Settle the task and return the classes, None for numbers."""
        for name in ("task_", "classes_"):  # a refit may change the task
            self.__dict__.pop(name, None)
        y = rows.y
        known = self._made_for() if self.task == "auto" else self.task
        self.task_ = known or (self._task_hint() if y is None else infer_task(y))
        check_task("teacher", self.teacher, self.task_)
        if self.task_ == "classification":
            if y is not None:
                check_classification_targets(y)
            self.classes_ = find_classes(self.teacher, rows, ready=ready)
            return self.classes_
        if y is not None and y.dtype.kind not in "iufb":
            raise DataError(
                "Unknown label type: regression needs numbers in y, but y holds text or objects: give numbers, or a "
                "classifier as teacher, or task='classification'."
            )
        return None

    def _new_student(self, n_rows: int, rng: np.random.RandomState) -> Any:
        training = {name: getattr(self, name) for name in ("epochs", "batch_size", "lr", "device")}
        if self.epochs is None:
            training["epochs"] = epochs_for(n_rows, self.batch_size)
        student = new_student(self.student, self.task_, **training)
        if self.max_seconds is not None and "max_seconds" in student.get_params(deep=False):
            student.set_params(max_seconds=self.max_seconds)
        return seed_model(student, rng)

    def _needs_words(self) -> bool:
        return bool(self.alpha < 1)

    def _teach(self, unfitted: Any, targets: DistillationTargets, teacher: Teacher) -> Student:
        return teach(clone(unfitted), targets)

    def _note_seconds(self, teacher: float, student: float) -> None:
        self.seconds_teacher_ = teacher if self._needs_words() else 0.0
        self.seconds_student_ = student

    def _teach_alone(self, unfitted: Any, student: Student, targets: DistillationTargets) -> Student | None:
        """Train the control, which with ``alpha=1`` is the student itself."""
        if not self.control or targets.rows.y is None:
            return None
        return student if self.alpha == 1 else teach(unfitted, targets.without_teacher())

    def _store(self, teacher: Teacher, student: Student, alone: Student | None) -> None:
        self.teacher_, self.student_, self.student_way_ = teacher.model, student.model, student.way
        self.student_alone_ = None if alone is None else alone.model
        is_network = student.way == "loss"
        self.history_: list[dict[str, Any]] = list(student.model.history_) if is_network else []
        self.stopped_by_ = student.model.stopped_by_ if is_network else None
