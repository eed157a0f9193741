"""The metrics of a teacher-student fit: scores, agreement, parameter counts and latency."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import accuracy_score, r2_score

from distillkit.knowledge._sizes import count_bytes, count_parameters
from distillkit.utils._cpu_time import latencies, paired_ratio

if TYPE_CHECKING:
    from distillkit.knowledge._student import Student
    from distillkit.knowledge._targets import Rows
    from distillkit.knowledge._teacher import Teacher

__all__ = ["StudentCosts", "StudentScores", "compare_costs", "compare_models", "predict_seconds"]

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
    n_bytes_teacher: int | None
    n_bytes_student: int | None
    byte_compression_ratio: float | None
    costs: dict[str, dict[str, float | None]]
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


def compare_costs(teacher: Teacher | None, student: Student, control: Student | None, X: np.ndarray) -> StudentCosts:
    """Compare the sizes of a teacher, its student and the control, and their times to predict rows.

    Parameters
    ----------
    teacher : Teacher or None
        None if only its answers are known.
    student : Student
    control : Student or None
        The same student trained without the teacher.
    X : ndarray of shape (n, ...)
        Rows to predict; they are repeated where there are fewer than 256.
    """
    named = {"teacher": teacher, "student": student, "student_alone": control}
    models = {name: each for name, each in named.items() if each is not None}
    many, single = (predict_seconds(models, X, n_rows) for n_rows in (_TIMED_ROWS, 1))
    costs: dict[str, dict[str, float | None]] = {
        name: {
            "parameters": count_parameters(each.model),
            "bytes": count_bytes(each.model),
            "latency": statistics.median(many[name]),
            "latency_single": statistics.median(single[name]),
        }
        for name, each in models.items()
    }

    def of(name: str, figure: str) -> Any:
        return costs[name][figure] if name in costs else None

    def quotient(figure: str) -> float | None:
        first, second = of("teacher", figure), of("student", figure)
        return first / second if first and second else None

    return StudentCosts(
        n_parameters_teacher=of("teacher", "parameters"),
        n_parameters_student=of("student", "parameters"),
        compression_ratio=quotient("parameters"),
        n_bytes_teacher=of("teacher", "bytes"),
        n_bytes_student=of("student", "bytes"),
        byte_compression_ratio=quotient("bytes"),
        costs=costs,
        latency_ratio=None if teacher is None else paired_ratio(many["teacher"], many["student"]),
        latency_ratio_single=None if teacher is None else paired_ratio(single["teacher"], single["student"]),
    )


def predict_seconds(models: dict[str, Any], X: np.ndarray, n_rows: int) -> dict[str, list[float]]:
    """Return CPU seconds of each model to predict rows, one number per round, by its name.

    Parameters
    ----------
    models : dict of str to Teacher or Student
    X : ndarray of shape (n, ...)
    n_rows : int
        Number of rows to predict; those of X are repeated where they are fewer.
    """
    rows = X[np.arange(n_rows) % len(X)]
    # A model that has two places is timed once, since two timings would differ by chance.
    places = {id(each.model): each for each in models.values()}
    measured = latencies([partial(each.predict, rows) for each in places.values()])
    seconds = dict(zip(places, measured, strict=True))
    return {name: seconds[id(each.model)] for name, each in models.items()}


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
