"""What a fit of a student settles before any training: rows, task, classes and the student."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_X_y
from sklearn.utils.multiclass import check_classification_targets

from distillkit.exceptions import DataError
from distillkit.knowledge._averaged_teachers import AveragedTeachers
from distillkit.knowledge._loss_plan import LossPlan
from distillkit.knowledge._memorizing import is_tree, votes
from distillkit.knowledge._models import check_task, is_estimator
from distillkit.knowledge._soft_losses import DEFAULT_TEMPERATURES
from distillkit.knowledge._student import epochs_for, new_student, way_of_teaching
from distillkit.knowledge._student_parameters import StudentParameters
from distillkit.knowledge._targets import DistillationTargets, Rows
from distillkit.knowledge._teacher import Teacher, find_classes, is_prefitted, new_teacher
from distillkit.knowledge._teacher_source import TeacherSource
from distillkit.knowledge._teaching_rows import TeachingRows, given_outputs
from distillkit.tables._estimators import check_columns, check_order
from distillkit.tables._frame_model import for_table
from distillkit.utils._containers import label_array, to_numpy
from distillkit.utils._magnitude import check_target, within_range
from distillkit.utils._numeric_rows import validate_rows
from distillkit.utils._seeds import seed_model
from distillkit.utils._targets import infer_task, one_column
from distillkit.utils._weights import checked_weight

__all__ = ["StudentPreparation"]

_EPOCHS_OF_SELF = 100


class StudentPreparation(StudentParameters):
    """Base of `TeacherStudentDistiller` with the steps of `fit` that come before the training."""

    def _validated_rows(self, X: Any, y: Any, sample_weight: Any, *, prefitted: bool) -> tuple[Rows, np.ndarray]:
        """Validate the input, leave out rows of weight zero, and return the others' positions."""
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
        self._n_given_rows = len(X)
        weight = checked_weight(sample_weight, X)
        positions = np.arange(len(X)) if weight is None else np.flatnonzero(weight > 0)
        return Rows(X, y, weight).take(positions), positions

    def _extra_rows(self, X_unlabeled: Any, rows: Rows) -> np.ndarray:
        """Validate the rows without labels, in the form of the rows with labels."""
        if X_unlabeled is None:
            return rows.X[:0]
        if "encoder_" in self.__dict__:
            check_columns(self, X_unlabeled, reset=False)
            return np.asarray(self.encoder_.transform(X_unlabeled), dtype=rows.X.dtype)
        check_order(self, X_unlabeled)
        extra = validate_rows(self, to_numpy(X_unlabeled), reset=False, dtype=[np.float64, np.float32])
        if extra.shape[1:] != rows.X.shape[1:]:
            raise DataError(
                f"X_unlabeled has rows of shape {extra.shape[1:]}, but those of X have {rows.X.shape[1:]}: give rows "
                "of the same form."
            )
        return np.asarray(extra, dtype=rows.X.dtype)

    def _given(
        self, teacher_proba: Any, classes: np.ndarray | None, positions: np.ndarray, n_extra: int
    ) -> np.ndarray | None:
        """Return the given answers for the rows at some positions and for the extra rows."""
        if teacher_proba is None:
            return None
        answers = np.asarray(to_numpy(teacher_proba))
        n_rows = len(answers) - n_extra
        outputs = given_outputs(answers, self._n_given_rows + n_extra, classes)
        return np.concatenate([outputs[positions], outputs[n_rows:]])

    def _requested_teacher(self) -> Any:
        """Return the teacher, behind the encoder of a mixed table if it needs the frame itself."""
        return for_table(self._teacher_model(), self.__dict__.get("encoder_"))

    def _teacher_model(self) -> Any:
        """Return the teacher, where several are one, and the student teaches itself by name.

        Raises
        ------
        DataError
            If there is an empty list, or something in it that cannot teach.
        """
        if isinstance(self.teacher, str) and self.teacher == "self":
            if is_estimator(self.student):
                return clone(self.student)
            regresses = self._task_hint() == "regression"
            training = {name: getattr(self, name) for name in ("epochs", "batch_size", "lr", "device")}
            training["epochs"] = self.epochs or _EPOCHS_OF_SELF
            return new_student(self.student, "regression" if regresses else "classification", **training)
        if not isinstance(self.teacher, (list, tuple)):
            return self.teacher
        if not self.teacher:
            raise DataError("teacher=[] holds no teacher: give one or more.")
        for member in self.teacher:
            is_prefitted(member, "if_unfitted")  # refuses what cannot teach
        return AveragedTeachers(list(self.teacher))

    def _loss_plan(self, way: str) -> LossPlan:
        """Return the loss and its schedules.

        Raises
        ------
        DataError
            If a loss or a schedule was set for a student that is not taught by a loss, or if the
            schedule of alpha has no two terms to weigh.
        """
        plan = LossPlan(self.loss, self.temperature_schedule, self.alpha_schedule)
        if plan == LossPlan():
            return plan
        if way != "loss" or self.task_ == "regression":
            raise DataError(
                f"loss={self.loss!r} and schedules are for networks that learn classes, but this student is taught by "
                f"{way} ({self.task_}): leave them out, or give the name of a network as student."
            )
        if self.alpha_schedule is not None and not 0 < self.alpha < 1:
            raise DataError(
                f"alpha_schedule weighs labels and teacher, but alpha={self.alpha:g} leaves one of them out."
            )
        return plan

    def _resolve_task(self, rows: Rows, *, prefitted: bool, answered: Any = None) -> np.ndarray | None:
        """Set `task_` and return the sorted classes, or None for regression.

        `answered` are the probabilities or numbers that are given in place of a teacher.
        """
        for name in ("task_", "classes_"):  # refitting may change the task
            self.__dict__.pop(name, None)
        y = rows.y
        declared = self._task_of_models() if self.task == "auto" else self.task
        self.task_ = declared or (self._task_hint() if y is None else infer_task(y))
        check_task("teacher", self._teacher_model(), self.task_)
        if self.task_ == "classification":
            if y is not None:
                check_classification_targets(y)
            if answered is not None and y is None:
                self.classes_ = np.arange(np.shape(answered)[-1])
            else:
                known = prefitted and answered is None
                self.classes_ = find_classes(self._requested_teacher(), rows, prefitted=known)
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
        way = way_of_teaching(student, self.task_)
        self._plan = self._loss_plan(way)
        self.temperature_ = self._default_temperature(way) if self.temperature == "auto" else float(self.temperature)
        return seed_model(student, rng)

    def _default_temperature(self, way: str) -> float:
        """Return the temperature for a way of teaching and the kind of the teacher."""
        if way not in {"loss", "logits"}:
            return 1.0
        counted = way == "loss" and self.loss == "kd" and votes(self.teacher)
        return 1.0 if counted else DEFAULT_TEMPERATURES[self.loss]

    def _sized(self, unfitted: Any, targets: DistillationTargets) -> Any:
        """Return a student with as many epochs as its own rows need, if it was made here."""
        student = clone(unfitted)
        if self.epochs is None and not is_estimator(self.student) and "epochs" in student.get_params(deep=False):
            student.set_params(epochs=epochs_for(len(targets.rows), self.batch_size))
        return student

    def _augments(self, material: TeachingRows) -> bool:
        """Whether rows are made between neighbors."""
        if self.augment == "auto":
            to_tree = is_tree(self.student) or (isinstance(self.student, str) and self.student == "tree")
            return to_tree and self.teacher is not None and material.given is None and _is_table(material)
        if self.augment is not None and not _is_table(material):
            raise DataError(
                f"augment={self.augment!r} makes rows of tables, but these have the shape {material.rows.X.shape[1:]}: "
                "leave augment out."
            )
        return self.augment is not None

    def _teacher_source(
        self,
        material: TeachingRows,
        classes: np.ndarray | None,
        *,
        prefitted: bool,
        answered: bool,
        rng: np.random.RandomState,
    ) -> TeacherSource:
        """Return the source of the teacher's answers."""
        source = self._own_source(material, classes, prefitted=prefitted, answered=answered, rng=rng)
        shared = self.__dict__.get("_shared_teacher")  # of several students of the same rows
        return source if shared is None else shared.instead_of(source)

    def _own_source(
        self,
        material: TeachingRows,
        classes: np.ndarray | None,
        *,
        prefitted: bool,
        answered: bool,
        rng: np.random.RandomState,
    ) -> TeacherSource:
        if answered:
            return TeacherSource(classes)
        requested = self._requested_teacher()
        if prefitted:
            return TeacherSource(classes, Teacher(requested, classes, getattr(self, "feature_names_in_", None)))
        shape, n_rows = material.rows.X.shape[1:], len(material.rows)
        template = new_teacher(requested, shape, n_rows, self.task_, self.device, rng)
        return TeacherSource(classes, template=template, folds=self.teacher_cv)


def _is_table(material: TeachingRows) -> bool:
    return material.rows.X.ndim == 2
