"""Registers the synthesizers, the soft-label methods, and the teacher and student methods."""

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
        summary="Rows selected from the samples of a class-conditional GAN",
    ),
    MethodSpec(
        name="trees",
        target="distillkit.synthesis:TreeSynthesizer",
        kind="synthesis",
        modalities=frozenset({"table"}),
        reference="Reiter, Journal of Official Statistics 21, 2005",
        suits=frozenset({"tables"}),
        summary="Rows drawn column by column from the leaves of decision trees",
    ),
    MethodSpec(
        name="forest",
        target="distillkit.synthesis:ForestSynthesizer",
        kind="synthesis",
        modalities=frozenset({"table"}),
        reference="Watson et al., AISTATS 2023, arXiv:2205.09435",
        suits=frozenset({"tables"}),
        summary="Rows drawn from the leaves of an adversarial random forest, a density",
    ),
    MethodSpec(
        name="mixture",
        target="distillkit.synthesis:MixtureSynthesizer",
        kind="synthesis",
        starts_from_real=True,
        reference="a mixture of Gaussians for each class",
        summary="Rows drawn from a mixture of Gaussians for each class",
    ),
    MethodSpec(
        name="interpolation",
        target="distillkit.synthesis:InterpolationSynthesizer",
        kind="synthesis",
        exposes_originals=True,  # rows whose columns are all categories
        starts_from_real=True,
        reference="Chawla et al., Journal of Artificial Intelligence Research 16, 2002",
        summary="Rows between a training row and one of its neighbors, as in SMOTE",
    ),
    MethodSpec(
        name="copula",
        target="distillkit.synthesis:CopulaSynthesizer",
        kind="synthesis",
        modalities=frozenset({"table"}),
        presets={"empirical": {"copula": "empirical"}},
        reference="Segers, Sibuya and Tsukahara, Journal of Multivariate Analysis 155, 2017",
        summary="Rows drawn from the columns' distributions and a copula for each class",
    ),
    MethodSpec(
        name="surrogates",
        target="distillkit.synthesis:SurrogateSynthesizer",
        kind="synthesis",
        modalities=frozenset({"series"}),
        starts_from_real=True,
        presets={"phases": {"method": "phases"}},
        reference="Theiler et al., Physica D 58, 1992",
        suits=frozenset({"series"}),
        summary="Series of blocks of training series, or with random phases",
    ),
)
"""The methods that generate rows."""

SOFT_LABELS = (
    MethodSpec(
        name="soft-random",
        target="distillkit.knowledge:SoftLabels",
        version=2,
        kind="knowledge",
        role=CONTROL,
        params={"distiller": "random"},
        label_mode="soft",
        requires=("torch",),
        exposes_originals={"distiller": ()},
        starts_from_real={"distiller": ()},
        tuned_on="mnist",  # the temperature of 4 and the share of hard labels
        summary="Random rows labeled with the probabilities of a teacher trained on all rows",
    ),
    MethodSpec(
        name="soft-kmeans",
        target="distillkit.knowledge:SoftLabels",
        version=2,
        kind="knowledge",
        params={"distiller": "kmeans"},
        label_mode="soft",
        requires=("torch",),
        exposes_originals={"distiller": ()},
        starts_from_real={"distiller": ()},
        tuned_on="mnist",  # the temperature of 4 and the share of hard labels
        summary="k-means centroids labeled with the probabilities of a teacher trained on all rows",
    ),
)
"""The methods that label rows with the probabilities of a teacher."""


def _students() -> tuple[MethodSpec, ...]:
    """Return the methods that reduce a model.

    With the same seed, all of them have the same teacher, and their students start from the same
    weights.
    """
    # The bench runs the control as a separate method and measures on test rows, so the estimator
    # need neither train a control nor hold out validation rows.
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
            summary="The large model that serves as the teacher in teacher-student",
            **common,
        ),
        MethodSpec(
            name="student-alone",
            target=student,
            kind="control",
            role=CONTROL,
            params={**bare, "alpha": 1.0},
            summary="The small model of teacher-student, trained on the labels alone",
            **common,
        ),
        MethodSpec(
            name="teacher-student",
            target=student,
            version=2,
            kind="knowledge",
            params=bare,
            reference="Hinton, Vinyals and Dean 2015, arXiv:1503.02531",
            summary="A small model trained on the probabilities of a large one and on the labels",
            **common,
        ),
    )


STUDENTS = _students()
"""The methods that reduce a model, and the models that they are compared with."""
