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
            name="bilevel",
            target="distillkit.condensation:BilevelDistiller",
            kind="condensation",
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
