"""What a fit has brought: scores, agreement, sizes, times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import accuracy_score, r2_score

from distillkit.knowledge._sizes import count_numbers, seconds_per_call

if TYPE_CHECKING:
    from distillkit.knowledge._student import Student
    from distillkit.knowledge._targets import Rows
    from distillkit.knowledge._teacher import Teacher

__all__ = ["Figures", "measure"]

_TIMED_ROWS = 256


@dataclass(frozen=True)
class Figures:
    """The fields are attributes of `TeacherStudentDistiller`, where they are described."""

    teacher_score: float | None
    student_score: float | None
    student_alone_score: float | None
    agreement: float
    n_parameters_teacher: int | None
    n_parameters_student: int | None
    compression_ratio: float | None
    latency_ratio: float


def measure(teacher: Teacher, student: Student, alone: Student | None, rows: Rows) -> Figures:
    """Compare teacher, student and the student taught alone on rows.

    Parameters
    ----------
    teacher : Teacher
    student, alone : Student
        `alone` may be None.
    rows : Rows
        Without y there are no scores.
    """
    taught, learned = teacher.predict(rows.X), student.predict(rows.X)
    by_itself = None if alone is None else alone.predict(rows.X)
    classifies = teacher.classes is not None

    def score(predicted: np.ndarray | None) -> float | None:
        known = rows.y is not None and predicted is not None
        return _agreement(rows.y, predicted, classifies=classifies) if known else None

    n_teacher, n_student = count_numbers(teacher.model), count_numbers(student.model)
    return Figures(
        teacher_score=score(taught),
        student_score=score(learned),
        student_alone_score=score(by_itself),
        agreement=_agreement(taught, learned, classifies=classifies),
        n_parameters_teacher=n_teacher,
        n_parameters_student=n_student,
        compression_ratio=n_teacher / n_student if n_teacher and n_student else None,
        latency_ratio=_latency_ratio(teacher, student, rows.X[:_TIMED_ROWS]),
    )


def _latency_ratio(teacher: Teacher, student: Student, X: np.ndarray) -> float:
    if student.model is teacher.model:  # two timings of one model would differ by chance
        return 1.0
    return seconds_per_call(teacher.predict, X) / seconds_per_call(student.predict, X)


def _agreement(truth: Any, predicted: Any, *, classifies: bool) -> float:
    """Share of equal labels, or R2; one number alone has no spread, so its R2 is 1 where it is met and 0 else."""
    if classifies:
        return float(accuracy_score(truth, predicted))
    if len(truth) < 2:
        return float(np.allclose(truth, predicted))
    return float(r2_score(truth, predicted))
