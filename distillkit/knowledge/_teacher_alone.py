"""A teacher on its own, evaluated like a student, as the reference for students."""

from __future__ import annotations

from typing import Any

import numpy as np

from distillkit.knowledge._student import Student
from distillkit.knowledge._targets import DistillationTargets
from distillkit.knowledge._teacher import Teacher
from distillkit.knowledge._teacher_student import TeacherStudentDistiller
from distillkit.knowledge._temperature import softmax

__all__ = ["TeacherAlone"]


class _TeacherAsStudent(Student):
    """A teacher with the interface of a student; it may be a torch module without `predict`."""

    def predict(self, X: np.ndarray) -> np.ndarray:
        return Teacher(self.model, self.classes).predict(X)

    def logits(self, X: np.ndarray) -> np.ndarray:
        return Teacher(self.model, self.classes).outputs(X)

    def probabilities(self, X: np.ndarray) -> np.ndarray:
        return softmax(self.logits(X))


class TeacherAlone(TeacherStudentDistiller):
    """The teacher of a `TeacherStudentDistiller` with the same parameters, in the student's place.

    The same seed gives the same teacher, because both classes draw the student's seed first, even
    though this class trains no student. The metrics compare the teacher with itself: agreement and
    ratios are 1, ``seconds_teacher_`` is 0, and ``seconds_student_`` is the teacher's training
    time.
    """

    def _needs_teacher_outputs(self) -> bool:
        return False

    def _fit_student(self, unfitted: Any, targets: DistillationTargets, teacher: Teacher | None) -> Student:
        assert teacher is not None
        return _TeacherAsStudent(teacher.model, "itself", teacher.classes)

    def _record_seconds(self, teacher: float, student: float) -> None:
        self.seconds_teacher_, self.seconds_student_ = 0.0, teacher

    def _fit_control(self, unfitted: Any, student: Student, targets: DistillationTargets) -> Student | None:
        return None

    def _student(self) -> Student:
        return _TeacherAsStudent(self.teacher_, "itself", getattr(self, "classes_", None))
