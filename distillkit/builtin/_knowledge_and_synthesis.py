"""The registrations of synthesizers, soft labels, teachers and students."""

from __future__ import annotations

from typing import Any

from distillkit.specs import CONTROL, REFERENCE, MethodSpec

__all__ = ["SOFT_LABELS", "STUDENTS", "SYNTHESIZERS"]

SYNTHESIZERS = (
    MethodSpec(
        name="gan",
        target="distillkit.synthesis:GANSynthesizer",
        kind="synthesis",
        requires=("torch",),
        reference="hinge loss and projection: Miyato and Koyama, ICLR 2018, arXiv:1802.05637",
        summary="Rows chosen from what a class-conditional generator makes",
    ),
)
"""Methods that generate rows."""

SOFT_LABELS = (
    MethodSpec(
        name="soft-random",
        target="distillkit.knowledge:SoftLabels",
        kind="knowledge",
        role=CONTROL,
        params={"distiller": "random"},
        label_mode="soft",
        requires=("torch",),
        summary="Random rows with the probabilities of a teacher trained on all rows",
    ),
    MethodSpec(
        name="soft-kmeans",
        target="distillkit.knowledge:SoftLabels",
        kind="knowledge",
        params={"distiller": "kmeans"},
        label_mode="soft",
        requires=("torch",),
        summary="k-means centroids with the probabilities of a teacher trained on all rows",
    ),
)
"""Methods that give rows the probabilities of a teacher."""


def _students() -> tuple[MethodSpec, ...]:
    """Return the methods that reduce a model: the same seed gives the same teacher and students that start alike."""
    # the bench trains the control as a method of its own, and has test rows for the figures
    bare: dict[str, Any] = {"control": False, "validation_fraction": None}
    common: dict[str, Any] = {"reduces": "model", "budgeted": False, "requires": ("torch",)}
    student = "distillkit.knowledge:TeacherStudentDistiller"
    return (
        MethodSpec(
            name="teacher",
            target="distillkit.knowledge._teacher_alone:TeacherAlone",
            kind="control",
            role=REFERENCE,
            params=bare,
            summary="The large model that teaches in teacher-student, by itself",
            **common,
        ),
        MethodSpec(
            name="student-alone",
            target=student,
            kind="control",
            role=CONTROL,
            params={**bare, "alpha": 1.0},
            summary="The small model of teacher-student, taught by labels alone",
            **common,
        ),
        MethodSpec(
            name="teacher-student",
            target=student,
            kind="knowledge",
            params=bare,
            reference="Hinton, Vinyals and Dean 2015, arXiv:1503.02531",
            summary="A small model taught by a large one's probabilities and by labels",
            **common,
        ),
    )


STUDENTS = _students()
"""Methods that make a model small, and the models that they are compared with."""
