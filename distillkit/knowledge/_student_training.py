"""The trainings of a teacher-student fit: teacher, student and control, and their comparison."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.knowledge._neighbor_rows import default_number, neighbor_rows
from distillkit.knowledge._student import Student, fit_student
from distillkit.knowledge._student_metrics import StudentCosts, StudentScores, compare_costs, compare_models
from distillkit.knowledge._student_preparation import StudentPreparation
from distillkit.knowledge._targets import DistillationTargets
from distillkit.knowledge._teacher import Teacher
from distillkit.knowledge._teacher_source import TeacherSource
from distillkit.knowledge._teaching_rows import TeachingRows

__all__ = ["StudentTraining"]


class StudentTraining(StudentPreparation):
    """Base of `TeacherStudentDistiller` with the trainings and their comparison."""

    def _train_and_compare(
        self,
        material: TeachingRows,
        parts: tuple[np.ndarray, np.ndarray],
        source: TeacherSource,
        unfitted: Any,
        rng: np.random.RandomState,
        task: Any,
    ) -> None:
        """Train the models on training rows, compare them on validation rows, and train again.

        Parameters
        ----------
        material : TeachingRows
        parts : (ndarray of int, ndarray of int)
            Positions of the training rows and of the validation rows, which may be none.
        source : TeacherSource
        unfitted : estimator
            The student.
        rng : RandomState
        task : object
            Progress of the fit.
        """
        train, validation = parts
        refits = self.refit and len(validation) > 0
        n_models = (3 if self.control else 2) * (2 if refits else 1)
        done = _counter(task, n_models)
        models = self._teach(material.take(train), source, unfitted, rng, done)
        self.measured_on_ = "validation" if len(validation) else "training"
        measured = material.take(validation if len(validation) else train)
        given = None if measured.given is None else measured.given[: len(measured.rows)]
        self._record(compare_models(*models, measured.rows, given))
        if refits:
            models = self._teach(material, source, unfitted, rng, done)
        self._record(compare_costs(*models, measured.rows.X))
        self._store(*models)

    def _teach(
        self,
        material: TeachingRows,
        source: TeacherSource,
        unfitted: Any,
        rng: np.random.RandomState,
        done: Callable[[], None],
    ) -> tuple[Teacher | None, Student, Student | None]:
        """Train teacher, student and control on rows, and call `done` after each."""
        # 1. Train the teacher and compute its answers.
        teacher_start = time.perf_counter()
        teacher = source.train(material.rows)
        outputs, own_alpha = None, float(self.alpha)
        if self._needs_teacher_outputs():
            if n_made := self._n_made(material, teacher):
                material, own_alpha = material.with_extra(neighbor_rows(material.rows.X, n_made, rng)), 1.0
            own = own_alpha < 1 or not material.labeled.all()
            outputs = source.answers(teacher, material, rng, own=own)
        done()
        # 2. Train the student on the mixture of hard and soft labels, and the control on the hard
        # labels alone.
        targets = material.targets(source.classes, outputs, self.temperature_, float(self.alpha), own_alpha, self._plan)
        student_start = time.perf_counter()
        student = self._fit_student(self._sized(unfitted, targets), targets, teacher)
        self._record_seconds(student_start - teacher_start, time.perf_counter() - student_start)
        done()
        control = self._fit_control(unfitted, student, targets)
        if self.control:
            done()
        return teacher, student, control

    def _n_made(self, material: TeachingRows, teacher: Teacher | None) -> int:
        """Return the number of rows to make between neighbors."""
        if not self._augments(material):
            return 0
        if teacher is None or material.given is not None:
            raise DataError(
                "augment='neighbors' makes rows for the teacher to answer, but teacher_proba holds answers for given "
                "rows only: leave one of the two out."
            )
        return self.n_augment or default_number(len(material.rows))

    def _record(self, measured: StudentScores | StudentCosts) -> None:
        for name, value in vars(measured).items():
            setattr(self, f"{name}_", value)

    def _needs_teacher_outputs(self) -> bool:
        return bool(self.alpha < 1)

    def _fit_student(self, unfitted: Any, targets: DistillationTargets, teacher: Teacher | None) -> Student:
        return fit_student(unfitted, targets)

    def _record_seconds(self, teacher: float, student: float) -> None:
        self.seconds_teacher_ = teacher if self._needs_teacher_outputs() else 0.0
        self.seconds_student_ = student

    def _fit_control(self, unfitted: Any, student: Student, targets: DistillationTargets) -> Student | None:
        """Train the student without the teacher; with ``alpha=1`` it is the student itself."""
        if not self.control or targets.rows.y is None:
            return None
        alone = targets.without_teacher()
        return student if self.alpha == 1 else fit_student(self._sized(unfitted, alone), alone)

    def _store(self, teacher: Teacher | None, student: Student, control: Student | None) -> None:
        self.teacher_ = None if teacher is None else teacher.model
        self.student_, self.student_way_ = student.model, student.method
        self._learned_temperature = student.temperature
        self.student_alone_ = None if control is None else control.model
        is_network = student.method == "loss"
        self.history_: list[dict[str, Any]] = list(student.model.history_) if is_network else []
        self.stopped_by_ = student.model.stopped_by_ if is_network else None


def _counter(task: Any, n_models: int) -> Callable[[], None]:
    """Return a function that reports one more model as trained."""
    numbers = count(1)
    return lambda: task.update(next(numbers), n_models)
