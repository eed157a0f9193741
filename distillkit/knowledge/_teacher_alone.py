"""The teacher of a teacher-student run by itself, as the reference that students are measured by."""

from __future__ import annotations

from typing import Any

import numpy as np

from distillkit.knowledge._student import Student
from distillkit.knowledge._targets import DistillationTargets
from distillkit.knowledge._teacher import Teacher
from distillkit.knowledge._teacher_student import TeacherStudentDistiller
from distillkit.knowledge._temperature import softmax

__all__ = ["TeacherAlone"]


class _Itself(Student):
    """A teacher where a student is expected; it may be a torch module, which has no `predict`."""

    def predict(self, X: np.ndarray) -> np.ndarray:
        return Teacher(self.model, self.classes).predict(X)

    def logits(self, X: np.ndarray) -> np.ndarray:
        return Teacher(self.model, self.classes).outputs(X)

    def probabilities(self, X: np.ndarray) -> np.ndarray:
        return softmax(self.logits(X))


class TeacherAlone(TeacherStudentDistiller):
    """The teacher that `TeacherStudentDistiller` trains with the same parameters, in the place of the student.

    The same seed gives the very same teacher: both draw the student's seed first, though none is trained here. Figures
    are those of a model compared with itself: agreement and ratios are 1, ``seconds_teacher_`` is 0, and
    ``seconds_student_`` is what training the teacher took.
    """

    def _needs_words(self) -> bool:
        return False

    def _teach(self, unfitted: Any, targets: DistillationTargets, teacher: Teacher) -> Student:
        return _Itself(teacher.model, "itself", teacher.classes)

    def _note_seconds(self, teacher: float, student: float) -> None:
        self.seconds_teacher_, self.seconds_student_ = 0.0, teacher

    def _teach_alone(self, unfitted: Any, student: Student, targets: DistillationTargets) -> Student | None:
        return None

    def _student(self) -> Student:
        return _Itself(self.teacher_, "itself", getattr(self, "classes_", None))
