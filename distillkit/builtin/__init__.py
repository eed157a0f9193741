"""What distillkit itself gives, through the same hooks as any plugin: the core knows methods in no other way.

Targets are text, so that listing them imports nothing heavy; families that describe themselves do so in a module
`_specs` of theirs, which is imported when its kind is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from distillkit.hookspecs import hookimpl
from distillkit.specs import ExecutorSpec, MethodSpec, ReporterSpec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from distillkit.specs import DatasetSpec, EvaluatorSpec, MetricSpec, PublishedResult

__all__ = [
    "distillkit_datasets",
    "distillkit_evaluators",
    "distillkit_executors",
    "distillkit_methods",
    "distillkit_metrics",
    "distillkit_published",
    "distillkit_reporters",
]


@hookimpl
def distillkit_methods() -> Iterable[MethodSpec]:
    """Controls first, then coresets, then the neural families."""
    return [
        MethodSpec(
            name="random",
            target="distillkit.coresets:RandomSubset",
            kind="control",
            summary="Random rows, stratified by class or by quantiles of the target",
        ),
        MethodSpec(
            name="class-means",
            target="distillkit.coresets:ClassMeans",
            kind="control",
            budgeted=False,
            summary="The mean of each class",
        ),
        MethodSpec(
            name="whole",
            target="distillkit.coresets:WholeSet",
            kind="control",
            budgeted=False,
            summary="Every row",
        ),
        MethodSpec(
            name="kmeans",
            target="distillkit.coresets:KMeansCoreset",
            kind="coreset",
            reference="Lloyd 1982, doi:10.1109/TIT.1982.1056489; k-means++: Arthur and Vassilvitskii, SODA 2007",
            presets={"medoids": {"representative": "member"}},
            summary="k-means in each class: centroids weighted by their clusters",
        ),
        MethodSpec(
            name="kcenter",
            target="distillkit.coresets:KCenterCoreset",
            kind="coreset",
            reference="Gonzalez 1985, doi:10.1016/0304-3975(85)90224-5",
            summary="Greedy k-center in each class: each next row is the one farthest from those picked",
        ),
        MethodSpec(
            name="herding",
            target="distillkit.coresets:HerdingCoreset",
            kind="coreset",
            reference="Welling 2009, doi:10.1145/1553374.1553517; Rebuffi et al., arXiv:1611.07725",
            summary="Rows whose mean is nearest to the mean of their class, in ranking order",
        ),
        MethodSpec(
            name="facility-location",
            target="distillkit.coresets:FacilityLocationCoreset",
            kind="coreset",
            reference="Nemhauser, Wolsey and Fisher 1978, doi:10.1007/BF01588971; lazily: Minoux 1978",
            presets={"cosine": {"metric": "cosine"}},
            summary="Rows of each class to which all others are near, in ranking order: greedy on nearest neighbours",
        ),
        MethodSpec(
            name="lightweight",
            target="distillkit.coresets:LightweightCoreset",
            kind="coreset",
            reference="Bachem, Lucic and Krause, KDD 2018, arXiv:1702.08248",
            summary="Rows drawn in two passes, half uniformly and half by distance to the mean, with unbiased weights",
        ),
        MethodSpec(
            name="sensitivity",
            target="distillkit.coresets:SensitivityCoreset",
            kind="coreset",
            reference="Feldman and Langberg, arXiv:1106.1379; Bachem, Lucic and Krause, arXiv:1703.06476",
            summary="Rows drawn by the largest share they can have in a k-means cost, with unbiased weights",
        ),
        MethodSpec(
            name="streaming",
            target="distillkit.coresets:StreamingCoreset",
            kind="coreset",
            reference="Bentley and Saxe 1980, doi:10.1016/0196-6774(80)90015-2; Har-Peled and Mazumdar, arXiv:1810.12826",
            presets={"random": {"coreset": "random"}, "sampled": {"summary": "random", "oversampling": 20}},
            summary="Merge-and-reduce: a coreset of rows that come in chunks, in memory that does not grow",
        ),
        MethodSpec(
            name="grand",
            target="distillkit.coresets:GraNdCoreset",
            kind="coreset",
            reference="Paul, Ganguli and Dziugaite, arXiv:2107.07075",
            presets={"hard": {"keep": "hard"}},
            summary="Rows of each class with the shortest gradients early in training, or with the longest",
        ),
        MethodSpec(
            name="el2n",
            target="distillkit.coresets:EL2NCoreset",
            kind="coreset",
            reference="Paul, Ganguli and Dziugaite, arXiv:2107.07075",
            presets={"hard": {"keep": "hard"}},
            summary="Rows of each class with the smallest errors early in training, or with the largest",
        ),
        MethodSpec(
            name="forgetting",
            target="distillkit.coresets:ForgettingCoreset",
            kind="coreset",
            tasks=frozenset({"classification"}),
            reference="Toneva et al., arXiv:1812.05159",
            presets={"hard": {"keep": "hard"}},
            summary="Rows of each class that networks forget least often while they learn, or most often",
        ),
        MethodSpec(
            name="uncertainty",
            target="distillkit.coresets:UncertaintyCoreset",
            kind="coreset",
            tasks=frozenset({"classification"}),
            reference="Coleman et al., arXiv:1906.11829",
            presets={
                "margin": {"strategy": "margin"},
                "entropy": {"strategy": "entropy"},
                "least-confidence": {"strategy": "least-confidence"},
                "hard": {"keep": "hard"},
                "hard-fifth": {"strategy": "entropy", "keep": "hard", "among": 0.2},
            },
            summary="Rows of each class that a classifier is surest of, or least sure of",
        ),
        MethodSpec(
            name="craig",
            target="distillkit.coresets:CraigCoreset",
            kind="coreset",
            reference="Mirzasoleiman, Bilmes and Leskovec, arXiv:1906.01827",
            summary="Rows of each class whose gradients are nearest to those of all: facility location, cluster weights",
        ),
        MethodSpec(
            name="grad-match",
            target="distillkit.coresets:GradMatchCoreset",
            kind="coreset",
            reference="Killamsetty et al., arXiv:2103.00123",
            summary="Rows of each class, weighted, whose gradients add up to that of the class: matching pursuit",
        ),
        MethodSpec(
            name="leverage",
            target="distillkit.coresets:LeverageCoreset",
            kind="coreset",
            reference="Drineas, Mahoney and Muthukrishnan, SODA 2006; Ma, Mahoney and Yu, arXiv:1306.5362",
            summary="Rows drawn by their leverage on a least-squares fit, with unbiased weights",
        ),
        MethodSpec(
            name="influence",
            target="distillkit.coresets:InfluenceCoreset",
            kind="coreset",
            reference="Koh and Liang, arXiv:1703.04730; greedily: Killamsetty et al., arXiv:2012.10630",
            presets={"sensitivity": {"criterion": "sensitivity"}, "gradient": {"criterion": "gradient"}},
            summary="Rows picked one by one by how much they teach a ridge model of all rows, in closed form",
        ),
        MethodSpec(
            name="gradient-matching",
            target="distillkit.condensation:GradientMatchingDistiller",
            kind="condensation",
            requires=("torch",),
            reference="Zhao, Mopuri and Bilen, ICLR 2021, arXiv:2006.05929",
            presets={"dc": {"preset": "dc"}, "dsa": {"preset": "dsa"}},
            summary="Rows optimised until their gradients teach a network what all rows teach it",
        ),
        MethodSpec(
            name="bilevel",
            target="distillkit.condensation:BilevelDistiller",
            kind="condensation",
            version=2,  # rows are held out as for the other condensers
            requires=("torch",),
            reference="Wang et al. 2018, arXiv:1811.10959; truncated: Feng et al., ICLR 2024, arXiv:2311.07025",
            summary="Rows optimised through the unrolled training of networks on them",
        ),
        MethodSpec(
            name="kernel",
            target="distillkit.condensation:KernelDistiller",
            kind="condensation",
            requires=("torch",),
            reference="Zhou et al., NeurIPS 2022, arXiv:2206.00719; linear: Chen et al., NeurIPS 2024",
            presets={"linear": {"feature_map": "linear"}},
            summary="Rows from which ridge regression on the features of networks predicts all rows",
        ),
        MethodSpec(
            name="kernel-soft",
            target="distillkit.condensation:KernelDistiller",
            kind="condensation",
            tasks=frozenset({"classification"}),
            params={"learn_labels": True},
            label_mode="soft",
            requires=("torch",),
            reference="Zhou et al., NeurIPS 2022, arXiv:2206.00719",
            summary="As kernel, with probabilities learned for the rows",
        ),
        MethodSpec(
            name="distribution-matching",
            target="distillkit.condensation:DistributionMatchingDistiller",
            kind="condensation",
            requires=("torch",),
            reference="Zhao and Bilen, WACV 2023, arXiv:2110.04181",
            presets={
                "mmd": {"loss": "mmd"},
                "wasserstein": {"loss": "wasserstein"},
                "hybrid": {"gradient_weight": 0.1},
            },
            summary="Rows optimised until random networks embed each class as they embed all its rows",
        ),
        MethodSpec(
            name="trajectory-matching",
            target="distillkit.condensation:TrajectoryMatchingDistiller",
            kind="condensation",
            requires=("torch",),
            reference="Cazenavette et al., CVPR 2022, arXiv:2203.11932",
            summary="Rows on which a network's weights go where those of networks trained on all rows went",
        ),
        MethodSpec(
            name="gan",
            target="distillkit.synthesis:GANSynthesizer",
            kind="synthesis",
            requires=("torch",),
            reference="hinge loss and projection: Miyato and Koyama, ICLR 2018, arXiv:1802.05637",
            summary="Rows chosen from what a class-conditional generator makes",
        ),
        MethodSpec(
            name="soft-random",
            target="distillkit.knowledge:SoftLabels",
            kind="knowledge",
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
        *_students(),
    ]


def _students() -> list[MethodSpec]:
    """Return the methods that reduce a model: the same seed gives the same teacher and students that start alike."""
    # the bench trains the control as a method of its own, and has test rows for the figures
    bare: dict[str, Any] = {"control": False, "validation_fraction": None}
    common: dict[str, Any] = {"reduces": "model", "budgeted": False, "requires": ("torch",)}
    student = "distillkit.knowledge:TeacherStudentDistiller"
    return [
        MethodSpec(
            name="teacher",
            target="distillkit.knowledge._teacher_alone:TeacherAlone",
            kind="control",
            params=bare,
            summary="The large model that teaches in teacher-student, by itself",
            **common,
        ),
        MethodSpec(
            name="student-alone",
            target=student,
            kind="control",
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
    ]


@hookimpl
def distillkit_datasets() -> Iterable[DatasetSpec]:
    """Datasets by name, and kinds of files by path."""
    from distillkit.datasets._specs import dataset_specs

    return dataset_specs()


@hookimpl
def distillkit_evaluators() -> Iterable[EvaluatorSpec]:
    """Models with their training recipes."""
    from distillkit.evaluators._specs import evaluator_specs

    return evaluator_specs()


@hookimpl
def distillkit_metrics() -> Iterable[MetricSpec]:
    """Metrics of predictions, of distilled sets and of runs."""
    from distillkit.metrics._specs import metric_specs

    return metric_specs()


@hookimpl
def distillkit_reporters() -> Iterable[ReporterSpec]:
    """Leaderboard formats."""
    formats = {
        "terminal": ("txt", "Plain text, as on the terminal"),
        "markdown": ("md", "Markdown that a version control system can compare"),
        "csv": ("csv", "One line per dataset, budget and method"),
        "html": ("html", "One page that needs nothing beside it"),
    }
    return [
        ReporterSpec(
            name=name, target=f"distillkit.bench.reporters._{name}:write", extension=extension, summary=summary
        )
        for name, (extension, summary) in formats.items()
    ]


@hookimpl
def distillkit_executors() -> Iterable[ExecutorSpec]:
    """Engines."""
    return [
        ExecutorSpec(
            name="local",
            target="distillkit.bench.execution._local_executor:run",
            summary="Child processes on this machine",
        )
    ]


@hookimpl
def distillkit_published() -> Iterable[PublishedResult]:
    """Figures from the literature that ship with distillkit."""
    from distillkit.builtin._published import published_results

    return published_results()
