"""Knowledge distillation from a teacher to a student, as a scikit-learn estimator."""

from __future__ import annotations

import time
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import _fit_context, clone
from sklearn.utils import check_random_state, check_X_y
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets

from distillkit.exceptions import DataError
from distillkit.knowledge._cross_fitting import teacher_outputs
from distillkit.knowledge._models import check_task
from distillkit.knowledge._split import hold_out
from distillkit.knowledge._student import Student, epochs_for, fit_student, new_student
from distillkit.knowledge._student_estimator import StudentEstimator
from distillkit.knowledge._student_metrics import compare_models
from distillkit.knowledge._targets import DistillationTargets, Rows
from distillkit.knowledge._teacher import Teacher, find_classes, fit_or_reuse_teacher, is_prefitted
from distillkit.tables._estimators import check_columns, learn_encoder
from distillkit.tables._frame_model import for_table
from distillkit.utils._containers import label_array, to_numpy
from distillkit.utils._magnitude import check_target, within_range
from distillkit.utils._numeric_rows import validate_rows
from distillkit.utils._process_settings import standard_settings
from distillkit.utils._progress import progress_task, shown_progress
from distillkit.utils._seeds import seed_model
from distillkit.utils._targets import infer_task, one_column
from distillkit.utils._weights import checked_weight

__all__ = ["TeacherStudentDistiller"]


class TeacherStudentDistiller(StudentEstimator):
    r"""A small student that learns from a large teacher's soft labels, with or without hard labels.

    This method makes a model smaller, not a data set. It is used like any scikit-learn estimator:
    `predict`, `predict_proba` and `score` are the student's, and `transform` returns the student's
    class probabilities at the temperature.

    How the student learns depends on its kind, and `student_way_` says which case applied:

    - A torch network minimizes
      :math:`\alpha\,CE(y, s) + (1-\alpha)\,T^2\,KL(softmax(t/T)\,\|\,softmax(s/T))` for logits t of
      the teacher and s of the student, or :math:`\alpha\,(y-s)^2 + (1-\alpha)\,(t-s)^2` for
      numbers.
    - A scikit-learn classifier that takes `sample_weight` sees each row once per class k, weighted
      by :math:`\alpha\,1[k=y] + (1-\alpha)\,p_k^{1/T}/\sum p^{1/T}`, which for learners of the log
      loss is exact soft cross-entropy. It has no temperature of its own, so `student_` learns the
      probabilities at temperature T, and `predict_proba` brings them back to temperature 1.
    - A regressor learns the logits of the mixed labels, and `student_` is a classifier that
      predicts the class of the largest output of its `regressor_`.
    - Any other classifier learns the most probable class of the mixed labels.

    Parameters
    ----------
    teacher : estimator, Module, str or None, default=None
        Any scikit-learn classifier or regressor, a torch module, or the name of a network. A module
        gets the rows in the units of X, as tensors of its own precision, and returns one logit per
        class in the order of the sorted labels, or one number. None is gradient boosting for tables
        and a network for series and images. The values of `decision_function` serve as logits for
        classifiers without `predict_proba`.
    student : estimator, Module, callable, str or None, default=None
        A `distillkit.nn.NetworkClassifier` or `NetworkRegressor` with settings of its own; the name
        of a network, a function of (shape, n_outputs) that returns a module, or a module to start
        from; or any scikit-learn estimator. None is a small network: 16 channels for series and
        images, 32 hidden units for tables.
    temperature : float, default=4.0
        Temperature of the teacher's soft labels and of the probabilities that `transform` returns.
        It has no effect on numbers.
    alpha : float in [0, 1], default=0.1
        Weight of the hard labels. 1 is ordinary training, bit for bit; 0 needs no y if the teacher
        is fitted.
    task : {"auto", "classification", "regression"}, default="auto"
        Kind of the target y. "auto" is the task of a teacher that is a classifier or a regressor,
        or else of a student that is a classifier; if neither decides, it is inferred from y as in
        `BaseDistiller`.
    teacher_fit : {"if_unfitted", "never", "always"}, default="if_unfitted"
        When to train a copy of the teacher on the rows. A fitted teacher is used as it is, modules
        in evaluation mode. Note that scikit-learn's `clone`, and therefore `GridSearchCV`, discards
        what an estimator has learned: wrap a teacher that must stay fitted in
        `sklearn.frozen.FrozenEstimator`.
    teacher_cv : int or None, default=None
        Number of cross-fitting folds. None takes the soft labels of a teacher trained here from
        its own training rows. With folds, each row is labeled by a copy of the teacher that was not
        trained on it. Use it for trees and neighbors, which are overconfident on their training
        rows; a warning says where it is needed. For other teachers the default is better: folds
        cost one more training each, and put the teacher's test errors into the soft labels.
    control : bool, default=True
        Whether to train the same student also without the teacher, for comparison.
    validation_fraction : float in (0, 1) or None, default=0.1
        Share of the rows that is held out from both models to compute the metrics. With None, or
        with fewer than ten such rows, the metrics are computed on the training rows;
        `measured_on_` says which.
    epochs, batch_size, lr : int or None, int, float, default=None, 256, 0.005
        Training of a student that is not an estimator yet; see `distillkit.nn.NetworkClassifier`.
        ``epochs=None`` means at least 600 steps.
    max_seconds : float or None, default=None
        Time limit in seconds for training a network student, checked between steps. The control has
        the same limit once more.
    device : str, default="auto"
        Device of networks that are made here.
    verbose : bool, default=False
        Whether to show the progress of `fit`; see `BaseDistiller`.
    random_state : int, RandomState instance or None, default=None
        Seeds everything random, except a teacher or student with a `random_state` of its own.

    Attributes
    ----------
    teacher_, student_, student_alone_ : fitted models
        The last is the control: the same student trained on hard labels alone. It is None without
        control or y.
    classes_ : ndarray of shape (n_classes,)
        Sorted labels, only for classification. They include classes that a fitted teacher knows
        and y does not hold.
    task_ : {"classification", "regression"}
    student_way_ : {"loss", "weights", "logits", "numbers", "hard"}
        How the student was trained: with the distillation loss, sample weights, logits, numbers, or
        most probable labels; see above.
    history_ : list of dict
        One entry per epoch of a network student, with its loss, the parts hard and soft of the loss
        (for numbers in units of the scaled target), and seconds; empty for other students.
    stopped_by_ : {"max_iter", "max_seconds", "not_finite"} or None
        What ended the training of a network student. After a loss that is not finite, the student
        has the weights of its best epoch.
    teacher_score_, student_score_, student_alone_score_ : float or None
        Accuracy, or R2 (the coefficient of determination) for numbers, on the rows held out; None
        without y.
    agreement_ : float
        Share of these rows for which teacher and student predict the same label; for numbers, the
        student's R2 with the teacher's predictions as truth.
    measured_on_ : {"validation", "training"}
        Rows on which the metrics were computed.
    n_parameters_teacher_, n_parameters_student_ : int or None
        Parameters of networks, nodes of trees, numbers that other estimators predict from; None if
        they cannot be counted.
    compression_ratio_ : float or None
        The teacher's parameters divided by the student's.
    latency_ratio_, latency_ratio_single_ : float
        The teacher's prediction time divided by the student's, for the same rows (at most 256) at
        once and for a single row. Times are the medians of CPU seconds on one thread, measured for
        both models in turn.
    seconds_teacher_, seconds_student_ : float
        Time in seconds for training the teacher, if it was trained here, and computing its outputs
        (0 with ``alpha=1``, which needs none), and for training the student.
    n_features_in_, feature_names_in_
        As in scikit-learn.
    encoder_ : TableEncoder
        Only if X was a mixed table.

    References
    ----------
    Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network", 2015,
    arXiv:1503.02531.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.linear_model import LogisticRegression
    >>> X, y = load_iris(return_X_y=True)
    >>> forest = RandomForestClassifier(n_estimators=20, random_state=0)
    >>> student = LogisticRegression()
    >>> model = TeacherStudentDistiller(forest, student, temperature=1, random_state=0).fit(X, y)
    >>> model.student_way_, model.score(X, y) > 0.9, model.compression_ratio_ > 10
    ('weights', True, True)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "teacher": "no_validation",  # checked in fit, with a helpful message
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
        "verbose": ["boolean"],
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
        verbose: bool = False,
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
        self.verbose = verbose
        self.device = device
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Train the teacher unless it is fitted, then the student.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Table, series or images. Rows of more than one axis are flattened for estimators that
            take tables. A mixed table (text, categories, dates or gaps) is encoded by
            `TableEncoder` for teacher and student; a teacher that was fitted on such a frame, or
            that is a pipeline with a `ColumnTransformer`, gets the frame itself.
        y : array-like of shape (n,) or None
            Class labels or numbers; None only with ``alpha=0`` and a fitted teacher.
        sample_weight : array-like of shape (n,) or None
            Weights of the rows, for student and teacher if they take weights. Rows of weight zero
            are left out.

        Returns
        -------
        self

        Raises
        ------
        DataError
            If teacher or student do not support the task, do not fit the rows, or know other
            classes than y, or if y holds a single class.
        """
        with (
            standard_settings(),
            shown_progress(enabled=bool(getattr(self, "verbose", False))),
            progress_task(type(self).__name__, "model", self.max_seconds) as task,
        ):
            # 1. Validate the input and settle the task.
            prefitted = is_prefitted(self.teacher, self.teacher_fit)
            learn_encoder(self, X)
            rows = self._validated_rows(X, y, sample_weight, prefitted=prefitted)
            rng = check_random_state(self.random_state)
            classes = self._resolve_task(rows, prefitted=prefitted)
            # 2. Draw the student's seed first, so that it is the same for every alpha and teacher.
            unfitted = self._new_student(len(rows), rng)
            # 3. Hold out validation rows, which neither model sees.
            train, validation = hold_out(None if classes is None else rows.y, len(rows), self.validation_fraction, rng)
            training_rows, names = rows.take(train), getattr(self, "feature_names_in_", None)
            # 4. Train the teacher and compute its outputs for the training rows.
            teacher_start = time.perf_counter()
            teacher, template = fit_or_reuse_teacher(
                self._requested_teacher(),
                training_rows,
                classes,
                prefitted=prefitted,
                device=self.device,
                rng=rng,
                names=names,
            )
            outputs = None
            if self._needs_teacher_outputs():
                outputs = teacher_outputs(teacher, template, training_rows, self.teacher_cv, rng)
            if classes is not None and outputs is not None and (prefitted or self.teacher_cv is None):
                teacher.warn_if_one_hot(outputs)
            # 5. Train the student on the mixture of hard and soft labels, and the control on the
            # hard labels alone.
            targets = DistillationTargets(training_rows, classes, outputs, float(self.temperature), float(self.alpha))
            n_models = 3 if self.control else 2
            task.update(1, n_models)
            student_start = time.perf_counter()
            student = self._fit_student(unfitted, targets, teacher)
            self._record_seconds(student_start - teacher_start, time.perf_counter() - student_start)
            task.update(2, n_models)
            control = self._fit_control(unfitted, student, targets)
            task.update(n_models, n_models)
            self._store(teacher, student, control)
            # 6. Compare the models on the validation rows, or on training rows if there are none.
            self.measured_on_ = "validation" if len(validation) else "training"
            measured_rows = rows.take(validation) if len(validation) else training_rows
            for name, value in vars(compare_models(teacher, student, control, measured_rows)).items():
                setattr(self, f"{name}_", value)
        return self

    def _validated_rows(self, X: Any, y: Any, sample_weight: Any, *, prefitted: bool) -> Rows:
        """Validate the input and leave out rows of weight zero."""
        if y is None and not (self.alpha == 0 and prefitted):
            raise DataError(
                f"alpha={self.alpha} with this teacher requires y to be passed, but the target y is None: "
                "only alpha=0 with a fitted teacher needs none."
            )
        checks: dict[str, Any] = {"dtype": [np.float64, np.float32]}
        if "encoder_" in self.__dict__:
            y = label_array(y)
            check_columns(self, X, "no_validation" if y is None else y, reset=True)
            encoded = self.encoder_.transform(X)
            X, y = (encoded, None) if y is None else check_X_y(encoded, y, estimator=self)
        elif y is None:
            X = validate_rows(self, to_numpy(X), **checks)
        else:
            X, y = validate_rows(self, to_numpy(X), y=label_array(y), **checks)
        y = None if y is None else one_column(y)
        X = within_range(X, getattr(self, "feature_names_in_", None))
        self.shape_ = X.shape[1:]
        weight = checked_weight(sample_weight, X)
        return Rows(X, y) if weight is None else Rows(X, y, weight).take(np.flatnonzero(weight > 0))

    def _requested_teacher(self) -> Any:
        """Return the teacher, behind the encoder of a mixed table if it needs the frame itself."""
        return for_table(self.teacher, self.__dict__.get("encoder_"))

    def _resolve_task(self, rows: Rows, *, prefitted: bool) -> np.ndarray | None:
        """Set `task_` and return the sorted classes, or None for regression."""
        for name in ("task_", "classes_"):  # refitting may change the task
            self.__dict__.pop(name, None)
        y = rows.y
        declared = self._task_of_models() if self.task == "auto" else self.task
        self.task_ = declared or (self._task_hint() if y is None else infer_task(y))
        check_task("teacher", self.teacher, self.task_)
        if self.task_ == "classification":
            if y is not None:
                check_classification_targets(y)
            self.classes_ = find_classes(self._requested_teacher(), rows, prefitted=prefitted)
            return self.classes_
        if y is not None and y.dtype.kind not in "iufb":
            raise DataError(
                "Unknown label type: regression needs numbers in y, but y holds text or objects: give numbers, or a "
                "classifier as teacher, or task='classification'."
            )
        if y is not None:
            check_target(y)
        return None

    def _new_student(self, n_rows: int, rng: np.random.RandomState) -> Any:
        training = {name: getattr(self, name) for name in ("epochs", "batch_size", "lr", "device")}
        if self.epochs is None:
            training["epochs"] = epochs_for(n_rows, self.batch_size)
        student = new_student(self.student, self.task_, **training)
        if self.max_seconds is not None and "max_seconds" in student.get_params(deep=False):
            student.set_params(max_seconds=self.max_seconds)
        return seed_model(student, rng)

    def _needs_teacher_outputs(self) -> bool:
        return bool(self.alpha < 1)

    def _fit_student(self, unfitted: Any, targets: DistillationTargets, teacher: Teacher) -> Student:
        return fit_student(clone(unfitted), targets)

    def _record_seconds(self, teacher: float, student: float) -> None:
        self.seconds_teacher_ = teacher if self._needs_teacher_outputs() else 0.0
        self.seconds_student_ = student

    def _fit_control(self, unfitted: Any, student: Student, targets: DistillationTargets) -> Student | None:
        """Train the student without the teacher; with ``alpha=1`` it is the student itself."""
        if not self.control or targets.rows.y is None:
            return None
        return student if self.alpha == 1 else fit_student(unfitted, targets.without_teacher())

    def _store(self, teacher: Teacher, student: Student, control: Student | None) -> None:
        self.teacher_, self.student_, self.student_way_ = teacher.model, student.model, student.method
        self._learned_temperature = student.temperature
        self.student_alone_ = None if control is None else control.model
        is_network = student.method == "loss"
        self.history_: list[dict[str, Any]] = list(student.model.history_) if is_network else []
        self.stopped_by_ = student.model.stopped_by_ if is_network else None
