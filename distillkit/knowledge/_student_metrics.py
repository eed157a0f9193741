"""The metrics of a teacher-student fit: scores, agreement, parameter counts and latency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import accuracy_score, r2_score

from distillkit.knowledge._sizes import count_parameters
from distillkit.utils._cpu_time import cpu_ratio

if TYPE_CHECKING:
    from distillkit.knowledge._student import Student
    from distillkit.knowledge._targets import Rows
    from distillkit.knowledge._teacher import Teacher

__all__ = ["StudentCosts", "StudentScores", "compare_costs", "compare_models"]

_TIMED_ROWS = 256


@dataclass(frozen=True)
class StudentScores:
    """The scores of a fit; `TeacherStudentDistiller` documents them as attributes."""

    teacher_score: float | None
    student_score: float | None
    student_alone_score: float | None
    agreement: float


@dataclass(frozen=True)
class StudentCosts:
    """The sizes and latencies of a fit; `TeacherStudentDistiller` documents them as attributes."""

    n_parameters_teacher: int | None
    n_parameters_student: int | None
    compression_ratio: float | None
    latency_ratio: float | None
    latency_ratio_single: float | None


def compare_models(
    teacher: Teacher | None, student: Student, control: Student | None, rows: Rows, given: np.ndarray | None = None
) -> StudentScores:
    """Compare a teacher, its student and the control on rows.

    Parameters
    ----------
    teacher : Teacher or None
        None if only its answers are known.
    student : Student
    control : Student or None
        The same student trained without the teacher.
    rows : Rows
        Without y there are no scores.
    given : ndarray of shape (n, n_classes) or (n,), or None
        Answers of the teacher for these rows, in place of a teacher.
    """
    if teacher is None:
        assert given is not None
        teacher_predictions = given if student.classes is None else student.classes[given.argmax(axis=1)]
    else:
        teacher_predictions = teacher.predict(rows.X)
    student_predictions = student.predict(rows.X)
    control_predictions = None if control is None else control.predict(rows.X)
    classifies = student.classes is not None

    def score(predictions: np.ndarray | None) -> float | None:
        if rows.y is None or predictions is None:
            return None
        return _agreement(rows.y, predictions, classifies=classifies)

    return StudentScores(
        teacher_score=score(teacher_predictions),
        student_score=score(student_predictions),
        student_alone_score=score(control_predictions),
        agreement=_agreement(teacher_predictions, student_predictions, classifies=classifies),
    )


def compare_costs(teacher: Teacher | None, student: Student, X: np.ndarray) -> StudentCosts:
    """Compare the sizes of a teacher and its student, and the time they take to predict rows.

    Parameters
    ----------
    teacher : Teacher or None
        None if only its answers are known.
    student : Student
    X : ndarray of shape (n, ...)
    """
    n_teacher = None if teacher is None else count_parameters(teacher.model)
    n_student = count_parameters(student.model)
    return StudentCosts(
        n_parameters_teacher=n_teacher,
        n_parameters_student=n_student,
        compression_ratio=n_teacher / n_student if n_teacher and n_student else None,
        latency_ratio=None if teacher is None else _latency_ratio(teacher, student, X[:_TIMED_ROWS]),
        latency_ratio_single=None if teacher is None else _latency_ratio(teacher, student, X[:1]),
    )


def _latency_ratio(teacher: Teacher, student: Student, X: np.ndarray) -> float:
    if student.model is teacher.model:  # two timings of the same model would differ by chance
        return 1.0
    return cpu_ratio(lambda: teacher.predict(X), lambda: student.predict(X))


def _agreement(truth: Any, predicted: Any, *, classifies: bool) -> float:
    """Return the accuracy for labels, or R2 for numbers.

    R2 is undefined for a single number, which has no variance: the result is then 1 where the
    number is predicted and 0 otherwise.
    """
    if classifies:
        return float(accuracy_score(truth, predicted))
    if len(truth) < 2:
        return float(np.allclose(truth, predicted))
    return float(r2_score(truth, predicted))
