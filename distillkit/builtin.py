"""What distillkit itself gives, through the same hooks as any plugin: the core knows methods in no other way.

Targets are text, so that listing them imports nothing heavy; families that describe themselves do so in a module
`_specs` of theirs, which is imported when its kind is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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
            name="gradient-matching",
            target="distillkit.condensation:GradientMatchingDistiller",
            kind="condensation",
            requires=("torch",),
            reference="Zhao, Mopuri and Bilen, ICLR 2021, arXiv:2006.05929",
            summary="Rows optimised until their gradients teach a network what all rows teach it",
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
            name="local", target="distillkit.bench.executors._local:run", summary="Child processes on this machine"
        )
    ]


@hookimpl
def distillkit_published() -> Iterable[PublishedResult]:
    """Figures from the literature that ship with distillkit."""
    from distillkit.bench.published import published_results

    return published_results()
